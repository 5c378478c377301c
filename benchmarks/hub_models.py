"""Prompts a second of the transformers engine: as trees and one by one, and beside llama.cpp.

The workload is that of `option_likelihood.py`, W1: demographic personas x 25 Likert items x 6
options; with `--label` the options are of 2 to 6 tokens, and with `--known K` the persona is K
known answers. The model is SmolLM2 with the same weights in both engines; its folder is made once
from the packaged file. All rates come from one run, interleaved in rounds, and are of processor
time where the processor computes, so that what else a machine does changes no ratio.

    python benchmarks/hub_models.py --personas 9
"""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from geppetto.answers.local import score
from geppetto.elicitation.option_likelihood import Unit, request_id, units
from geppetto.models.base import Scorer
from geppetto.models.spec import ModelSpec, open_scorer
from geppetto.models.token_tree import TokenTree
from geppetto.personas.library import load_strategy
from geppetto.personas.visibility import blocks, persona, view
from geppetto.planning.config import Participants
from geppetto.prompts.survey import Layout, Prompt, render
from geppetto.studies import load_study

sys.path.append(str(Path(__file__).parents[1] / "tests" / "helpers"))
from tiny_models import folder_of

NAME = "smollm2-135m-instruct"
ROUND = 3
"""Personas scored in a row before the other ways of scoring have their turn."""


def workload(model: Scorer, personas: int, label: bool, known: int) -> list[Unit]:
    """One unit a persona: 25 items of six options."""
    study = load_study("bfi")
    strategy = load_strategy("known_answers", {"k": known}, Path()) if known else None
    strategy = strategy or load_strategy("interview", {}, Path())
    layout = Layout(answer="label" if label else "number")
    prompts: dict[str, Prompt] = {}
    people = Participants(sample=personas * 2, seed=0, complete=True).draw(study)
    for block in blocks(strategy, study, list(study.items)):
        for participant in people:
            given = persona(strategy, view(strategy, participant, study, block), study, block)
            for name in block.predicted:
                prompt = render(study, study.items[name], given, layout, model.template)
                prompts[request_id(prompt, model.identity)] = prompt
    return list(units(prompts, model))[:personas]


def one_by_one(unit: Unit, model: Scorer, prompts: int) -> int:
    """Score some prompts as the common harnesses do, a pass for each option; how many."""
    for prompt, options in list(zip(unit.prompts, unit.options, strict=True))[:prompts]:
        for option in options if max(map(len, options)) > 1 else [options]:
            continuations = [option] if option is not options else list(options)
            model.score([TokenTree.build([(prompt, continuations)])])
    return prompts


def trees(work: Sequence[Unit], model: Scorer) -> int:
    """Score units, the shared head once; how many prompts."""
    return len(score(list(work), model))


def rate(work: Callable[[], int], clock: Callable[[], float]) -> float:
    """Things done a second."""
    start = clock()
    return work() / (clock() - start)


def measure(personas: int, label: bool, known: int, fast: bool) -> None:
    """Print the rates and their ratios."""
    folder = ModelSpec.model_validate({"path": str(folder_of(NAME)), "name": NAME})
    models = {
        "llama.cpp exact": open_scorer(ModelSpec(name=NAME)),
        "transformers exact": open_scorer(folder),
    }
    if fast:
        models["transformers fast"] = open_scorer(folder, "fast")
    on_processor = models["transformers exact"].identity.device == "cpu"
    clock = time.process_time if on_processor else time.perf_counter
    work = workload(models["llama.cpp exact"], personas, label, known)
    for model in models.values():
        score(work[:1], model)
    rates: dict[str, list[float]] = {}
    for start in range(0, len(work), ROUND):
        part = work[start : start + ROUND]
        measured = {
            f"{name}, one by one": rate(partial(one_by_one, part[0], model, 3), clock)
            for name, model in models.items()
        }
        for name, model in models.items():
            measured[f"{name}, trees"] = rate(partial(trees, part, model), clock)
        for key, value in measured.items():
            rates.setdefault(key, []).append(value)
    medians = {key: statistics.median(values) for key, values in rates.items()}
    distinct = statistics.mean(unit.distinct_tokens / len(unit.ids) for unit in work)
    print(f"{len(work)} personas x {len(work[0].ids)} items: {distinct:.1f} distinct tokens each")
    for key, value in medians.items():
        unit = "processor second" if on_processor else "second"
        print(f"  {key:<32}{value:8.1f} prompts a {unit}")
    for name in models:
        print(
            f"  {name}: {medians[f'{name}, trees'] / medians[f'{name}, one by one']:.1f}x by trees"
        )
    ratio = medians["transformers exact, trees"] / medians["llama.cpp exact, trees"]
    print(f"  trees of transformers to those of llama.cpp, both exact: {ratio:.2f}x")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--personas", type=int, default=9)
    parser.add_argument("--label", action="store_true", help="options of several tokens")
    parser.add_argument("--known", type=int, default=0, help="known answers as personas")
    parser.add_argument("--fast", action="store_true", help="in bfloat16, too")
    arguments = parser.parse_args()
    measure(arguments.personas, arguments.label, arguments.known, arguments.fast)
