"""Kinds of arrays, and what is done with numbers of which some are not known."""

from __future__ import annotations

from typing import Any

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


def quotient(
    upper: NDArray[Any], lower: NDArray[Any], otherwise: float = np.nan, above: float = 0.0
) -> Floats:
    """A quotient; another value where the denominator is not above a bound."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(lower > above, upper / lower, otherwise))


def sums(values: NDArray[Any], groups: Integers, number: int) -> Floats:
    """Sums over the rows of each of so many groups, shape (groups, columns).

    Examples
    --------
    >>> sums(np.array([[1, 2], [3, 4], [5, 6]]), np.array([1, 0, 1]), 2).tolist()
    [[3.0, 4.0], [6.0, 8.0]]
    """
    columns = values.shape[1]
    cells = groups[:, None] * columns + np.arange(columns)
    found = np.bincount(cells.ravel(), values.ravel(), number * columns)
    return np.asarray(found, float).reshape(number, columns)


def option_scores(log_probs: Floats, counts: Floats | None = None) -> Floats:
    """The score that each option would have if it were the real response.

    With p_j the probability of option j, that of option y is sum_j p_j^2 - 2 p_y + 1: 0 if certain
    of it, 2 if certain of another one (Brier 1950; Gneiting & Raftery 2007). Of n samples, c_j of
    them of option j, p_y is estimated by c_y / n, and sum_j p_j^2 by the share of pairs of samples
    that are the same, sum_j c_j (c_j - 1) / (n (n - 1)). Both are right on average whatever n is
    (U-statistics; Hoeffding 1948), though the score of few samples may be below 0.

    Log-probabilities in nats, counts and scores have the options on the last axis, and NaN beyond
    the last option; scores are also NaN of an answer of fewer than two samples.
    """
    if counts is None:
        p = np.exp(log_probs)
        return np.asarray(np.nansum(p**2, axis=-1, keepdims=True) - 2 * p + 1)
    n = np.nansum(counts, axis=-1, keepdims=True)
    n = np.where(n < 2, np.nan, n)
    same = np.nansum(counts * (counts - 1), axis=-1, keepdims=True) / (n * (n - 1))
    return np.asarray(same - 2 * counts / n + 1)
