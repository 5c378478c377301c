"""Tests that permute whole people: the signs of their differences, or whose persona is whose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers, nanmean, quotient, sums
from geppetto.evaluation.individuation.matching import MatchingMatrix
from geppetto.evaluation.inference.resampling import Resampling, batches
from geppetto.planning.analysis_config import PERMUTATIONS

_ENUMERATED = 13
"""Up to how many people, groups or studies all flips of signs are taken: 8,192."""

_ASSIGNED = 2_000_000


@dataclass(frozen=True)
class PermutationTest:
    """A test of whether it matters whose persona is whose.

    `information` is T of the real assignment, in nats, and p the probability of one as far from
    what it would be if it did not matter: twice the smaller of both sides' probabilities, at most
    1.
    """

    information: float
    p: float


def sign_flip_p(
    contributions: Floats, people: Resampling, permutations: int = PERMUTATIONS, seed: int = 0
) -> Floats:
    """Two-sided probability of a mean at least this far from zero if each sign were a coin's.

    Under the null that two arms do not differ, a participant's difference is as likely to have the
    other sign. Signs of whole participants are flipped, and of whole clusters or studies where
    there are some: in every way there is, if there are at most 13 of them. p is the share of all
    flips that is at least as extreme, of random ones (1 + b) / (1 + B), b the number of these
    (Phipson & Smyth 2010). Contributions to means are of shape (participants, contrasts), and p of
    (contrasts,).

    Examples
    --------
    >>> import numpy as np
    >>> from geppetto.evaluation.inference import Resampling, sign_flip_p
    >>> sign_flip_p(np.ones((6, 1)), Resampling.of(6)).tolist()
    [0.03125]
    """
    number = int(people.drawn.max()) + 1
    weighted = sums(contributions * people.sample[0][:, None], people.drawn, number)
    observed = np.abs(weighted.sum(0)) * (1 - 1e-12)
    if len(weighted) <= _ENUMERATED:
        ways = np.arange(2 ** len(weighted))[:, None] >> np.arange(len(weighted)) & 1
        return np.asarray(np.mean(np.abs((2.0 * ways - 1.0) @ weighted) >= observed, axis=0))
    rng = np.random.default_rng(seed)
    extreme = np.zeros(len(observed))
    for count in batches(permutations, len(weighted)):
        signs = rng.integers(0, 2, size=(count, len(weighted)), dtype=np.int8) * 2.0 - 1.0
        extreme += np.sum(np.abs(signs @ weighted) >= observed, axis=0)
    return np.asarray((1 + extreme) / (1 + permutations))


def permutation_test(
    matrix: MatchingMatrix,
    permutations: int = PERMUTATIONS,
    seed: int = 0,
    *,
    donors: Integers | None = None,
    weights: Floats | None = None,
) -> PermutationTest:
    """Whether it matters whose persona is whose, by giving personas to other people of the group.

    Under the null hypothesis personas are exchangeable among the people of a group. A whole
    persona is given to a whole person, so that neither people whose responses go together nor
    personas that predict everyone well or badly make it reject; to permute single responses
    would be to take either for evidence. On each side (1 + number of T* >= T) / (1 + permutations),
    ties included, is never 0 and valid for any number of permutations (Phipson & Smyth 2010).

    T* is the mean over people of how much better the persona they were given predicts them than
    strangers' personas do, over the pairs that can be compared. Where some cannot, T* is a mean
    of fewer people and spreads more: the test errs on the safe side.

    Parameters
    ----------
    donors
        Row of each participant's strangers, shape (draws, participants), who are given the
        personas that fall to them: T is then the effect that is measured with these strangers.
        All others of the group by default.
    weights
        How many people each participant stands for, shape (participants,). What a persona costs
        all people of the group is then no part of T, since own personas count as their owners do
        and strangers' as those who are shown them.

    Raises
    ------
    ValueError
        If nobody is compared with anybody.
    """
    people = np.flatnonzero(matrix.personas)
    if not people.size:
        raise ValueError("there are no two people whose personas could be exchanged")
    people = people[np.argsort(matrix.groups[people], kind="stable")]
    place = np.full(len(matrix.groups), -1)
    place[people] = np.arange(len(people))
    groups = matrix.groups[people].astype(float)
    gains = (matrix.gains if donors is None else -matrix.nll)[np.ix_(people, people)]
    weight = (np.ones(len(place)) if weights is None else weights)[people]
    if np.ptp(weight) > 0:
        counted = weight @ ~np.isnan(gains)
        gains = gains - quotient(weight @ np.nan_to_num(gains), counted, otherwise=0.0)
    strangers = None if donors is None else np.where(donors < 0, -1, place[donors])[:, people]
    rows = np.arange(len(people))

    def statistic(observed: Integers) -> Floats:
        """T of assignments, shape (assignments, people)."""
        values = gains[rows, observed]
        if strangers is not None:
            theirs = [
                np.where(draw < 0, np.nan, gains[rows, observed[:, np.maximum(draw, 0)]])
                for draw in strangers
            ]
            values = values - (theirs[0] if len(theirs) == 1 else nanmean(np.stack(theirs), 0))
        known = ~np.isnan(values)
        return quotient(np.where(known, values, 0.0) @ weight, known @ weight)

    information = float(statistic(rows[None])[0])
    rng = np.random.default_rng(seed)
    drawn = []
    for count in batches(permutations, len(people), _ASSIGNED):
        keys = groups + rng.random((count, len(people)))
        drawn.append(statistic(np.argsort(keys, axis=1)))
    values = np.concatenate(drawn)
    tie = 1e-12 * max(1.0, float(np.nanmax(np.abs(gains))))
    larger = (1 + int((~(values < information - tie)).sum())) / (1 + permutations)
    smaller = (1 + int((~(values > information + tie)).sum())) / (1 + permutations)
    return PermutationTest(information, min(1.0, 2 * min(larger, smaller)))
