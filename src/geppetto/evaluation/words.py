"""Numbers, effects and tests in running text: never "nan" or "inf"."""

from __future__ import annotations

import math

from geppetto.evaluation.inference.resampling import Estimate

NOTHING = "–"
"""What stands for a number that there is none of."""

COMPARED = {
    "nll": ("likelier", "less likely", "equally likely"),
    "brier": ("predicted more closely", "predicted less closely", "predicted equally closely"),
}
"""How responses compare, by the measure: if there is more of it, if less, and if the same."""


def number(value: float, form: str) -> str:
    """A number; a dash where there is none, and a sign for one without an end."""
    if math.isinf(value):
        return f"{'+' * ('+' in form)}∞" if value > 0 else "-∞"
    return NOTHING if math.isnan(value) else format(value, form)


def counted(count: float, what: str) -> str:
    """So many of what is counted, of which there may be more than anybody could count."""
    return f"more {what} than can be counted" if math.isinf(count) else f"{count:,} {what}"


def ranged(estimate: Estimate, form: str) -> str:
    """A number and its interval; a dash where there is neither."""
    value, low, high = (number(end, form) for end in (estimate.value, estimate.low, estimate.high))
    return NOTHING if value == low == high == NOTHING else f"{value} [{low}, {high}]"


def in_words(arm: str) -> str:
    """What a model is given in an arm, in running text."""
    words = {
        "none": "no persona",
        "filler": "neutral text of that length",
        "human": "the words for an ordinary human",
        "average": "the average persona",
        "shuffled": "a stranger's",
        "matched": "a matched stranger's",
        "own": "their own persona",
    }
    return words.get(arm, f"the same persona {arm}")


def over(measure: str) -> str:
    """What a measure is over, in running text."""
    words = {
        "nll": "over the legal options",
        "nll_full": "over everything the model could say",
        "nll_calibrated": "over the legal options at one temperature a model",
        "nll_each_calibrated": "over the legal options at a temperature for each condition",
        "brier": "of Brier score over the legal options",
    }
    return words[measure]


def interval(estimate: Estimate, digits: int = 4) -> str:
    """A number and its interval, signed."""
    return ranged(estimate, f"+z.{digits}f")


def probability(p: float) -> str:
    """A p-value as journals print it; a dash where there was no test."""
    if math.isnan(p):
        return NOTHING
    if p < 0.0001:
        return "< .0001"
    return f"{p:.3f}".removeprefix("0") if p >= 0.001 else f"{p:.4f}".removeprefix("0")


def p_value(p: float) -> str:
    """The same in running text."""
    shown = probability(p)
    if shown == NOTHING:
        return "no p"
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"
