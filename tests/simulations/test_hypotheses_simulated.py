"""Errors of equivalence tests, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.inference.resampling import Resampling, estimate, mean
from geppetto.evaluation.inference.sample_size import basis
from geppetto.evaluation.inference.studentised import studentised


def equivalence(values: Floats, smallest: float, people: Resampling) -> float:
    (found,) = studentised(values, people)
    return found.p_within(smallest)


def rejected(mean: float, size: int, cluster_spread: float, seed: int) -> float:
    """How often 60 people, in pairs, are found to differ from 0 by less than 0.5."""
    rng = np.random.default_rng(seed)
    pairs = np.arange(60) // size
    people = Resampling.of(60, clusters=pairs, draws=1000)
    found = [
        equivalence(
            mean + rng.normal(0, cluster_spread, 60)[pairs] + rng.normal(0, 1, 60), 0.5, people
        )
        < 0.05
        for _ in range(2000)
    ]
    return float(np.mean(found))


@pytest.mark.parametrize(("size", "cluster_spread"), [(1, 0.0), (2, 0.7)])
def test_an_effect_of_the_smallest_interesting_size_is_rarely_called_none(
    size: int, cluster_spread: float
) -> None:
    assert 0.035 <= rejected(0.5, size, cluster_spread, seed=2) <= 0.065


def lognormal(rng: np.random.Generator, n: int, sign: float) -> Floats:
    return sign * (rng.lognormal(0, 1.5, n) - np.exp(1.125))


def rare(rng: np.random.Generator, n: int, share: float, size: float, sd: float) -> Floats:
    """Who is of a rare kind has `size`, others what makes the mean 0."""
    kind = rng.random(n) < share
    return np.where(kind, size, -size * share / (1 - share) + rng.normal(0, sd, n))


HARD = {
    "lognormal, 20": (20, lambda rng: lognormal(rng, 20, 1)),
    "lognormal, 100": (100, lambda rng: lognormal(rng, 100, 1)),
    "lognormal, 200": (200, lambda rng: lognormal(rng, 200, 1)),
    "minus lognormal, 200": (200, lambda rng: lognormal(rng, 200, -1)),
    "2% gain, 50": (50, lambda rng: rare(rng, 50, 0.02, 0.25, 1e-4)),
    "2% gain, 150": (150, lambda rng: rare(rng, 150, 0.02, 0.25, 1e-4)),
    "5% lose 20, 60": (60, lambda rng: rare(rng, 60, 0.05, -20, 0.1)),
    "5% lose 20, 150": (150, lambda rng: rare(rng, 150, 0.05, -20, 1.0)),
    "skewness 2.5, 30": (30, lambda rng: rng.gamma(0.64, size=30) - 0.64),
    "skewness 2.5, 150": (150, lambda rng: rng.gamma(0.64, size=150) - 0.64),
}
"""Populations with a mean of 0 whose samples mislead."""


@pytest.mark.parametrize("name", HARD)
def test_what_skew_and_rare_people_would_make_wrong_is_withheld_or_rarely_wrong(name: str) -> None:
    people, draw = HARD[name]
    rng = np.random.default_rng(5)
    drawn = Resampling.of(people, draws=500)
    runs, wrong, equivalent = 400, 0, 0
    for _ in range(runs):
        values = draw(rng)
        of = basis(values, drawn)
        if not of.too_few:
            differs = estimate(mean, values, people=drawn, method="studentised").excludes_zero()
            wrong += differs and sign_flip_p(values[:, None], drawn, 499)[0] < 0.05
        if not of.too_few_for_equivalence:  # the mean is the bound: of 40, or of the rare gain
            bound = 0.25 * 0.02 / 0.98 if name.startswith("2%") else 40.0
            equivalent += equivalence(values + bound, bound, drawn) < 0.05
    error = 2 * np.sqrt(0.06 * 0.94 / runs)
    assert wrong / runs < 0.07 + error
    assert equivalent / runs < 0.065 + error


def test_moderate_skew_and_a_clear_effect_get_their_verdict() -> None:
    rng = np.random.default_rng(6)
    people = Resampling.of(100, draws=500)
    found = []
    for _ in range(200):
        values = rng.gamma(0.64, size=100) - 0.64 + 0.6 * 0.8  # d_z .6
        shown = estimate(mean, values, people=people, method="studentised").excludes_zero()
        found.append(shown and not basis(values, people).too_few)
    assert np.mean(found) > 0.85


def test_no_effect_is_mostly_called_none() -> None:
    assert rejected(0.0, 1, 0.0, seed=3) > 0.95
