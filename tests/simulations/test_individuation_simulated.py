"""Intervals of residual correlations, by simulation."""

from __future__ import annotations

import numpy as np

from geppetto.evaluation.individuation.statistics import residual_correlation
from geppetto.evaluation.inference.resampling import Resampling


def test_intervals_cover_the_residual_correlation() -> None:
    """Person and item effects in both, r = 0.5 in what is left."""
    rng = np.random.default_rng(11)
    covered = []
    for seed in range(200):
        person, item = rng.normal(size=(80, 1)), rng.normal(size=(1, 8))
        shared = rng.normal(size=(80, 8))
        e = person + item + shared + rng.normal(size=(80, 8))
        y = person - item + shared + rng.normal(size=(80, 8))
        people = Resampling.of(80, draws=300, seed=seed)
        (weights,) = people.weights()
        low, high = np.quantile(residual_correlation(weights, e, y), [0.025, 0.975])
        covered.append(low <= 0.5 <= high)
    assert 0.90 <= np.mean(covered) <= 0.99
