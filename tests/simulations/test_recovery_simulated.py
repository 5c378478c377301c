"""Intervals of how much of a gap is won back, by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.pairs.recovery import recovery
from invented_gaps import people_of


@pytest.mark.parametrize("drawn", ["people", "groups", "weighted", "studies"])
@pytest.mark.parametrize(
    ("gap", "part", "skewed", "together"),
    [(0.0, 0.3, False, 0.5), (0.06, 0.3, False, -0.9), (0.06, 2.0, True, 0.9), (0.5, 0.3, True, 0)],
)
def test_the_interval_holds_the_truth_whatever_the_gap(
    drawn: str, gap: float, part: float, skewed: bool, together: float
) -> None:
    rng, runs, number = np.random.default_rng(4), 250, 96
    held = 0
    for seed in range(runs):
        saved, lost = people_of(rng, number, gap, part, skewed, together)
        people = Resampling.of(number, draws=400, seed=seed)
        if drawn in ("groups", "studies"):
            above = np.arange(number) // (3 if drawn == "groups" else 8)
            more, lost_more = people_of(rng, above.max() + 1, 0, 0, skewed, together)
            saved, lost = saved + more[above], lost + lost_more[above]
            people = (
                Resampling.of(number, clusters=above, draws=400, seed=seed)
                if drawn == "groups"
                else Resampling.of(number, studies=above, draws=400, seed=seed)
            )
        elif drawn == "weighted":
            people = replace(people, base=rng.choice([1.0, 3.0], number))
        held += recovery(saved, lost, people).holds(part)
    assert 0.89 <= held / runs <= 0.99


def test_without_a_gap_it_is_said_that_nothing_can_be_told_nearly_always() -> None:
    rng = np.random.default_rng(5)
    told = 0
    for seed in range(300):
        saved, lost = rng.normal(0.5, 0.2, 60), rng.normal(0, 0.3, 60)
        told += recovery(saved, lost, Resampling.of(60, draws=400, seed=seed)).bounded
    assert told / 300 <= 0.09


def test_parts_that_are_infinite_are_held_too() -> None:
    lost = np.zeros(30)
    lost[0] = 1
    found = recovery(np.ones(30), lost, Resampling.of(30))
    assert (found.low, found.high) == (pytest.approx(30 / 5, rel=0.5), np.inf)
    assert not found.bounded and found.excluded is None
    assert found.sentence.startswith(f"cannot be told, but at least {found.low:.0%}: ")
    mirrored = recovery(-np.ones(30), lost, Resampling.of(30))
    assert (mirrored.low, mirrored.high) == (-np.inf, -found.low)
    assert mirrored.sentence.startswith(f"cannot be told, but at most {-found.low:.0%}: ")
    saved = recovery(lost, np.ones(30), Resampling.of(30))
    assert saved.low == 0 and saved.high == pytest.approx(1 / found.low)
