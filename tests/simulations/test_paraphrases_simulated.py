"""Intervals over wordings, by simulation."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimates, mean
from geppetto.evaluation.inference.wordings import OverWordings, over_wordings


def coverage(
    wordings: int, ratio: float, taken: float, runs: int = 2000, people: int = 100
) -> dict[str, float]:
    """How often 95% intervals hold the mean over all people and wordings.

    People's differences have the variance 1, how a person takes a wording `taken`, and wordings
    `ratio` times as much variance in their mean as people in these wordings give it.
    """
    rng = np.random.default_rng(round(1000 * wordings + 100 * ratio + 10 * taken))
    in_these = (1 + taken / wordings) / people
    values = rng.normal(size=(people, 1, runs)) + np.sqrt(taken) * rng.normal(
        size=(people, wordings, runs)
    )
    values += rng.normal(0, np.sqrt(ratio * in_these * wordings), (1, wordings, runs))
    drawn = Resampling.of(people, draws=500)
    naive = estimates(mean, values.mean(axis=1), people=drawn)
    hits = Counter[str]()
    for run, alone in enumerate(naive):
        over = over_wordings(values[..., run], drawn)
        honest = over.interval(alone)
        normal = 1.96 * np.sqrt(over.in_these + over.of_wordings)
        hits["naive"] += alone.low <= 0 <= alone.high
        hits["honest"] += honest.low <= 0 <= honest.high
        hits["normal"] += abs(over.value) <= normal
    return {name: count / runs for name, count in hits.items()}


@pytest.mark.parametrize("wordings", [3, 5])
def test_intervals_hold_the_mean_over_the_population_of_wordings(wordings: int) -> None:
    """They cover 94.5 to 97.5%; the bounds leave room for 2,000 runs."""
    for taken in (0.0, 1.0):
        for ratio in (0.0, 0.5, 2.0, 25.0):
            found = coverage(wordings, ratio, taken)
            assert 0.935 <= found["honest"] <= 0.985, (taken, ratio, found)
            if ratio >= 1:
                assert found["naive"] < 0.86, (taken, ratio, found)
        assert found["normal"] < 0.92, found  # wordings matter most


def test_two_wordings_still_cover_though_by_wide_intervals() -> None:
    for ratio in (0.0, 1.0, 25.0):
        assert 0.93 <= coverage(2, ratio, 0.25)["honest"] <= 0.985
    over = OverWordings(np.array([0.1, 0.2]), 1e-4, 1e-4, 99)
    found = over.interval(Estimate(0.15, 0.13, 0.17))
    assert found.high - found.low > 1
