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
from geppetto.evaluation.matches import information_tests, matching_matrices
from geppetto.evaluation.matching import (
    MatchingMatrix,
    identification,
    matching_matrix,
)
from geppetto.evaluation.permutation import permutation_test, sign_flip_p
from geppetto.evaluation.predictions import Predictions, Responses
from geppetto.evaluation.resampling import Resampling, estimate, mean
from geppetto.plan import Condition
from invented import responses as responses_of


def shown(personas: Floats, responses: Responses, donors: Integers, arm: str) -> Predictions:
    """What is predicted if people are shown these donors' personas: (people, items, options)."""
    log_probs = personas[np.maximum(donors, 0)].copy()
    log_probs[(donors < 0)[:, :, None] | ~responses.answered] = np.nan
    empty = np.full(log_probs.shape[:3], np.nan)
    pool = np.zeros(donors.shape[1], int)
    return Predictions(responses, Condition("m", "s", arm), pool, donors, log_probs, empty, empty)


def own_of(personas: Floats, responses: Responses) -> Predictions:
    return shown(personas, responses, np.arange(len(personas))[None], "own")


def strangers_of(personas: Floats, responses: Responses, distances: list[int]) -> Predictions:
    people = np.arange(len(personas))
    donors = np.stack([(people + distance) % len(people) for distance in distances])
    return shown(personas, responses, donors, "shuffled")


def simulated(
    rng: np.random.Generator, match: float, people: int = 30, items: int = 10
) -> tuple[Floats, Integers]:
    """Personas and responses that both go together within a person (ICC 0.5 of responses).

    Personas differ in the level that they expect of all items and in how sure they are; `match`
    is the correlation of that level with the person's.
    """
    person = rng.normal(size=(people, 1))
    latent = person + rng.normal(size=(people, items))
    position = np.digitize(latent, [-0.8, 0.8]).astype(np.int64)
    level = match * person + np.sqrt(1 - match**2) * rng.normal(size=(people, 1))
    sure = np.exp(0.4 * rng.normal(size=(people, 1)))
    slope = sure * (level + 0.3 * rng.normal(size=(people, items)) + rng.normal(size=(1, items)))
    logits = slope[:, :, None] * np.array([-1, 0, 1]) + (sure * 0.5)[:, :, None] * [0, 1, 0]
    return log_softmax(logits, axis=2), position


def matrix_of(
    personas: Floats, position: Integers, groups: Integers | None = None
) -> MatchingMatrix:
    return matching_matrix(own_of(personas, responses_of(position, personas.shape[2])), (), groups)


def losses(personas: Floats, position: Integers) -> Floats:
    """NLL of each response of person i under persona k, shape (i, k, items)."""
    items = np.arange(position.shape[1])
    return np.stack([-personas[:, items, row] for row in position])


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


def test_chance_is_where_the_statistics_are_without_a_match() -> None:
    rng = np.random.default_rng(4)
    found = []
    for _ in range(300):
        matrix = matrix_of(*simulated(rng, 0.0), np.repeat([0, 1], [10, 20]))
        value = identification(matrix, Resampling.of(30, draws=1))
        found.append(
            [
                value.information.value,
                value.auc.value - 0.5,
                value.top.value - value.top_by_chance,
                value.reciprocal_rank.value - value.reciprocal_rank_by_chance,
            ]
        )
    error = np.std(found, axis=0) / np.sqrt(300)
    assert (np.abs(np.mean(found, axis=0)) < 3 * error).all()
    assert found[0][0] != 0


def p_values(rng: np.random.Generator, match: float, times: int) -> Floats:
    tests = [permutation_test(matrix_of(*simulated(rng, match)), 199) for _ in range(times)]
    return np.array([test.p for test in tests])


def test_without_a_match_the_test_rejects_as_often_as_it_says() -> None:
    """Responses of a person and answers under a persona both go together."""
    rejected = (p_values(np.random.default_rng(5), 0.0, 1500) <= 0.05).mean()
    assert 0.035 <= rejected <= 0.065


@pytest.mark.parametrize("match", [0.6, -0.6])
def test_a_match_and_an_inverse_one_are_found(match: float) -> None:
    assert (p_values(np.random.default_rng(6), match, 200) <= 0.05).mean() > 0.8


def test_permuting_single_responses_would_reject_without_a_match() -> None:
    """The error that whole-person permutation avoids, in the same data."""
    rng = np.random.default_rng(5)
    rejected = []
    for _ in range(200):
        personas, position = simulated(rng, 0.0)
        loss = losses(personas, position)
        gain = loss.mean(axis=1, keepdims=True) - loss
        people, items = np.arange(30)[:, None], np.arange(10)
        given = np.argsort(rng.random((199, 30, 10)), axis=1)
        drawn = gain[people, given, items].mean(axis=(1, 2))
        real = gain[people, people, items].mean()
        rejected.append(1 + (drawn >= real).sum() <= 10)
    assert np.mean(rejected) > 0.15


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


@pytest.mark.parametrize("hurts", [0.0, 1.0])
def test_intervals_of_information_cover_and_row_differences_do_not(hurts: float) -> None:
    """Persona main effects: noise to row differences, or (what helps me hurts others) hidden.

    With `hurts` a persona's main effect is what it gains for its own person, so that all row
    differences are nearly equal; else it is independent and inflates their variance.
    """
    rng = np.random.default_rng(10)
    people, truth = 80, 0.2
    resampling = Resampling.of(people, draws=500)
    covered = []
    for _ in range(1000):
        match = truth + rng.normal(size=people)
        persona = match if hurts else 1.5 * rng.normal(size=people)
        nll = persona + rng.normal(size=(people, 1)) + 0.3 * rng.normal(size=(people, people))
        nll[np.diag_indices(people)] -= match
        matrix = MatchingMatrix(nll, np.zeros(people, np.int64))
        naive = np.diag(matrix.gains)
        intervals = [estimate(mean, v, people=resampling) for v in (matrix.information, naive)]
        covered.append([interval.low <= truth <= interval.high for interval in intervals])
    projected, naive_share = np.mean(covered, axis=0)
    assert 0.93 <= projected <= 0.97
    assert naive_share < 0.5 if hurts else naive_share > 0.99


def test_intervals_of_auc_cover_and_row_shares_do_not() -> None:
    """Without a match, of personas that predict everyone well or badly; the truth is 0.5."""
    rng = np.random.default_rng(11)
    resampling = Resampling.of(80, draws=500)
    covered = []
    for _ in range(500):
        nll = rng.normal(size=80) + rng.normal(size=(80, 80))
        matrix = MatchingMatrix(nll, np.zeros(80, np.int64))
        rows = (matrix.nll > np.diag(nll)[:, None]).sum(axis=1) / 79
        assert matrix.auc.mean() == pytest.approx(rows.mean())
        intervals = [estimate(mean, v, people=resampling) for v in (matrix.auc, rows)]
        covered.append([interval.low <= 0.5 <= interval.high for interval in intervals])
    projected, naive = np.mean(covered, axis=0)
    assert 0.92 <= projected <= 0.975 and naive > 0.985


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


def test_intervals_of_the_share_of_best_personas_cover_chance() -> None:
    rng = np.random.default_rng(16)
    people = Resampling.of(60, draws=200)
    groups = np.zeros(60, np.int64)
    tops = [
        identification(MatchingMatrix(rng.normal(size=(60, 60)), groups), people).top
        for _ in range(300)
    ]
    assert np.mean([top.low <= 1 / 60 <= top.high for top in tops]) >= 0.95
    assert np.mean([top.high for top in tops]) < 0.15


def with_missing(
    rng: np.random.Generator, match: float, shown_to: list[int]
) -> tuple[MatchingMatrix, MatchingMatrix]:
    """The matrix with a third of items missing, and that of the complete answers.

    Items differ a lot in difficulty and hard ones are skipped by those of low level.
    """
    personas, position = simulated(rng, match)
    complete = matrix_of(personas, position)
    low = position.mean(axis=1, keepdims=True) < 1
    skipped = rng.random(position.shape) < np.where(low, np.linspace(0, 0.9, 10), 0.2)
    missing = np.where(skipped, -1, position)
    responses = responses_of(missing, 3)
    others = [strangers_of(personas, responses, shown_to)] if shown_to else []
    return matching_matrix(own_of(personas, responses), others), complete


@pytest.mark.parametrize("shown_to", [[], [1, 5, 11]])
def test_missing_items_do_not_create_a_match(shown_to: list[int]) -> None:
    rng = np.random.default_rng(12)
    found, rejected = [], []
    for _ in range(400):
        matrix, _ = with_missing(rng, 0.0, shown_to)
        found.append([np.nanmean(matrix.information), np.nanmean(matrix.auc) - 0.5])
        rejected.append(permutation_test(matrix, 199).p <= 0.05)
    assert (np.abs(np.mean(found, axis=0)) < 3 * np.std(found, axis=0) / np.sqrt(400)).all()
    assert np.mean(rejected) <= 0.065


@pytest.mark.parametrize("shown_to", [[], [1, 5, 11]])
def test_missing_items_do_not_hide_a_match(shown_to: list[int]) -> None:
    rng = np.random.default_rng(13)
    pairs = [with_missing(rng, 0.7, shown_to) for _ in range(150)]
    some, all_items = np.array(
        [[np.nanmean(matrix.information) for matrix in pair] for pair in pairs]
    ).mean(axis=0)
    assert some > 0.75 * all_items > 0
    assert np.mean([permutation_test(matrix, 199).p <= 0.05 for matrix, _ in pairs]) > 0.8


def test_who_responds_at_all_is_not_a_match() -> None:
    """Half of the people skip the last items, and their personas fit nobody who answers them."""
    rng = np.random.default_rng(14)
    found, naive = [], []
    for _ in range(100):
        personas, position = simulated(rng, 0.0)
        skip = np.arange(30) % 2 == 0
        position[skip, 5:] = -1
        position[~skip, 5:] = 2
        personas[:, 5:] = log_softmax(rng.normal(size=(30, 5, 3)), axis=2)
        personas[skip, 5:] = np.log([0.6, 0.3, 0.1])
        responses = responses_of(position, 3)
        own, strangers = own_of(personas, responses), strangers_of(personas, responses, [1, 3])
        found.append(np.nanmean(matching_matrix(own, [strangers]).information))
        naive.append(np.nanmean(strangers.nll) - np.nanmean(own.nll))
    assert abs(np.mean(found)) < 3 * np.std(found) / 10
    assert np.mean(naive) > 0.1


def unequal(rng: np.random.Generator, people: int = 40) -> list[Predictions]:
    """Heavy-tailed personas that match nobody; the low skip hard items, at random all skip some."""
    personas, position = simulated(rng, 0.0, people)
    sure = np.exp(0.6 * rng.standard_t(3, (people, 1, 1)).clip(-4, 4))
    personas = log_softmax(sure * personas, axis=2).clip(-6)
    low = position.mean(axis=1, keepdims=True) < 1
    skipped = rng.random(position.shape) < np.where(low, np.linspace(0, 0.9, 10), 0.3)
    skipped[:, 0] &= (~skipped[:, 1:]).any(axis=1)
    responses = responses_of(np.where(skipped, -1, position), 3)
    return [own_of(personas, responses), strangers_of(personas, responses, [1, 5, 11])]


def test_with_unequal_items_signs_are_flipped_of_what_makes_up_the_effect() -> None:
    rng, people, rejected, runs = np.random.default_rng(17), Resampling.of(40, draws=5), 0, 400
    for _ in range(runs):
        found = unequal(rng)
        (one,) = differences(found)
        assert one.influence.mean() == pytest.approx(one.persons.mean())
        rejected += sign_flip_p(one.influence[:, None], people, permutations=499)[0] <= 0.05
    assert 0.025 <= rejected / runs <= 0.07
    assert not information_tests(matching_matrices(found), found, people, 0)


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
