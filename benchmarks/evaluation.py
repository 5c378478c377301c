"""How long the evaluation of a million answers takes, and how much memory.

2,500 people, 20 items of six options, two models, three strategies with the arms filler, shuffled
and own, and none: 20 conditions; 2,000 bootstrap draws. Run: make bench
"""

from __future__ import annotations

import argparse
import resource
import time

import numpy as np
import pandas as pd

from geppetto.answers.table import COLUMNS

OPTIONS = tuple("123456")


def answers(people: int, items: int, seed: int = 0) -> pd.DataFrame:
    """An invented table of answers in which personas know a little of their person."""
    rng = np.random.default_rng(seed)
    names = np.array([f"p{n:05}" for n in range(people)])
    taste = rng.normal(size=(people, 1)) + rng.normal(size=(people, items))
    scale = np.linspace(-1.5, 1.5, len(OPTIONS))
    real = taste[..., None] * scale + rng.gumbel(size=(people, items, len(OPTIONS)))
    response = np.asarray(OPTIONS)[real.argmax(-1)]
    circle = np.roll(np.arange(people), -7)
    tables = []
    for model in ("a", "b"):
        shared = rng.normal(size=(1, items, len(OPTIONS)))
        arms = [("none", "none", np.broadcast_to(shared, real.shape))]
        for strategy in ("s", "t", "u"):
            persona = shared + 0.3 * taste[..., None] * scale + rng.normal(0, 0.5, real.shape)
            noise = shared + rng.normal(0, 0.5, real.shape)
            arms += [
                (strategy, "filler", noise),
                (strategy, "shuffled", persona[circle]),
                (strategy, "own", persona),
            ]
        for strategy, arm, logits in arms:
            logs = logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)
            position = real.argmax(-1)[..., None]
            log_prob = np.take_along_axis(logs, position, -1).ravel()
            table = pd.DataFrame(
                {
                    "participant": np.repeat(names, items),
                    "weight": 1.0,
                    "trial": np.tile(np.arange(items), people),
                    "item": np.tile([f"q{n}" for n in range(items)], people),
                    "model": model,
                    "strategy": strategy,
                    "arm": arm,
                    "donor": np.repeat(names[circle], items) if arm == "shuffled" else "",
                    "pool": 0,
                    "options": [OPTIONS] * (people * items),
                    "ordinal": True,
                    "response": response.ravel(),
                    "log_prob": log_prob - 0.1,
                    "log_prob_of_options": log_prob,
                    "option_log_probs": list(map(tuple, logs.reshape(-1, len(OPTIONS)).tolist())),
                    "option_mass": np.exp(-0.1),
                    "status": "scored",
                    "reason": "",
                }
            )
            tables.append(table.reindex(columns=list(COLUMNS)))
    return pd.concat(tables, ignore_index=True)


def main() -> None:
    """Print seconds a part, and the peak memory of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2500)
    people = parser.parse_args().people
    table = answers(people, 20)
    made = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{len(table):,} answers, {made:.1f} GB with the invented table")
    from geppetto.evaluation.effects import differences, effect
    from geppetto.evaluation.metrics import condition_metrics, matched, participant_metrics
    from geppetto.evaluation.predictions import predictions
    from geppetto.evaluation.resampling import Resampling

    start = time.perf_counter()

    def lap(what: str) -> None:
        nonlocal start
        print(f"{what:12} {time.perf_counter() - start:6.1f} s")
        start = time.perf_counter()

    kept, _ = matched(table)
    lap("matched")
    found = predictions(kept)
    lap("arrays")
    metrics = participant_metrics(found)
    lap("metrics")
    resampling = Resampling.of(people)
    condition_metrics(metrics, resampling)
    lap("conditions")
    for measure in ("nll", "nll_full"):
        for difference in differences(found, measure):
            effect(difference, resampling)
    lap("effects")
    print(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.1f} GB")


if __name__ == "__main__":
    main()
