"""Numbers of sessions that would be wrong without anybody noticing."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from geppetto.evaluation.metrics import cell_metrics
from geppetto.personas.donors import derangements, has_strangers, nearest
from geppetto.studies import Participant, Trait
from invented_nats import Nats

AGE = Trait(name="age", label="age", question="How old are you?", demographic=True)
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
    for drawn in (derangements(known, donors, seed, of), nearest(people, known, [AGE], donors, 0)):
        assert bool(drawn) == has_strangers(list(people), of, donors)
        for name, strangers in drawn.items():
            assert len(set(strangers)) == donors and name not in strangers
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
