"""Kinds of arrays, the mean of what is known, and what unequal weights are worth."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


def nanmean(values: Floats, axis: int) -> Floats:
    """Mean of the known values along an axis; NaN where there is none."""
    known = np.isfinite(values)
    count = known.sum(axis)
    total = np.sum(values, axis=axis, where=known)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def effective_number(weights: Floats) -> float:
    """Kish's (1965) effective number: how many of equal weight would be worth as much."""
    return round(float(weights.sum() ** 2 / (weights**2).sum()), 9)
