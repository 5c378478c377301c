"""Kinds of arrays, and the mean of what is known."""

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
