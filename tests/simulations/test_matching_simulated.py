"""What matching must find and must not, by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import log_softmax

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.differences import differences
from geppetto.evaluation.individuation.matches import information_tests, matching_matrices
from geppetto.evaluation.individuation.matching import (
    MatchingMatrix,
    identification,
    matching_matrix,
)
from geppetto.evaluation.inference.permutation import permutation_test, sign_flip_p
from geppetto.evaluation.inference.resampling import Resampling, estimate, mean
from invented import responses as responses_of
from invented_matches import losses, matrix_of, own_of, simulated, strangers_of, unequal


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


def test_with_unequal_items_signs_are_flipped_of_what_makes_up_the_effect() -> None:
    rng, people, rejected, runs = np.random.default_rng(17), Resampling.of(40, draws=5), 0, 400
    for _ in range(runs):
        found = unequal(rng)
        (one,) = differences(found)
        assert one.influence.mean() == pytest.approx(one.persons.mean())
        rejected += sign_flip_p(one.influence[:, None], people, permutations=499)[0] <= 0.05
    assert 0.025 <= rejected / runs <= 0.07
    assert not information_tests(matching_matrices(found), found, people, 0)
