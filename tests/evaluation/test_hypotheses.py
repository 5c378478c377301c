"""Equivalence tests against the definition and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.multitest import multipletests

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.inference.infer import holm
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.inference.sample_size import basis
from geppetto.evaluation.inference.studentised import studentised


def equivalence(values: Floats, smallest: float, people: Resampling) -> float:
    (found,) = studentised(values, people)
    return found.p_within(smallest)


@pytest.mark.parametrize("shift", [-0.3, -0.1, 0.0, 0.15, 0.4])
def test_of_normal_differences_it_is_two_one_sided_t_tests(shift: float) -> None:
    values = np.random.default_rng(0).normal(shift, 1, 60)
    above = stats.ttest_1samp(values, -0.25, alternative="greater").pvalue
    below = stats.ttest_1samp(values, 0.25, alternative="less").pvalue
    found = equivalence(np.append(values, np.nan), 0.25, Resampling.of(61, draws=20_000))
    assert found == pytest.approx(max(above, below), abs=0.02)


def test_clusters_and_weights_enter_the_standard_error() -> None:
    rng = np.random.default_rng(1)
    clusters = np.repeat(np.arange(12), [2, 3, 4] * 4)
    weights = rng.uniform(0.5, 2, clusters.size)
    values = 0.05 + rng.normal(0, 0.3, 12)[clusters] + rng.normal(0, 0.3, clusters.size)
    people = Resampling.of(clusters.size, base=weights, clusters=clusters)
    fit = WLS(values, np.ones(clusters.size), weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True
    )
    (found,) = studentised(values, people)
    assert (found.value, found.error) == pytest.approx((fit.params[0], fit.bse[0]))
    alone = Resampling.of(clusters.size, base=weights)
    assert equivalence(values, 0.4, people) > 2 * equivalence(values, 0.4, alone)


def test_draws_are_studentised_by_their_own_groups() -> None:
    rng = np.random.default_rng(2)
    clusters = np.sort(rng.integers(9, size=40))
    base, values = rng.uniform(0.5, 2, 40), rng.exponential(size=40)
    people = Resampling.of(40, base=base, clusters=clusters, draws=5)
    (found,) = studentised(values, people)
    expected = []
    for counts in np.concatenate(list(people.counts())):
        rows = [
            row
            for group, n in enumerate(counts)
            for row in [np.flatnonzero(clusters == group)] * int(n)
        ]
        drawn = np.concatenate(rows)
        groups = np.repeat(np.arange(9), [len(row) for row in rows])
        (again,) = studentised(
            values[drawn], Resampling.of(len(drawn), base=base[drawn], clusters=groups)
        )
        expected.append((again.value - found.value) / again.error)
    assert found.t == pytest.approx(sorted(expected))


def test_leaving_out_anyone_is_what_it_says() -> None:
    rng = np.random.default_rng(3)
    values = np.append(rng.normal(0.1, 0.3, 79), 8.0)
    people = Resampling.of(80, draws=400)
    (found,) = studentised(values, people)
    means, errors = found._without_each
    for out in (0, 7, 79):
        (left,) = studentised(np.delete(values, out), Resampling.of(79))
        assert (means[out], errors[out]) == pytest.approx((left.value, left.error))
    of = basis(values, people)
    assert of.largest_share == pytest.approx(8 / np.abs(values).sum())
    assert found.skewness == pytest.approx(stats.skew(values)) and of.skewness > 7
    low, _ = found.ends(0.05)
    assert (low > 0) and of.of_difference == 0  # without the one who is far away it is clearer
    (clear,) = studentised(values - np.linspace(0.1, 0.2, 80), people)
    assert clear.ends(0.05)[0] < 0 and len(clear.resting(0.05)) > 0


def test_few_large_groups_are_what_they_are_worth() -> None:
    sizes = np.array([300, 100] + [5] * 18)
    people = Resampling.of(sizes.sum(), clusters=np.repeat(np.arange(20), sizes))
    assert people.units == pytest.approx(490**2 / (300**2 + 100**2 + 18 * 25))
    assert basis(np.arange(490.0), people).too_few == (
        "2 groups of people are too few, 20 are needed"
    )


def test_equal_differences_decide_and_a_bound_is_positive() -> None:
    people = Resampling.of(5)
    assert equivalence(np.full(5, 0.25), 0.5, people) == 0
    assert equivalence(np.full(5, 0.75), 0.5, people) == 1
    with pytest.raises(ValueError, match="must be positive"):
        equivalence(np.zeros(5), 0.0, people)


def test_p_values_are_corrected_as_statsmodels_corrects_them() -> None:
    rng = np.random.default_rng(4)
    for p in (rng.random(1), rng.random(7) ** 3, np.repeat(rng.random(4) / 4, 2)):
        assert holm(p).tolist() == multipletests(p, method="holm")[1].tolist()
