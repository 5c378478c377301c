"""Weighted moments over participants, of many draws at once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.inference.resampling import Weights

NOTHING = 1e-12
"""A variance or covariance of values that are all the same but for rounding."""


def quotient(
    upper: NDArray[Any], lower: NDArray[Any], otherwise: float = np.nan, above: float = 0.0
) -> Floats:
    """A quotient; another value where the denominator is not above a bound."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(lower > above, upper / lower, otherwise))


def correlation(weights: Weights, one: Floats, others: Floats) -> Floats:
    """Pearson's r of a number with others, over the participants who have all of them.

    Parameters
    ----------
    weights
        How often each participant counts, shape (draws, participants).
    one
        A number a participant, shape (participants,).
    others
        What it is correlated with, shape (participants,) or (participants, columns).

    Returns
    -------
    numpy.ndarray
        Shape (draws,) or (draws, columns); NaN if one of the two does not vary.
    """
    columns = others.reshape(len(others), -1)
    complete = np.isfinite(one) & np.isfinite(columns).all(axis=1)
    weights, x, y = weights[:, complete], one[complete, None], columns[complete]
    if not len(x):
        return np.full((len(weights), *others.shape[1:]), np.nan)
    x, y = x - x.mean(), y - y.mean(axis=0)
    total = weights.sum(axis=1)[:, None]
    m_x, m_y = (quotient(weights @ values, total) for values in (x, y))
    v_x = quotient(weights @ x**2, total) - m_x**2
    v_y = quotient(weights @ y**2, total) - m_y**2
    product = quotient(weights @ (x * y), total) - m_x * m_y
    r = quotient(product, np.sqrt(np.maximum(v_x * v_y, 0)), above=NOTHING)
    return r.reshape(len(weights), *others.shape[1:])


def covariance(weights: Weights, values: Floats) -> Floats:
    """Weighted covariances of columns over people who have all, shape (draws, columns, columns)."""
    complete = np.isfinite(values).all(axis=1)
    weights, values = weights[:, complete], values[complete]
    values = values - values.mean(axis=0) if len(values) else values
    columns = values.shape[1]
    products = (values[:, :, None] * values[:, None, :]).reshape(len(values), -1)
    total = weights.sum(axis=1)[:, None]
    means = quotient(weights @ values, total)
    squares = quotient(weights @ products, total).reshape(-1, columns, columns)
    return np.asarray(squares - means[:, :, None] * means[:, None, :])
