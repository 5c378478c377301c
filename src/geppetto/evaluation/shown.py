"""Numbers as they are shown: never as "nan" or "inf"."""

from __future__ import annotations

import math

from geppetto.evaluation.resampling import Estimate

NOTHING = "–"
"""What stands for a number that there is none of."""


def number(value: float, form: str) -> str:
    """A number; a dash where there is none, and a sign for one without an end."""
    if math.isinf(value):
        return f"{'+' * ('+' in form)}∞" if value > 0 else "-∞"
    return NOTHING if math.isnan(value) else format(value, form)


def ranged(estimate: Estimate, form: str) -> str:
    """A number and its interval; a dash where there is neither."""
    value, low, high = (number(end, form) for end in (estimate.value, estimate.low, estimate.high))
    return NOTHING if value == low == high == NOTHING else f"{value} [{low}, {high}]"
