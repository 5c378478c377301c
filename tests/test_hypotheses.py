"""Equivalence tests against the definition and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import WLS
from statsmodels.stats.multitest import multipletests

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.enough import basis
from geppetto.evaluation.hypotheses import equivalence, holm
from geppetto.evaluation.permutation import sign_flip_p
from geppetto.evaluation.resampling import Resampling, estimate, mean
from geppetto.evaluation.studentised import studentised


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


def test_few_large_groups_are_what_they_are_worth() -> None:
    sizes = np.array([300, 100] + [5] * 18)
    people = Resampling.of(sizes.sum(), clusters=np.repeat(np.arange(20), sizes))
    assert people.units == pytest.approx(490**2 / (300**2 + 100**2 + 18 * 25))
    assert basis(np.arange(490.0), people).too_few == (
        "2 groups of people are too few, 20 are needed"
    )


def test_no_effect_is_mostly_called_none() -> None:
    assert rejected(0.0, 1, 0.0, seed=3) > 0.95


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
