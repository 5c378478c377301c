"""Slopes and weighted effects of sessions, by simulation."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from geppetto.evaluation.changes import changes, slopes
from geppetto.evaluation.differences import differences
from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.inference.resampling import Resampling, estimate, mean
from geppetto.planning.analysis_config import Analysis
from invented_nats import Nats, cut_short


@pytest.mark.parametrize("persona", [0.0, 0.1])
def test_no_slope_is_found_where_few_sessions_are_long(persona: float) -> None:
    """Few people tell most of a slope, and a stranger's persona may fade for whoever reads it."""
    world, people = Nats(people=30, trials=64, donors=5), Resampling.of(30, draws=300)
    doublings = np.log2(np.arange(1, 65))
    rng, runs, hits = np.random.default_rng(5), 80, Counter[str]()
    for _ in range(runs):
        found = world.predicted(rng)
        fading = rng.normal(0, persona, 30)[:, None] * doublings
        for one in found[1:]:
            one.log_prob[:] -= fading[one.donors]
        cut_short(found, rng)
        every = slopes(found, "nll_full", np.ones(30), "position")
        for change in changes(list(every), people, Analysis(draws=300)):
            name = change.differences.contrast.name
            hits[f"{name} held"] += change.nats.low <= 0 <= change.nats.high
            hits[f"{name} found"] += change.p < 0.05
    for name in ("format", "information"):
        assert hits[f"{name} held"] / runs > 0.9, (name, hits)
        assert hits[f"{name} found"] / runs < 0.11, (name, hits)


def test_nothing_is_found_where_weighted_people_differ_in_what_their_personas_cost() -> None:
    """A persona counts as much as those who are shown it, and not as much as its owner."""
    world, runs = Nats(people=60, donors=5, persona=0.5), 150
    rng, held, found = np.random.default_rng(3), 0, 0
    for _ in range(runs):
        weights = np.exp(rng.normal(0, 0.7, 60))
        people = Resampling.of(60, base=weights, draws=300)
        (one,) = (
            one
            for one in differences(world.predicted(rng), "nll_full", weights=weights)
            if one.contrast.name == "information"
        )
        nats = estimate(mean, one.influence, people=people)
        held += nats.low <= 0 <= nats.high
        found += sign_flip_p(one.influence[:, None], people, permutations=299)[0] < 0.05
    assert held / runs > 0.9 and found / runs < 0.1, (held, found)
