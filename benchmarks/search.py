"""What a search finds in populations where the truth is known, and whether its numbers hold.

432 candidates: five of the library's strategies with their parameters, in three layouts. In each
repetition the truth, the people searched on and the people who confirm are newly drawn, and the
whole search is made with 60 trials (TPE, pruned, as by default), with other settings, and by
asking everything. See docs/results/search_simulation.md. Run: make bench
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from simulated_search import Outcome, Simulated, exhausted, holds, searched

TRIALS = 60
DEFAULT = "TPE, pruned, 60 trials"
WAYS: dict[str, dict[str, Any]] = {
    DEFAULT: {},
    "TPE, never pruned": {"prune": None},
    "random, pruned": {"sampler": "random"},
}
WORLDS: dict[str, dict[str, Any]] = {
    "noisy": {},
    "quiet": {"noise": 0.02},
    "equal": {"equal": True},
}
"""The noise of a person and a candidate has SD 0.2, or 0.02; or no candidate is better."""

HEAD = (
    "| world | search | runs | answers | near best | best | regret | optimism | expected "
    "| if equal | repeats | given up | search score holds | confirmed holds |\n"
    "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
)


def line(world: str, way: str, runs: Sequence[Outcome]) -> str:
    """One row of the table: shares of repetitions, and means over them."""
    optimism = np.array([run.optimism for run in runs])
    expected = [
        run.selection_optimism.optimism for run in runs if run.selection_optimism is not None
    ]
    equals = [
        run.selection_optimism.best_of_equals for run in runs if run.selection_optimism is not None
    ]
    good, given_up = (sum(getattr(run, name) for run in runs) for name in ("good", "given_up"))
    has_best = world != "equal"
    cells = [
        world,
        way,
        f"{len(runs)}",
        f"{np.mean([run.asked for run in runs]):.1%}",
        f"{np.mean([run.near for run in runs]):.0%}" if has_best else "",
        f"{np.mean([run.best for run in runs]):.0%}" if has_best else "",
        f"{np.mean([run.regret for run in runs]):.1%}" if has_best else "",
        f"{optimism.mean():+.4f} ± {optimism.std(ddof=1) / np.sqrt(len(runs)):.4f}",
        f"{np.mean(expected):+.4f}" if expected else "",
        f"{np.mean(equals):.4f}" if equals else "",
        f"{np.mean([run.repeats for run in runs]):.0%}",
        f"{given_up / good:.0%} of {good}" if good and has_best else "",
        share([holds(run.searched, run.truth) for run in runs]),
        share([holds(run.confirmed, run.truth) for run in runs]),
    ]
    return f"| {' | '.join(cells)} |"


def share(held: Sequence[bool]) -> str:
    """A share with its simulation error."""
    value = float(np.mean(held))
    return f"{value:.1%} ± {np.sqrt(value * (1 - value) / len(held)):.1%}"


def main() -> None:
    """Simulate and print the table, row by row."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--repetitions",
        type=int,
        default=1000,
        help="of the default in noisy populations; others have a fifth or a twentieth",
    )
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    arguments = parser.parse_args()
    repetitions = arguments.repetitions
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as workspace:
        simulated = Simulated.of(Path(workspace))
    print(HEAD, flush=True)
    for name in arguments.worlds:
        whole = repetitions if name == "noisy" else repetitions // 5
        worlds = [simulated.world(seed, **WORLDS[name]) for seed in range(whole)]
        everything = [exhausted(simulated, each, seed) for seed, each in enumerate(worlds)]
        print(line(name, "all candidates on everybody", everything), flush=True)
        for way, settings in WAYS.items():
            if name == "equal" and way != DEFAULT:
                continue
            few = max(2, repetitions // 20)
            number = repetitions if (name, way) == ("noisy", DEFAULT) else few
            runs = [
                searched(simulated, each, seed, **{"trials": TRIALS} | settings)
                for seed, each in enumerate(worlds[:number])
            ]
            print(line(name, way, runs), flush=True)
    print(f"\n{time.monotonic() - start:.0f} seconds")


if __name__ == "__main__":
    main()
