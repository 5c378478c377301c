"""What models replied, in MLflow: what it took and what became of it, as numbers and tables."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import get_args

import pandas as pd

from geppetto._util.errors import GeppettoError
from geppetto.elicitation.base import Outcome
from geppetto.evaluation.results import Results
from geppetto.personas.generated import GeneratedText


def tables(results: Results) -> dict[str, Callable[[], pd.DataFrame]]:
    """Tables of replies and of elicitations by name; empty if neither is there to be told of."""
    told: dict[str, Callable[[], pd.DataFrame]] = {}
    if len(results.completions):
        told["compliance"] = results.compliance
        told["compliance_differences"] = results.compliance_differences
    if results.several_elicitations:
        told["by_elicitation"] = results.by_elicitation
        told["agreement"] = results.agreement
        told["effects_by_elicitation"] = lambda: pd.concat(_effects(results), ignore_index=True)
    return told


def _effects(results: Results) -> Iterator[pd.DataFrame]:
    """Every contrast in each elicitation, corrected within it; or the reason why there is none."""
    for elicitation in dict.fromkeys(itertools.chain(*results.elicitations.values())):
        try:
            of = results.at(elicitation=elicitation)
            smoothed = [of.effects(measure=of.measures[0])] if "brier" in of.measures else []
            found = pd.concat([of.effects(), *smoothed], ignore_index=True).drop_duplicates(
                ["model", "strategy", "effect", "measure"], ignore_index=True
            )
        except GeppettoError as error:
            found = pd.DataFrame([{"reason": str(error)}])
        yield found.assign(elicitation=elicitation)


def numbers(completions: pd.DataFrame, section: str = "replies") -> dict[str, float]:
    """Totals of some replies as metrics, each reply counted once however many answers it serves.

    Empty without rows. `replies/count` is of those that came, `replies/errors` of the requests that
    failed for good. `replies/cost` is of those whose price is known; `replies/without_price` says
    how many of those are not for which something was counted: errors, and what was filtered whole,
    have none. What was not measured is left out. Outcomes that did not occur are 0, which replaces
    what was logged before errors were asked again.
    """
    if completions.empty:
        return {}
    once = completions.drop_duplicates("completion")
    came = once["error"] == ""
    counted = came & ((once["outcome"] != "filtered") | (once["prompt_tokens"] > 0))
    found = {
        "count": came.sum(),
        "errors": (~came).sum(),
        "prompt_tokens": once["prompt_tokens"].sum(),
        "completion_tokens": once["completion_tokens"].sum(),
        "reasoning_tokens": once["reasoning_tokens"].sum(),
        "cost": once["cost"].sum(),
        "without_price": (once["cost"].isna() & counted).sum(),
        "mean_seconds": once["seconds"].mean(),
        "attempts_beyond_the_first": (once["attempts"] - 1).clip(lower=0).sum(),
    }
    outcomes = once["outcome"].value_counts()
    found |= {f"outcome/{name}": outcomes.get(name, 0) for name in get_args(Outcome)}
    return {
        f"{section}/{name}": float(value) for name, value in found.items() if math.isfinite(value)
    }


def personas(written: Sequence[GeneratedText]) -> dict[str, float]:
    """Totals of what it took to write the personas of a run, as metrics.

    A text is written once and counted in every run that has it, also where it was not paid for.
    `personas/cost` is of texts whose price is known, `personas/without_price` says how many are
    not.
    """
    if not written:
        return {}
    found = {
        "texts": len(written),
        "unusable": sum(bool(each.failed) for each in written),
        "requests": sum(each.requests for each in written),
        "prompt_tokens": sum(each.prompt_tokens for each in written),
        "completion_tokens": sum(each.completion_tokens for each in written),
        "cost": sum(each.cost or 0.0 for each in written),
        "without_price": sum(each.cost is None for each in written),
        "seconds": sum(each.seconds for each in written),
    }
    return {f"personas/{name}": float(value) for name, value in found.items()}
