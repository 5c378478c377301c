"""Everybody's persona matched with everybody, for each model and strategy of an experiment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from geppetto.evaluation.differences import personas
from geppetto.evaluation.individuation.matching import MatchingMatrix, matching_matrix
from geppetto.evaluation.inference.permutation import PermutationTest, permutation_test
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.losses import matrix_where_shown
from geppetto.evaluation.predictions import Predictions, in_each_wording

MOST_MATCHED = 4000
"""People up to whom everybody's persona is compared with everybody: a matrix of everybody by
everybody must fit into memory."""

Key = tuple[str, str]
"""A model and a strategy."""


def matching_matrices(
    found: Sequence[Predictions], measure: str = "nll"
) -> dict[Key, MatchingMatrix]:
    """How well everybody's persona predicts those of whom the same is known.

    Over several wordings, the mean of the matrices of each: a persona is the same in each wording,
    and a pair of a person and a persona has one number. In sessions a persona is compared only for
    the people for whom it was shown, see `geppetto.evaluation.losses`. Samples are drawn anew for
    each person whom a persona is shown for; what it predicts is then what was drawn for its owner.
    Nothing is said of models and strategies where nobody can be compared, nor of more than
    `MOST_MATCHED` people.
    """
    matrices = {}
    for arms in personas(found):
        own = arms.get("own")
        if own is None or len(own.pool) > MOST_MATCHED:
            continue
        if own.responses.of_sessions:
            if "shuffled" not in arms:
                continue
            pairs = in_each_wording([own, arms["shuffled"]])
            in_each = [matrix_where_shown(a, b, measure) for a, b in pairs]
        else:
            others = [arm for arm in arms.values() if arm.shows_strangers]
            shown = [own] if own.counts is not None else [own, *others]
            in_each = [matching_matrix(a, b, own.pool) for a, *b in in_each_wording(shown)]
        matrix = MatchingMatrix(np.mean([one.nll for one in in_each], axis=0), in_each[0].groups)
        if matrix.personas.any():
            matrices[own.condition.model, own.condition.strategy] = matrix
    return matrices


def _same_items(found: Predictions) -> bool:
    answered = found.responses.answered
    return all(
        (answered[found.pool == pool] == answered[found.pool == pool][0]).all()
        for pool in np.unique(found.pool)
    )


def information_tests(
    matrices: Mapping[Key, MatchingMatrix],
    found: Sequence[Predictions],
    people: Resampling,
    seed: int,
) -> dict[Key, PermutationTest]:
    """Tests of information by permuting personas, where people are drawn one by one.

    Personas of people in the same group are not exchangeable with those of others. There are such
    tests only where everybody of whom the same is known answered the same items, so that what is
    permuted is the effect itself: where items differ, or in sessions, most exchanges would need
    answers that nobody was asked for. Nor are there any of samples, which are drawn anew for each
    person whom a persona is shown for. The arm `shuffled` says who the strangers are, the same in
    every wording.
    """
    if people.grouped or found[0].responses.of_sessions:
        return {}
    strangers = [
        one.wordings[0]
        for one in found
        if one.condition.arm == "shuffled" and one.counts is None and _same_items(one)
    ]
    shuffled = {one.condition[:2]: one.donors for one in strangers}
    return {
        key: permutation_test(matrix, seed=seed, donors=shuffled[key], weights=people.base)
        for key, matrix in matrices.items()
        if key in shuffled
    }
