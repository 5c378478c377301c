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

from geppetto.evaluation.best_of import folds_of
from geppetto.evaluation.effects import differences
from geppetto.evaluation.hypotheses import equivalence
from geppetto.evaluation.matching import matching_matrix
from geppetto.evaluation.mixed_model import mixed_model
from geppetto.evaluation.permutation import permutation_test
from geppetto.evaluation.resampling import Resampling, estimate, mean
from geppetto.evaluation.skill import saved_part
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


# Rivals that are chosen, and other items.


def skill_of_equal_rivals(runs: int, rng: np.random.Generator) -> None:
    """Half of what four equal and independent rivals save, 100 people."""
    shares, held, folds = [], 0, folds_of(np.arange(100))
    for run in range(runs):
        none = np.full(100, 2.0)
        own = none - 0.05 + rng.normal(0, 0.15, 100)
        rivals = none[:, None] - 0.1 + rng.normal(0, 0.15, (100, 4))
        people = Resampling.of(100, draws=500, seed=run)
        share = estimate(saved_part, none, own, rivals, folds, people=people)
        shares.append(share.value)
        held += share.low <= 0.5 <= share.high
    row("skill, true 50%: median", float(np.median(shares)), runs, "48-52%")
    row("skill: 95% interval", held / runs, runs, "93-97%")


def other_items(items: int, runs: int, rng: np.random.Generator) -> None:
    """Intervals of the mixed model where people, items and cells have lognormal effects."""
    held = 0
    person, item = np.divmod(np.arange(100 * items), items)
    for _ in range(runs):
        of_people, of_items, rest = (rng.lognormal(size=n) for n in (100, items, 100 * items))
        cells = 0.05 * of_people[person] + 0.05 * of_items[item] + 0.3 * rest
        mean_of_all = (0.05 + 0.05 + 0.3) * np.exp(0.5)
        found = mixed_model(cells, {"people": person, "items": item}).mean
        held += found.low <= mean_of_all <= found.high
    row(f"mixed model over {items} skewed items: 95% interval", held / runs, runs, "93-97%")


def main() -> None:
    """Print what the simulations find."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    runs = parser.parse_args().runs
    rng = np.random.default_rng(0)
    coverage(runs, rng)
    information(0.0, runs, rng)
    information(0.02, runs, rng)
    skill_of_equal_rivals(runs, rng)
    for items in (10, 25):
        other_items(items, runs, rng)


if __name__ == "__main__":
    main()
