"""Numbers of sessions that would be wrong without anybody noticing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geppetto.evaluation.changes import changes, slopes
from geppetto.evaluation.contrasts import BENEFIT
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.metrics import cell_metrics
from geppetto.personas.donors import Likeness, derangements, has_strangers, matched
from geppetto.planning.analysis_config import Analysis
from geppetto.studies import Participant
from invented_nats import Nats, cut_short

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
