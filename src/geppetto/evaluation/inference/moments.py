"""Statistics over participants, of many draws at once; see `resampling`."""

from __future__ import annotations

import numpy as np

from geppetto.evaluation.arrays import Floats, quotient
from geppetto.evaluation.inference.resampling import Weights, mean, totals

NOTHING = 1e-12
"""A variance or covariance of values that are all the same but for rounding."""


def correlation(weights: Weights, one: Floats, others: Floats) -> Floats:
    """Pearson's r of a number with others, over the participants who have all of them.

    Others are of shape (participants,) or (participants, columns), and r of (draws,) or (draws,
    columns); NaN if one of the two does not vary.
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


def standardised_mean(weights: Weights, contributions: Floats, differences: Floats) -> Floats:
    """Cohen's d of paired differences: their mean over their standard deviation (d_z).

    The mean is that of what participants contribute to it, which varies between samples as the
    mean does where participants' differences are not independent. If nobody's answers changed at
    all d_z is 0; if everybody's changed by the same, NaN.
    """
    people, total = len(differences), totals(weights, differences)
    shift = differences.mean(axis=0)
    centre = weights @ (differences - shift) / total
    variance = weights @ (differences - shift) ** 2 / total - centre**2
    variance *= people / (people - 1)
    mean_of = weights @ contributions / total
    nothing = 1e-24 * np.maximum(np.max(differences**2, axis=0), 1e-300)
    with np.errstate(divide="ignore", invalid="ignore"):
        d_z = np.where(variance > nothing, mean_of / np.sqrt(variance), np.nan)
    return np.where(mean_of**2 <= nothing, 0.0, d_z)


def share_positive(weights: Weights, differences: Floats) -> Floats:
    """Share of participants with a positive difference; no difference counts half."""
    return mean(weights, (differences > 0) + 0.5 * (differences == 0))


def worst_tenth(weights: Weights, differences: Floats) -> Floats:
    """Mean difference of the tenth of participants that fares worst, fractions included."""
    if differences.ndim == 2:
        return np.stack([worst_tenth(weights, column) for column in differences.T], axis=1)
    tenth = weights.sum(1) / 10
    order = np.argsort(differences, kind="stable")
    some = order[: len(order) // 4 + 1]  # the worst quarter has a tenth of nearly every draw
    if (weights[:, some].sum(1) < tenth).any():
        some = order
    counted = weights[:, some]
    before = np.cumsum(counted, axis=1) - counted
    inside = np.clip(tenth[:, None] - before, 0, counted)
    return np.asarray(inside @ differences[some] / tenth)


def saved_share(weights: Weights, nll: Floats, reference: Floats) -> Floats:
    """1 - mean NLL / mean NLL of a reference: McFadden's pseudo-R² (1974).

    1 for certainty of every response, 0 for the reference itself, negative for worse.
    """
    with np.errstate(invalid="ignore"):
        return np.asarray(1 - weights @ nll / (weights @ reference))
