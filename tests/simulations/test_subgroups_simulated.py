"""Effects among some people, by simulation."""

from __future__ import annotations

import numpy as np

from geppetto.evaluation.inference.interaction import interactions
from geppetto.evaluation.inference.resampling import Resampling, estimate, mean
from invented_groups import by_contrast, changed, unlike


def test_random_halves_and_groups_with_other_personas_have_honest_intervals() -> None:
    """Counting only whom halves were shown made 43% of them significant."""
    rng, runs, people = np.random.default_rng(2), 200, 90
    held = {"half": 0, "men": 0, "women": 0}
    differ = 0
    for run in range(runs):
        found = unlike(rng, people, gap=0.2)
        half = np.sort(rng.permutation(people)[: people // 2])
        groups = {"half": half, "men": np.arange(30), "women": np.arange(30, 90)}
        everybody = Resampling.of(people, draws=400, seed=run)
        for name, rows in groups.items():
            one = by_contrast(found, rows)["information"]
            held[name] += not estimate(
                mean, one.influence, people=everybody.among(rows)
            ).excludes_zero()
        whole = by_contrast(found)["information"]
        (change,) = interactions([whole], {k: groups[k] for k in ("men", "women")}, everybody)
        differ += change.p < 0.05
    assert all(0.89 <= count / runs <= 0.99 for count in held.values()), held
    assert 0.005 <= differ / runs <= 0.10


def test_a_small_group_without_those_who_are_rare_does_not_differ() -> None:
    """By t-tests it does in 21% of samples, and among four groups in 0.3%."""
    rng, runs = np.random.default_rng(6), 100
    two = {"a": np.arange(15), "b": np.arange(15, 100)}
    four = dict(zip("abcd", np.split(np.arange(100), [10, 20, 60]), strict=True))
    differ = np.zeros(2)
    for _ in range(runs):
        values = np.where(rng.random(100) < 0.05, -20.0, 0.0) + rng.normal(1, 0.3, 100)
        differ += [changed(values, groups)[0].p < 0.05 for groups in (two, four)]
    assert (differ / runs <= 0.1).all() and (differ / runs >= 0.01).all()
