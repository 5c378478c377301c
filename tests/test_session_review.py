"""Numbers of sessions that would be wrong without anybody noticing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.changes import changes, slopes
from geppetto.evaluation.contrasts import BENEFIT
from geppetto.evaluation.differences import differences
from geppetto.evaluation.metrics import cell_metrics
from geppetto.evaluation.permutation import sign_flip_p
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.resampling import Resampling, estimate, mean
from geppetto.personas.donors import Likeness, derangements, has_strangers, matched
from geppetto.studies import Participant
from invented_nats import Nats

CLUSTERS = st.lists(st.sampled_from(["x", "y", "z", "w", None]), min_size=1, max_size=30)


@given(CLUSTERS, st.integers(1, 3), st.integers(0, 99))
def test_nobody_of_ones_own_cluster_is_a_stranger(
    clusters: list[str | None], donors: int, seed: int
) -> None:
    """A cluster may be one person's sessions of several days, who all have the same persona."""
    people = {
        f"p{n}": Participant(f"p{n}", {"age": float(n % 3)}, {}, cluster=cluster)
        for n, cluster in enumerate(clusters)
    }
    known = dict.fromkeys(people, frozenset({"age"}))
    of = {name: person.cluster for name, person in people.items()}
    shuffled = derangements(known, donors, seed, of)
    assert bool(shuffled) == has_strangers(list(people), of, donors)
    assert all(len(strangers) == donors for strangers in shuffled.values())
    for drawn in (
        shuffled,
        matched(people, known, Likeness((), {"age": 1.0}), donors, 0, of=people),
    ):
        for name, strangers in drawn.items():
            assert len(set(strangers)) == len(strangers) > 0 and name not in strangers
            assert all(of[name] is None or of[name] != of[one] for one in strangers)
    served = Counter(
        one for chosen in derangements(known, donors, seed, of).values() for one in chosen
    )
    assert set(served.values()) <= {donors}


def test_who_is_in_no_cluster_is_a_stranger_to_everybody() -> None:
    known = dict.fromkeys("abcde", frozenset({"age"}))
    alone = derangements(known, 2, 7)
    assert alone == derangements(known, 2, 7, dict.fromkeys("abcde"))
    assert alone == derangements(known, 2, 7, {name: name for name in "abcde"})
    assert derangements(known, 1, 7, {"a": "x", "b": "x", "c": "x"}) == {}


def test_a_predictable_response_that_is_announced_well_is_not_counted_as_announced_badly() -> None:
    """Otherwise a persona that tells the response would have it flagged."""
    (none, *_) = Nats(people=4, trials=3).predicted(np.random.default_rng(0))
    log_prob = np.full(none.log_prob.shape, np.log(0.99))
    expected = replace(none, log_prob=log_prob, announcing=np.full(log_prob.shape, np.log(0.97)))
    unexpected = replace(expected, announcing=np.full(log_prob.shape, np.log(0.3)))
    assert (cell_metrics(expected)["announced_badly"] == 0).all()
    assert (cell_metrics(unexpected)["announced_badly"] == 1).all()


def cut_short(found: list[Predictions], rng: np.random.Generator) -> None:
    """Leave most people a short session and some a long one, in every condition."""
    lengths = rng.choice([4, 4, 4, 4, 4, 4, 10, 20, 64], len(found[0].pool))
    for one in found:
        for person, length in enumerate(lengths):
            one.log_prob[:, person, length:] = np.nan


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


def test_slopes_are_those_of_least_squares_within_people() -> None:
    found = Nats(people=30, trials=64, donors=2, slope=-0.1).predicted(np.random.default_rng(1))
    cut_short(found, np.random.default_rng(2))
    every = list(slopes(found, "nll_full", np.ones(30), "position"))
    for change in changes(every, Resampling.of(30, draws=200), Analysis(draws=200)):
        if change.differences.contrast == BENEFIT:  # here of the model without a persona, as total
            continue
        worse, better = (
            next(one for one in found if one.condition == condition)
            for condition in change.differences.conditions
        )
        saved = better.log_prob.mean(0) - worse.log_prob.mean(0)
        person, trial = np.nonzero(np.isfinite(saved))
        own = np.eye(30)[person]
        x = np.column_stack([np.log2(trial + 1), own])
        expected = np.linalg.lstsq(x, saved[person, trial], rcond=None)[0][0]
        assert change.nats.value == pytest.approx(expected)


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
