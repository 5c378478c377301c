"""How often intervals hold the truth and tests are wrong, in invented studies with known truths.

The same simulations as in the tests, larger: 200 people x 20 items, two kinds of people, persons
alike in their answers. Run: make bench
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from geppetto.evaluation.effects import differences
from geppetto.evaluation.hypotheses import equivalence
from geppetto.evaluation.looks import Looks
from geppetto.evaluation.matching import matching_matrix
from geppetto.evaluation.permutation import permutation_test, sign_flip_p
from geppetto.evaluation.resampling import Resampling, estimate, mean
from invented import tilt_of, two_types

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


def looks(runs: int, rng: np.random.Generator) -> None:
    """Growing a sample from 20 people to 100 by tens, and twenty strategies one after the other.

    Differences of people are normal, so that what a single test does wrong has no part in it.
    """
    sizes = range(20, 101, 10)
    grown = np.empty((runs, len(sizes)))
    for run in range(runs):
        values = rng.normal(size=(100, 1))
        for place, people in enumerate(sizes):
            drawn = Resampling.of(people, draws=200)
            grown[run, place] = sign_flip_p(values[:people], drawn, 1999, seed=run)[0]
    tried = np.empty((runs, 20))
    for run in range(runs):
        tried[run] = sign_flip_p(rng.normal(size=(60, 20)), Resampling.of(60, draws=200), seed=run)
    for what, p in (("growing from 20 to 100 by tens", grown), ("20 strategies in turn", tried)):
        times = np.array([Looks(place + 1).times for place in range(p.shape[1])])
        for how, factor in (("not counted", 1), ("at 5%/k", np.sqrt(times)), ("at 5%/k²", times)):
            aim = "aim below 6.5%" if how == "at 5%/k²" and p is grown else ""
            row(f"false verdicts, {what}, {how}", (p * factor < 0.05).any(1).mean(), runs, aim)


def main() -> None:
    """Print what the simulations find."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    rng = np.random.default_rng(0)
    coverage(runs, rng)
    information(0.0, runs, rng)
    information(0.02, runs, rng)
    looks(runs, rng)


if __name__ == "__main__":
    main()
