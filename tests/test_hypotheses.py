"""Equivalence tests against the definition and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from geppetto.evaluation.hypotheses import equivalence, holm
from geppetto.evaluation.resampling import Resampling


@pytest.mark.parametrize("shift", [-0.3, -0.1, 0.0, 0.15, 0.4])
def test_it_is_two_one_sided_t_tests(shift: float) -> None:
    values = np.random.default_rng(0).normal(shift, 1, 40)
    above = stats.ttest_1samp(values, -0.25, alternative="greater").pvalue
    below = stats.ttest_1samp(values, 0.25, alternative="less").pvalue
    found = equivalence(np.append(values, np.nan), 0.25, Resampling.of(41))
    assert found == pytest.approx(max(above, below))


def test_clusters_and_weights_enter_the_standard_error() -> None:
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(12), [2, 3, 4] * 4)
    weights = rng.uniform(0.5, 2, clusters.size)
    values = 0.05 + rng.normal(0, 0.3, 12)[clusters] + rng.normal(0, 0.3, clusters.size)
    mean = np.average(values, weights=weights)
    of_cluster = np.bincount(clusters, weights * (values - mean))
    error = np.sqrt((of_cluster**2).sum() * 12 / 11) / weights.sum()
    found = equivalence(values, 0.4, Resampling.of(clusters.size, base=weights, clusters=clusters))
    assert found == pytest.approx(stats.t.sf((0.4 - abs(mean)) / error, 11))
    assert found > 2 * equivalence(values, 0.4, Resampling.of(clusters.size, base=weights))


def rejected(mean: float, size: int, cluster_spread: float, seed: int) -> float:
    """How often 60 people, in pairs, are found to differ from 0 by less than 0.5."""
    rng = np.random.default_rng(seed)
    pairs = np.arange(60) // size
    people = Resampling.of(60, clusters=pairs)
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


def test_no_effect_is_mostly_called_none() -> None:
    assert rejected(0.0, 1, 0.0, seed=3) > 0.95


def test_equal_differences_decide_and_a_bound_is_positive() -> None:
    people = Resampling.of(5)
    assert equivalence(np.full(5, 0.25), 0.5, people) < 1e-12
    assert equivalence(np.full(5, 0.75), 0.5, people) > 1 - 1e-12
    with pytest.raises(ValueError, match="must be positive"):
        equivalence(np.zeros(5), 0.0, people)


def test_p_values_are_corrected_as_statsmodels_corrects_them() -> None:
    rng = np.random.default_rng(4)
    for p in (rng.random(1), rng.random(7) ** 3, np.repeat(rng.random(4) / 4, 2)):
        assert holm(p).tolist() == multipletests(p, method="holm")[1].tolist()
