"""How long the evaluation of a million answers takes, and how much memory.

2,500 people, 20 items of six options, two models, three strategies with the arms filler, shuffled
and own, and none: 20 conditions; 2,000 bootstrap draws. Run: make bench
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))

from geppetto.answers.table import COLUMNS
from geppetto.evaluation.baselines.rows import baseline_answers, supervised_names
from geppetto.evaluation.results import MEASURES, Results
from geppetto.personas.library import load_strategy
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.plan import Strategy
from geppetto.studies import Participant, Study
from invented import codebook

ROOT = Path(__file__).parents[1]
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
            right = (log_prob == logs.max(-1).ravel()).astype(float)
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
                    "block": 0,
                    "options": [OPTIONS] * (people * items),
                    "ordinal": True,
                    "response": response.ravel(),
                    "log_prob": log_prob - 0.1,
                    "log_prob_of_options": log_prob,
                    "nll_low": -log_prob,
                    "nll_high": -log_prob,
                    "hit_low": right,
                    "hit_high": right,
                    "elicitation": "likelihood",
                    "option_log_probs": list(map(tuple, logs.reshape(-1, len(OPTIONS)).tolist())),
                    "counts": [()] * (people * items),
                    "floored": False,
                    "option_mass": np.exp(-0.1),
                    "status": "scored",
                    "reason": "",
                }
            )
            tables.append(table.reindex(columns=list(COLUMNS)))
    return pd.concat(tables, ignore_index=True)


def study(table: pd.DataFrame) -> Study:
    """The study that these answers could be from, with two traits a person."""
    rng = np.random.default_rng(1)
    items = table.drop_duplicates("item")["item"]
    six = codebook(
        traits=[{"name": name, "label": name, "question": name} for name in ("age", "score")],
        scales={"six": {"options": {code: code for code in OPTIONS}}},
        items=[
            {"name": name, "text": name, "scale": "six", "measures": f"construct {place % 4}"}
            for place, name in enumerate(items)
        ],
    )
    first = table.drop_duplicates(["participant", "item"])
    responses = first.pivot(index="participant", columns="item", values="response")
    people = {
        name: Participant(
            name,
            {"age": float(rng.integers(18, 90)), "score": float(rng.normal())},
            dict(zip(responses.columns, row, strict=True)),
        )
        for name, row in zip(responses.index, responses.to_numpy().tolist(), strict=True)
    }
    return Study(six, people, {})


def main() -> None:
    """Print seconds a part, and the peak memory of the process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=2500)
    table = answers(parser.parse_args().people, 20)
    invented = study(table)
    start = began = time.perf_counter()

    def lap(what: str) -> None:
        nonlocal start
        print(f"{what:42} {time.perf_counter() - start:6.1f} s")
        start = time.perf_counter()

    print(f"{len(table):,} answers; with them {_gigabytes():.1f} GB before anything is evaluated")
    strategies = [Strategy("s", "s", load_strategy("interview", {}, ROOT))]
    baselines = baseline_answers(table, invented, strategies)
    everything = pd.concat([table, baselines], ignore_index=True)
    lap("baselines, supervised ones cross-fitted")
    supervised = supervised_names(strategies, invented) | {"t": (), "u": ()}
    results = Results("How fast?", invented, Analysis(), everything, supervised)
    lap(f"conditions: {len(results.conditions)}, as arrays")
    results.metrics()
    lap("metrics of every condition")
    results.verdicts()
    lap("effects, permutations and verdicts")
    for measure in MEASURES[1:]:
        results.verdicts(measure=measure)
    lap("the same by three other measures")
    results.individuation()
    lap("individuation and identification")
    results.ceilings()
    lap("ceilings")
    results.calibration(), results.skill(), results.second_opinion()
    lap("calibration, skill and second opinion")
    print(f"{'everything':42} {time.perf_counter() - began:6.1f} s, {_gigabytes():.1f} GB at most")


def _gigabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


if __name__ == "__main__":
    main()
