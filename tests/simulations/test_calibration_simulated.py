"""Intervals after calibration, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from geppetto.evaluation.calibration.reliability import (
    temperature_contributions,
    temperature_scaled,
)
from invented_confidence import arm, drawn, responses_of


def test_intervals_after_calibration_vary_as_the_temperature_does() -> None:
    """Of arms that share a temperature but not their sharpness, the difference hangs on it."""
    rng = np.random.default_rng(8)
    people, items, runs = 100, 10, 300
    truths, fixed, free = [], [], []
    for _ in range(runs):
        logits = rng.normal(size=(people, items, 3))
        position = drawn(rng, logits)
        responses = responses_of(position, [3] * items)
        unsure = arm(0.5 * logits[None], responses, "none")
        sure = arm(6.0 * logits[None], responses, "own")
        scaled, temperatures = temperature_scaled([unsure, sure])
        persons = [p.nll[0].mean(axis=1) for p in scaled]
        added = temperature_contributions([unsure, sure], temperatures["m"])
        difference = persons[0] - persons[1]
        moved = added[unsure.condition] - added[sure.condition]
        assert abs(moved.sum()) < 0.05 * np.abs(moved).sum() + 1e-9
        truths.append(difference.mean())
        fixed.append(difference.std(ddof=1) / np.sqrt(people))
        free.append((difference + moved).std(ddof=1) / np.sqrt(people))
    spread = np.std(truths, ddof=1)
    assert np.mean(free) == pytest.approx(spread, rel=0.1)
    assert abs(np.mean(fixed) - spread) > 1.5 * abs(np.mean(free) - spread)
