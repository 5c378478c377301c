"""Matching of personas and people: against loops, and by simulation of what must be found."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from scipy.special import log_softmax

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.differences import differences
from geppetto.evaluation.individuation.matches import information_tests, matching_matrices
from geppetto.evaluation.individuation.matching import (
    MatchingMatrix,
    identification,
    matching_matrix,
)
from geppetto.evaluation.inference.permutation import permutation_test
from geppetto.evaluation.inference.resampling import Resampling
from invented import responses as responses_of
from invented_matches import losses, matrix_of, own_of, shown, simulated, strangers_of


def test_complete_answers_give_everyones_nll_but_for_a_constant_a_row() -> None:
    personas, position = simulated(np.random.default_rng(0), 0.5)
    matrix = matrix_of(personas, position)
    nll = losses(personas, position).mean(axis=2)
    difference = nll - matrix.nll
    assert difference == pytest.approx(np.broadcast_to(difference[:, :1], (30, 30)))
    others = [[nll[i, k] - nll[i, i] for k in range(30) if k != i] for i in range(30)]
    assert matrix.information.mean() == pytest.approx(np.mean(others))
    assert np.diag(matrix.gains) == pytest.approx(np.mean(others, axis=1))
    columns = [[nll[i, k] - nll[i, i] for i in range(30) if i != k] for k in range(30)]
    projected = np.mean(others, axis=1) + np.mean(columns, axis=1) - np.mean(others)
    assert matrix.information == pytest.approx(projected)
    worse = [[(x > 0) + (x == 0) / 2 for x in row] for row in others]
    assert matrix.auc.mean() == pytest.approx(np.mean(worse))


def test_strangers_answers_add_nothing_to_complete_answers_and_must_agree_with_them() -> None:
    personas, position = simulated(np.random.default_rng(1), 0.5)
    responses = responses_of(position, 3)
    own, strangers = own_of(personas, responses), strangers_of(personas, responses, [3, 8])
    alone, both = matching_matrix(own), matching_matrix(own, [strangers])
    assert both.nll == pytest.approx(alone.nll)
    strangers.option_log_probs[1, 4, 2, 0] += 2e-6
    with pytest.raises(ValueError, match="the persona of p0012 predicts q2 in two ways"):
        matching_matrix(own, [strangers])


def test_sources_that_do_not_belong_together_are_refused() -> None:
    personas, position = simulated(np.random.default_rng(1), 0.5)
    responses = responses_of(position, 3)
    own = own_of(personas, responses)
    with pytest.raises(ValueError, match="does not show people their own"):
        matching_matrix(strangers_of(personas, responses, [1]))
    with pytest.raises(ValueError, match="cannot be compared"):
        matching_matrix(own, [strangers_of(personas, responses_of(position, 3), [1])])


def by_loops(
    personas: Floats, position: Integers, available: NDArray[np.bool_], groups: Integers
) -> Floats:
    """The matrix by the definition, one pair and item after the other."""
    people, items = position.shape
    answered = position >= 0
    found = np.full((people, people), np.nan)
    for i in range(people):
        for k in range(people):
            values = []
            for j in range(items):
                peers = [
                    other
                    for other in range(people)
                    if groups[other] == groups[k]
                    and available[other, j]
                    and answered[other, j] == answered[k, j]
                ]
                if answered[i, j] and available[k, j] and len(peers) > 1:
                    option = position[i, j]
                    average = np.mean([-personas[other, j, option] for other in peers])
                    values.append(-personas[k, j, option] - average)
            if values and groups[i] == groups[k]:
                found[i, k] = np.mean(values)
    return found


@pytest.mark.parametrize("distances", [[], [1, 4]])
def test_incomplete_answers_are_compared_over_common_items_by_definition(
    distances: list[int],
) -> None:
    rng = np.random.default_rng(2)
    personas, position = simulated(rng, 0.5, people=12, items=5)
    position[rng.random(position.shape) < 0.4] = -1
    position[3] = -1
    groups = np.array([7, 7, 7, 7, 7, 7, 9, 9, 9, 9, 9, 4])
    responses = responses_of(position, 3)
    others = [strangers_of(personas, responses, distances)] if distances else []
    matrix = matching_matrix(own_of(personas, responses), others, groups)
    available = position >= 0
    for distance in distances:
        for person in range(12):
            available[(person + distance) % 12] |= position[person] >= 0
    expected = by_loops(personas, position, available, groups)
    expected[[3, 11]] = expected[:, [3, 11]] = np.nan  # no responses; alone in a group
    assert matrix.nll == pytest.approx(expected, nan_ok=True)
    assert matrix.personas[[3, 11]].tolist() == [0, 0]
    assert np.isnan(matrix.information[[3, 11]]).all() and np.isnan(matrix.auc[[3, 11]]).all()
    assert np.nanmean(matrix.information) == pytest.approx(np.nanmean(np.diag(matrix.gains)))
    assert np.nansum(matrix.gains, axis=1) == pytest.approx(np.zeros(12))


@settings(max_examples=25)
@given(st.integers(0, 1000))
def test_order_and_easy_items_do_not_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    personas, position = simulated(rng, 0.4, people=14, items=4)
    position[rng.random(position.shape) < 0.2] = -1
    matrix = matrix_of(personas, position)
    order = rng.permutation(14)
    assert matrix_of(personas[order], position[order]).nll == pytest.approx(
        matrix.nll[np.ix_(order, order)], nan_ok=True
    )
    easier = personas + rng.normal(size=(1, 4, 3))
    assert matrix_of(easier, position).nll == pytest.approx(matrix.nll, nan_ok=True)


def test_ranks_share_ties() -> None:
    nll = np.array(
        [
            [0.0, 1.0, 2.0, 3.0],
            [0.0, 0.0, 1.0, -1.0],
            [0.5, 0.5, 0.5, 0.5],
            [0.0, 0.0, 0.0, 1.0],
        ]
    )
    matrix = MatchingMatrix(nll, np.zeros(4, np.int64))
    found = identification(matrix, Resampling.of(4, draws=50))
    assert found.top.value == pytest.approx((1 + 0 + 1 / 4 + 0) / 4)
    harmonic = 1 + 1 / 2 + 1 / 3 + 1 / 4
    reciprocal = [1, (1 / 2 + 1 / 3) / 2, harmonic / 4, 1 / 4]
    assert found.reciprocal_rank.value == pytest.approx(np.mean(reciprocal))
    assert found.auc.value == pytest.approx(np.mean([1, 1.5 / 3, 1 / 2, 0]))
    assert found.top_by_chance == 0.25
    assert found.reciprocal_rank_by_chance == pytest.approx(harmonic / 4)


def test_personas_that_say_the_same_identify_nobody_and_no_test_rejects() -> None:
    rng = np.random.default_rng(3)
    personas, position = simulated(rng, 0.0)
    groups = np.repeat([0, 1, 2], 10)
    matrix = matrix_of(np.broadcast_to(personas[:1], personas.shape), position, groups)
    found = identification(matrix, Resampling.of(30, draws=50))
    assert found.information.value == pytest.approx(0, abs=1e-12)
    assert found.auc.value == 0.5
    assert found.top.value == pytest.approx(found.top_by_chance) == pytest.approx(0.1)
    assert found.reciprocal_rank.value == pytest.approx(found.reciprocal_rank_by_chance)
    test = permutation_test(matrix, 99)
    assert test.p == 1


def test_the_test_permutes_within_groups_only() -> None:
    """Personas that tell groups apart, and nobody within one, match nobody."""
    rng = np.random.default_rng(7)
    groups = np.repeat([0, 1], 15)
    position = np.where(groups[:, None], 2, 0) * np.ones((1, 6), np.int64)
    position[rng.random(position.shape) < 0.3] = 1
    personas = log_softmax(np.where(groups[:, None, None], [0, 0, 2], [2, 0, 0.0]), axis=2)
    personas = np.repeat(personas, 6, axis=1) + 0.05 * rng.normal(size=(30, 6, 3))
    personas = log_softmax(personas, axis=2)
    assert permutation_test(matrix_of(personas, position), 199).p == 2 / 200
    within = permutation_test(matrix_of(personas, position, groups), 199)
    assert within.p > 0.02 and abs(within.information) < 0.02


def test_groups_are_one_result_each() -> None:
    personas, position = simulated(np.random.default_rng(15), 0.5)
    groups = np.repeat([0, 1], [10, 20])
    matrix = matrix_of(personas, position, groups)
    for group in (0, 1):
        chosen = groups == group
        alone = matrix_of(personas[chosen], position[chosen])
        assert matrix.information[chosen] == pytest.approx(alone.information)
        assert matrix.auc[chosen] == pytest.approx(alone.auc)


def test_p_is_the_share_of_assignments_within_groups() -> None:
    """Three pairs have eight assignments, and only the real one matches all of them."""
    nll = np.where(np.arange(6)[:, None] // 2 == np.arange(6) // 2, 1.0, np.nan)
    nll[np.diag_indices(6)] = 0.0
    test = permutation_test(MatchingMatrix(nll, np.repeat([0, 1, 2], 2)), 4999)
    assert test.p == pytest.approx(2 / 8, abs=0.04)


def test_nobody_to_exchange_with_is_an_error() -> None:
    personas, position = simulated(np.random.default_rng(8), 0.0, people=4)
    with pytest.raises(ValueError, match="no two people"):
        permutation_test(matrix_of(personas, position, np.arange(4)))


def test_the_test_is_the_same_again_and_is_the_information_that_is_tested() -> None:
    matrix = matrix_of(*simulated(np.random.default_rng(9), 0.3), np.repeat([0, 1, 2], 10))
    one, two = permutation_test(matrix, 499), permutation_test(matrix, 499)
    assert one == two != permutation_test(matrix, 499, seed=1)
    assert one.information == pytest.approx(matrix.information.mean())


def test_the_interval_of_the_share_of_best_personas_is_exact() -> None:
    """Also if nobody's own persona is the best, where a bootstrap would be sure of 0."""
    people = Resampling.of(40, draws=4000)
    for hits in (0, 6, 40):
        nll = np.zeros((40, 40))
        nll[np.diag_indices(40)] = np.where(np.arange(40) < hits, -1.0, 1.0)
        top = identification(MatchingMatrix(nll, np.zeros(40, np.int64)), people).top
        exact = stats.binomtest(hits, 40).proportion_ci()
        assert top.value == hits / 40
        assert (top.low, top.high) == pytest.approx((exact.low, exact.high), abs=0.01)
    clusters = Resampling.of(40, clusters=np.arange(40) // 4, draws=4000)
    nll[np.diag_indices(40)] = np.where(np.arange(40) < 12, -1.0, 1.0)
    top = identification(MatchingMatrix(nll, np.zeros(40, np.int64)), clusters).top
    exact = stats.binomtest(3, 10).proportion_ci()
    assert (top.low, top.high) == pytest.approx((exact.low, exact.high), abs=0.02)


def test_personas_are_permuted_where_all_of_a_group_answered_the_same_and_none_is_sampled() -> None:
    personas, position = simulated(np.random.default_rng(18), 0.4)
    position[:10, 3] = -1
    responses = responses_of(position, 3)
    found = [own_of(personas, responses), strangers_of(personas, responses, [1])]
    people = Resampling.of(30, draws=5)
    assert not information_tests(matching_matrices(found), found, people, 0)
    pool = (np.arange(30) >= 10).astype(int)
    donors = np.where(pool == 0, (np.arange(30) + 1) % 10, 10 + (np.arange(30) - 9) % 20)[None]
    grouped = [replace(found[0], pool=pool)]
    grouped.append(replace(shown(personas, responses, donors, "shuffled"), pool=pool))
    (test,) = information_tests(matching_matrices(grouped), grouped, people, 0).values()
    (effect,) = differences(grouped)
    assert test.information == pytest.approx(effect.persons.mean())
    counts = np.where(np.isnan(personas), np.nan, 1.0)[None]
    samples = [
        replace(one, counts=np.broadcast_to(counts, one.option_log_probs.shape)) for one in grouped
    ]
    assert not information_tests(matching_matrices(grouped), samples, people, 0)
