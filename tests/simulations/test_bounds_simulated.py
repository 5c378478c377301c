"""Intervals of bounds, by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.bounds.bounds import bounds
from geppetto.evaluation.bounds.conditions import Change, Limits
from geppetto.evaluation.differences import differences
from geppetto.evaluation.effects import effects
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.predictions import Predictions
from geppetto.planning.analysis_config import Analysis
from invented import circle, predicted, responses

ANALYSIS = Analysis(draws=400)


def costing(arm: str, costs: Floats, donors: Integers | None = None) -> Predictions:
    """An arm whose answers cost this, shape (draws, people, items)."""
    people, items = costs.shape[1:]
    given = responses(np.zeros((people, items), int))
    like = predicted(given, arm, np.full((people, items, 2), 0.5), donors)
    return replace(like, log_prob=-costs)


def change(arm: Predictions, known: Predictions) -> list[Change]:
    """How far what an arm costs each person is from what it was found to, in its one wording."""
    return [Change((known.log_prob - arm.log_prob).mean(axis=2), arm.donors)]


def covered(
    worse: tuple[Predictions, Predictions], better: tuple[Predictions, Predictions], truth: Floats
) -> bool:
    """Whether the interval of a contrast's bounds holds what it could be of all people."""
    exact = [replace(arms[0], log_prob=arms[0].nll * -1) for arms in (worse, better)]
    pairs = list(zip((worse, better), exact, strict=True))
    people = Resampling.of(len(exact[0].pool), draws=400)
    effect = next(e for e in effects(differences(exact), people) if e.contrast.name != "benefit")
    least, most = (
        {arms[end].condition: change(arms[end], one) for arms, one in pairs} for end in (0, 1)
    )
    found = bounds(effect, Limits((least, most), None, {}, people), ANALYSIS)
    return bool(found.lowest.low <= truth[0] and found.highest.high >= truth[1])


def test_the_interval_holds_all_that_the_effect_could_be_with_its_probability() -> None:
    rng, held = np.random.default_rng(3), 0
    for _ in range(300):
        cost = rng.normal(1.0, 0.3, (1, 60, 4)) + rng.normal(0, 0.3, (1, 60, 1))
        own = cost - 0.2 + rng.normal(0, 0.3, cost.shape)
        unknown = rng.random(cost.shape) < 0.2
        ends = own - 0.5 * unknown, own + 1.5 * unknown
        none = costing("none", cost), costing("none", cost)
        personas = costing("own", ends[0]), costing("own", ends[1])
        held += covered(none, personas, np.array([0.2 - 0.3, 0.2 + 0.1]))
    assert 0.92 <= held / 300 <= 0.99


def test_personas_that_several_people_are_shown_widen_the_interval() -> None:
    rng, held = np.random.default_rng(4), 0
    for _ in range(200):
        donors = circle(60, (1, 7, 11, 23), rng)
        quality = rng.normal(0, 0.5, 60)
        cost = 1.0 + quality[donors][..., None] + rng.normal(0, 0.3, (4, 60, 3))
        shuffled = costing("shuffled", cost, donors), costing("shuffled", cost + 0.01, donors)
        nobody = np.full((1, 60, 3), 1.0)
        none = costing("none", nobody), costing("none", nobody)
        held += covered(none, shuffled, np.array([-0.01, 0.0]))
    assert held / 200 >= 0.90
