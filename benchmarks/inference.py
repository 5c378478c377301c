"""How often intervals hold the truth and tests are wrong, in invented studies with known truths.

The same simulations as in the tests, larger: 200 people x 20 items, two kinds of people, persons
alike in their answers. Run: make bench
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from geppetto.evaluation.asked import asked_quality
from geppetto.evaluation.effects import differences, influence
from geppetto.evaluation.hypotheses import equivalence
from geppetto.evaluation.matching import matching_matrix
from geppetto.evaluation.permutation import permutation_test, sign_flip_p
from geppetto.evaluation.resampling import Resampling, estimate, mean
from geppetto.personas.arms import SESSION_DONORS
from invented import circle, predicted, responses, tilt_of, two_types
from test_matching import unequal
from test_samples_unbiased import sampled

PEOPLE, ITEMS = 200, 20


def row(what: str, value: float, runs: int, aim: str) -> None:
    """A line with a share and its simulation error."""
    error = np.sqrt(max(value * (1 - value), 1e-9) / runs)
    print(f"{what:68} {value:7.2%} ± {error:.2%}   {aim}")


def coverage(runs: int, rng: np.random.Generator) -> None:
    """Intervals of a mean of answers that are alike within people (ICC 0.5)."""
    held = {"percentile": 0, "bca": 0, "over answers": 0}
    for run in range(runs):
        cells = rng.normal(size=(PEOPLE, 1)) + rng.normal(size=(PEOPLE, ITEMS))
        people = Resampling.of(PEOPLE, draws=1000, seed=run)
        for method in ("percentile", "bca"):
            found = estimate(mean, cells.mean(1), people=people, method=method)
            held[method] += found.low <= 0 <= found.high
        held["over answers"] += abs(cells.mean()) <= 1.96 * cells.std(ddof=1) / np.sqrt(cells.size)
    for method, count in held.items():
        aim = "aim 93-97%" if method != "over answers" else "what counting answers would do"
        row(f"intervals that hold the truth, person ICC 0.5, {method}", count / runs, runs, aim)


def information(planted: float, runs: int, rng: np.random.Generator) -> None:
    """Interval, permutation test and equivalence test of information, and its bias."""
    tilt = tilt_of(planted, PEOPLE) if planted else 1e-9
    values, held, rejected, equivalent = [], 0, 0, 0
    for run in range(runs):
        found = two_types(rng, PEOPLE, ITEMS, tilt, own_tilt=0.1)
        if not planted:
            found = two_types(rng, PEOPLE, ITEMS, 0.07, own_tilt=0.1, told=False)
        (effect,) = (d for d in differences(found) if d.contrast.name == "information")
        people = Resampling.of(PEOPLE, draws=1000, seed=run)
        nats = estimate(mean, effect.influence, people=people)
        values.append(nats.value)
        held += nats.low <= planted <= nats.high
        strangers, own = found[1:]
        rejected += (
            permutation_test(matching_matrix(own), 999, run, donors=strangers.donors).p <= 0.05
        )
        equivalent += equivalence(effect.influence, 0.02, people) <= 0.05
    spread = np.std(values, ddof=1) / np.sqrt(runs)
    print(f"information of {planted:g} nats beside a format effect")
    print(f"{'  mean estimate':68} {np.mean(values):+.5f} ± {spread:.5f}")
    row("  intervals that hold it", held / runs, runs, "aim 93-97%")
    aim = "power" if planted else "aim 3.5-6.5%"
    row("  permutation tests that reject", rejected / runs, runs, aim)
    aim = "size, aim below 6.5%" if planted else "power"
    row("  equivalence tests within 0.02 nats", equivalent / runs, runs, aim)


# What is told of sessions, samples and unequal items


def sessions(runs: int, rng: np.random.Generator) -> None:
    """How much wider intervals of information are than they should be, by how many strangers."""
    for people in (30, 60, 100, 200):
        for strangers in (1, 2, 3, SESSION_DONORS, 5):
            found = []
            for _ in range(runs):
                persona, person = rng.normal(0, 0.3, (2, people))
                distances = rng.choice(np.arange(1, people), strangers, replace=False)
                donors = circle(people, tuple(distances), rng)
                shuffled = person + persona[donors] + rng.normal(0, 0.12, donors.shape)
                own = person + persona + rng.normal(0, 0.12, people)
                each = influence(shuffled, donors, asked_quality(shuffled, donors)) - own
                value = (shuffled.mean(0) - own).mean()
                found.append((value, each.std(ddof=1) / np.sqrt(people)))
            values, errors = np.array(found).T
            ratio = np.sqrt(np.mean(errors**2)) / values.std()
            held = np.mean(np.abs(values) <= stats.t.ppf(0.975, people - 1) * errors)
            what = f"sessions of {people}, {strangers} strangers: claimed/true SE {ratio:.2f}"
            row(what, held, runs, "interval holds the truth, aim 93-99%")


def samples(runs: int, rng: np.random.Generator, people: int = 40) -> None:
    """Identical personas, three samples an answer: tests of information by the Brier score."""
    whole = Resampling.of(people, draws=5)
    for strangers in (1, 3, 9):
        rejected = 0
        for _ in range(runs):
            base = rng.dirichlet(np.full(4, 0.5), 6).clip(1e-9)
            base /= base.sum(-1, keepdims=True)
            position = (base.cumsum(-1) < rng.random((people, 6, 1))).sum(-1).clip(0, 3)
            distances = rng.choice(np.arange(1, people), strangers, replace=False)
            donors = circle(people, tuple(distances), rng)
            given, same = responses(position, 4), np.tile(base, (people, 1, 1))
            arms = predicted(given, "shuffled", same, donors), predicted(given, "own", same)
            (one,) = differences([sampled(arm, 3, rng) for arm in arms], "brier")
            rejected += sign_flip_p(one.influence[:, None], whole, permutations=999)[0] <= 0.05
        row(f"samples, {strangers} strangers, nothing to tell", rejected / runs, runs, "3.5-6.5%")


def unequal_items(runs: int, rng: np.random.Generator) -> None:
    """Heavy-tailed personas that match nobody, of people who skip items, also for what they are."""
    for people in (40, 100):
        rejected = 0
        for _ in range(runs):
            (one,) = differences(unequal(rng, people))
            drawn = Resampling.of(len(one.rows), draws=5)
            rejected += sign_flip_p(one.influence[:, None], drawn, permutations=999)[0] <= 0.05
        row(f"unequal items, {people} people, nothing to tell", rejected / runs, runs, "3.5-6.5%")


def main() -> None:
    """Print what the simulations find."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    rng = np.random.default_rng(0)
    coverage(runs, rng)
    information(0.0, runs, rng)
    information(0.02, runs, rng)
    sessions(runs, rng)
    samples(runs, rng)
    unequal_items(runs, rng)


if __name__ == "__main__":
    main()
