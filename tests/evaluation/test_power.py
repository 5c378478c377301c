"""Power and numbers of people, by simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from geppetto.evaluation.inference.power import (
    minimal_effect,
    people_to_decide,
    people_to_exclude,
    people_to_find,
    power_to_exclude,
    power_to_find,
)

TRIALS = 40_000
THREE_ERRORS = 3 * np.sqrt(0.25 / TRIALS)


def t_of(d_z: float, people: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Means and their standard errors of invented differences with standard deviation 1."""
    values = np.random.default_rng(seed).normal(d_z, 1, (TRIALS, people))
    return values.mean(axis=1), values.std(axis=1, ddof=1) / np.sqrt(people)


@pytest.mark.parametrize(("d_z", "people"), [(0.5, 10), (0.3, 50), (-0.3, 50), (0.0, 20)])
def test_power_to_find_is_how_often_it_is_found(d_z: float, people: int) -> None:
    mean, error = t_of(d_z, people, 0)
    found = np.abs(mean / error) > stats.t.ppf(0.975, people - 1)
    assert power_to_find(d_z, people) == pytest.approx(found.mean(), abs=THREE_ERRORS)


@pytest.mark.parametrize(("d_z", "people"), [(0.1, 100), (0.5, 3), (2.0, 2), (0.01, 100_000)])
def test_power_to_find_is_the_noncentral_t_of_statsmodels(d_z: float, people: int) -> None:
    expected = TTestPower().power(d_z, people, 0.05, alternative="two-sided")
    assert power_to_find(d_z, people) == pytest.approx(expected, abs=2e-4)


@pytest.mark.parametrize(("d_z", "people"), [(0.8, 12), (0.5, 30), (0.3, 90), (0.1, 10)])
def test_power_to_exclude_is_how_often_it_is_excluded(d_z: float, people: int) -> None:
    mean, error = t_of(0.0, people, 1)
    excluded = np.abs(mean) + stats.t.ppf(0.95, people - 1) * error < d_z
    assert power_to_exclude(d_z, people) == pytest.approx(excluded.mean(), abs=THREE_ERRORS)


def test_minimal_effects_are_found_with_the_power_they_were_made_for() -> None:
    for people in (5, 20, 100, 2500):
        assert power_to_find(minimal_effect(people), people) == pytest.approx(0.8, abs=1e-6)
        assert power_to_find(minimal_effect(people, power=0.95), people) == pytest.approx(
            0.95, abs=1e-6
        )
    assert minimal_effect(100) == pytest.approx(0.283, abs=0.001)
    assert minimal_effect(100, sd=0.08) == pytest.approx(0.08 * minimal_effect(100))


@pytest.mark.parametrize("d_z", [0.01, 0.2, 0.8, 3.0])
def test_one_person_fewer_is_too_few(d_z: float) -> None:
    for needed, power in (
        (people_to_find(d_z), power_to_find),
        (people_to_exclude(d_z), power_to_exclude),
    ):
        assert power(d_z, needed) >= 0.8
        assert needed == 2 or power(d_z, needed - 1) < 0.8


def test_numbers_of_textbooks() -> None:
    """Cohen (1988): 34 pairs for d = 0.5; for large n, (z.975 + z.8)² and (z.95 + z.9)² over d²."""
    assert people_to_find(0.5) == 34
    z = stats.norm.ppf
    assert people_to_find(0.01) == pytest.approx((z(0.975) + z(0.8)) ** 2 / 1e-4, rel=1e-3)
    assert people_to_exclude(0.01) == pytest.approx((z(0.95) + z(0.9)) ** 2 / 1e-4, rel=1e-3)


def test_so_many_people_decide_it_either_way() -> None:
    needed = people_to_decide(smallest=0.02, sd=0.05)
    mean, error = t_of(0.0, needed, 2)
    excluded = np.abs(mean) + stats.t.ppf(0.95, needed - 1) * error < 0.4
    mean, error = t_of(0.4, needed, 3)
    found = np.abs(mean / error) > stats.t.ppf(0.975, needed - 1)
    assert min(excluded.mean(), found.mean()) == pytest.approx(0.805, abs=0.012)
    assert max(excluded.mean(), found.mean()) >= 0.8


def test_an_effect_of_nothing_needs_more_people_than_there_are() -> None:
    assert people_to_find(0.0) == people_to_exclude(0.0) == math.inf
    assert people_to_decide(0.0001, 100.0) == math.inf
