"""Prompts a second of option likelihood: one by one, as trees, and the engine's own limit.

The workload: demographic personas x 25 Likert items x 6 options, as in the demo. All rates come
from one run, interleaved in rounds, so that a machine whose speed drifts slows all of them; the
ratios are what to compare.

    python benchmarks/option_likelihood.py --model gemma-3-270m --personas 15
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from geppetto.answers.local import score
from geppetto.elicitation.option_likelihood import Unit, request_id, units
from geppetto.models.base import Scorer
from geppetto.models.identity import Precision
from geppetto.models.spec import ModelSpec, open_scorer
from geppetto.models.token_tree import TokenTree
from geppetto.personas.library import load_strategy
from geppetto.personas.visibility import blocks, persona, view
from geppetto.planning.config import Participants
from geppetto.prompts.survey import Layout, Prompt, render
from geppetto.studies import load_study

PREFILL_TOKENS = 512
ROUND = 5
"""Personas scored in a row before the other ways of scoring have their turn."""


def workload(model: Scorer, personas: int) -> list[Unit]:
    """One unit a persona: an interview of three traits, 25 items of six options."""
    study = load_study("bfi")
    strategy = load_strategy("interview", {}, Path())
    (block,) = blocks(strategy, study, list(study.items))
    prompts: dict[str, Prompt] = {}
    for participant in Participants(sample=personas * 2, seed=0, complete=True).draw(study):
        given = persona(strategy, view(strategy, participant, study, block), study, block)
        for item in study.items.values():
            prompt = render(study, item, given, Layout(), model.template)
            prompts[request_id(prompt, model.identity)] = prompt
    return list(units(prompts, model))[:personas]


def one_by_one(unit: Unit, model: Scorer, prompts: int) -> int:
    """Score some of a unit's prompts with a decode each and nothing shared; how many."""
    for prompt, options in list(zip(unit.prompts, unit.options, strict=True))[:prompts]:
        model.score([TokenTree.build([(prompt, options)])])
    return prompts


def trees(work: Sequence[Unit], model: Scorer) -> int:
    """Score units in a decode each, the shared head once; how many prompts."""
    return sum(len(score([unit], model)) for unit in work)


def prefill(unit: Unit, model: Scorer) -> int:
    """Decode unbranched texts of 512 tokens; how many tokens."""
    text = (unit.prompts[0] * PREFILL_TOKENS)[:PREFILL_TOKENS]
    tree = TokenTree.build([(text, [(unit.options[0][0])])])
    for _ in range(2):
        model.score([tree])
    return 2 * PREFILL_TOKENS


def rate(work: Callable[[], int]) -> float:
    """Things done a second."""
    start = time.perf_counter()
    return work() / (time.perf_counter() - start)


def measure(name: str, personas: int) -> None:
    """Print the rates of one model and their ratios."""
    models: dict[Precision, Scorer] = {
        precision: open_scorer(ModelSpec(name=name), precision) for precision in ("exact", "fast")
    }
    work = workload(models["exact"], personas)
    for model in models.values():
        score(work[0], model)
    rates: dict[str, list[float]] = {}
    for start in range(0, len(work), ROUND):
        part = work[start : start + ROUND]
        measured = {"naive": rate(partial(one_by_one, part[0], models["exact"], 10))}
        for precision, model in models.items():
            measured[f"tree {precision}"] = rate(partial(trees, part, model))
            measured[f"prefill {precision}"] = rate(partial(prefill, part[0], model))
        for key, value in measured.items():
            rates.setdefault(key, []).append(value)
    report(name, work, {key: statistics.median(values) for key, values in rates.items()})


def report(name: str, work: Sequence[Unit], rates: dict[str, float]) -> None:
    """Print medians over personas, and the ratios the project promises."""
    computed = sum(unit.distinct_tokens for unit in work) + work[0].head * len(work) / ROUND
    distinct = computed / sum(len(unit.ids) for unit in work)
    whole = statistics.mean(unit.prompt_tokens / len(unit.ids) for unit in work)
    print(f"{name}: {len(work)} personas x {len(work[0].ids)} items x 6 options")
    print(f"  tokens a prompt: {whole:.1f} one by one, {distinct:.1f} distinct in a tree")
    print(f"  naive, exact    {rates['naive']:8.1f} prompts/s")
    for precision in ("exact", "fast"):
        prompts = rates[f"tree {precision}"]
        limit = rates[f"prefill {precision}"]
        print(
            f"  tree, {precision:<9} {prompts:8.1f} prompts/s = {prompts * distinct:.0f} tokens/s, "
            f"{prompts * distinct / limit:4.0%} of the engine's prefill of {limit:.0f} tokens/s"
        )
    print(f"  tree / naive, both exact: {rates['tree exact'] / rates['naive']:.1f}x")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", help="a model's name; both if not given")
    parser.add_argument("--personas", type=int, default=15)
    arguments = parser.parse_args()
    for model_name in arguments.model or ["smollm2-135m-instruct", "gemma-3-270m"]:
        measure(model_name, arguments.personas)
