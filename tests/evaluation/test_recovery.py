"""How much of a gap is won back: intervals that stay honest where the gap may be zero."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.inference.resampling import Resampling, estimate, mean
from geppetto.evaluation.pairs.recovery import recovery
from invented_gaps import people_of

WILD = st.integers(-64, 64).map(lambda n: n / 16) | st.sampled_from([0.0, 1.0, -1.0])
"""Numbers whose sums are exact, so that what cancels is 0 and not nearly so."""


def fieller(saved: Floats, gap: Floats) -> tuple[float, float, bool]:
    """Roots of Fieller's quadratic, and whether the interval is between them."""
    t = stats.t.ppf(0.975, len(gap) - 1)
    ((v_saved, both), (_, v_gap)) = np.cov(saved, gap) / len(gap) * t**2
    a = gap.mean() ** 2 - v_gap
    roots = np.roots([a, -2 * (saved.mean() * gap.mean() - both), saved.mean() ** 2 - v_saved])
    if np.iscomplex(roots).any():
        return -np.inf, np.inf, True
    return float(min(roots.real)), float(max(roots.real)), bool(a > 0)


@pytest.mark.parametrize(
    ("gap", "part"), [(1.0, 0.3), (1.0, 0.0), (1.0, 1.5), (0.5, -0.4), (-0.8, 0.5), (0.3, 0.2)]
)
def test_the_interval_is_fiellers_where_people_are_normal(gap: float, part: float) -> None:
    saved, lost = people_of(np.random.default_rng(1), 150, gap, part, False, 0.5)
    found = recovery(saved, lost, Resampling.of(150, draws=20_000))
    low, high, between = fieller(saved, lost)
    assert between and found.bounded
    assert found.value == pytest.approx(saved.mean() / lost.mean())
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.03 * (high - low))


def test_an_interval_without_ends_is_fiellers_too() -> None:
    rng = np.random.default_rng(2)
    saved, lost = rng.normal(0.5, 1, 200), rng.normal(0.02, 1, 200)
    found = recovery(saved, lost, Resampling.of(200, draws=20_000))
    low, high, between = fieller(saved, lost)
    assert not between and not found.bounded
    assert (found.low, found.high) == (-np.inf, np.inf)
    assert found.excluded == pytest.approx((low, high), rel=0.1)
    assert found.holds(found.value) and not found.holds(0)
    assert found.sentence.startswith("cannot be told, but not between")
    assert found.sentence.endswith("the gap may be zero")


def test_nothing_is_left_out_where_neither_mean_is_told_from_zero() -> None:
    rng = np.random.default_rng(3)
    both = rng.normal(size=(2, 100))
    saved, lost = both - both.mean(axis=1, keepdims=True) + 0.02
    found = recovery(saved, lost, Resampling.of(100))
    assert found.excluded is None and found.holds(-1e9) and found.holds(0.3)
    assert found.sentence == "cannot be told: the gap may be zero"


@settings(max_examples=150)
@given(
    arrays(float, (2, 12), elements=WILD),
    st.floats(-20, 20) | st.just(0.0),
    st.integers(0, 5),
    st.booleans(),
)
def test_a_part_is_held_if_the_mean_that_it_leaves_may_be_zero(
    both: Floats, part: float, seed: int, clustered: bool
) -> None:
    saved, gap = both
    clusters = np.arange(12) // 2 if clustered else None
    people = Resampling.of(12, draws=200, seed=seed, clusters=clusters)
    found = recovery(saved, gap, people)
    left = estimate(mean, saved - part * gap, people=people)
    if left.low < -1e-9 and left.high > 1e-9:
        assert found.holds(part)
    if found.bounded:
        assert found.gap.excludes_zero()
        assert found.low <= found.high
    elif found.excluded is not None:
        assert found.excluded[0] < found.excluded[1]
    same = recovery(2 * saved, -2 * gap, people)
    assert same.bounded == found.bounded
    if found.bounded:
        assert (same.low, same.high) == pytest.approx((-found.high, -found.low))


def test_everyone_alike_needs_no_interval() -> None:
    lost = np.random.default_rng(6).normal(1, 0.1, 30)
    people = Resampling.of(30)
    third = recovery(lost / 3, lost, people)
    assert (third.low, third.high) == pytest.approx((1 / 3, 1 / 3))
    assert third.sentence == "33% [33%, 33%] of the gap is won back"
    nothing = recovery(0 * lost, lost, people)
    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)
    for saved in (lost, 0 * lost):
        found = recovery(saved, 0 * lost, people)
        assert np.isnan(found.value) and not found.bounded and found.holds(0)


def test_where_post_training_lost_nothing_there_is_nothing_to_win_back() -> None:
    rng = np.random.default_rng(7)
    found = recovery(rng.normal(0.2, 0.1, 50), rng.normal(-1, 0.1, 50), Resampling.of(50))
    assert found.bounded
    assert found.sentence == "nothing to win back: post-training lost nothing"


def test_people_without_a_difference_are_not_dropped_silently() -> None:
    with pytest.raises(ValueError, match="leave the others out"):
        recovery(np.array([1.0, np.nan, 2.0]), np.ones(3), Resampling.of(3))
