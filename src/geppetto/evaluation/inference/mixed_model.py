"""A second opinion on a mean difference: people, items and wordings are all drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import optimize, stats

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.inference.resampling import Estimate
from geppetto.planning.analysis_config import LEVEL

_SMALL = 1e-6
"""Variance ratio below which a factor counts as having no variance."""


@dataclass(frozen=True)
class MixedModel:
    """A mean with what its differences come from, estimated by restricted maximum likelihood.

    Its interval is that of t with Satterthwaite's `degrees` of freedom; `variances` are the
    components of each factor with more than one level, by name, and of the "residual".
    """

    mean: Estimate
    standard_error: float
    degrees: float
    variances: Mapping[str, float]


def mixed_model(
    values: ArrayLike, factors: Mapping[str, ArrayLike], level: float = LEVEL
) -> MixedModel:
    """Mean of values with crossed random effects: y = mean + participant + item + ... + residual.

    Maximises the restricted likelihood of an intercept-only model (Patterson & Thompson 1971).
    The factor with the most levels is eliminated analytically, since its part of the equations is
    diagonal (Henderson 1953); what is left has one row for each level of the other factors.

    With V the covariance matrix of the values, the variance of the mean is 1 / (1' V^-1 1). Its
    degrees of freedom are 2 / Var(log of that variance) after Satterthwaite (1946), where
    the covariance matrix of the logarithms of the variance components comes from the curvature
    of the restricted likelihood. Components that are estimated as 0 are left out of it.

    Values are one number a cell, NaN where it is missing; factors have any labels, one a cell.
    Those of one level are left out.

    Raises
    ------
    ValueError
        If no factor has two levels, or each level of a factor has a single value, so that it
        cannot be told from the residual.
    """
    y = np.asarray(values, float)
    known = np.isfinite(y)
    codes = {
        name: np.unique(np.asarray(labels)[known], return_inverse=True)[1]
        for name, labels in factors.items()
    }
    y = y[known]
    levels = {name: int(code.max()) + 1 for name, code in codes.items() if len(y) and code.max()}
    names = sorted(levels, key=lambda name: -levels[name])
    if not names:
        raise ValueError("a mixed model needs at least two levels of a factor")
    if levels[names[0]] == len(y):
        raise ValueError(f"every {names[0]} has one value, so that it is the residual")
    sums = _Sums.of(y, [codes[name] for name in names], [levels[name] for name in names])
    if np.ptp(y) == 0:
        same = float(y[0])
        none = dict.fromkeys([*levels, "residual"], 0.0)
        return MixedModel(Estimate(same, same, same), 0.0, float("inf"), none)

    def deviance(logs: Floats) -> float:
        return _deviance(np.append(0.0, logs), sums, profiled=True)

    logs = optimize.minimize(
        deviance,
        [-2.0] * len(names),
        method="Nelder-Mead",
        bounds=[(float(np.log(_SMALL / 100)), float(np.log(1e6)))] * len(names),
        tol=1e-7,
    ).x
    ratios = np.where(np.exp(logs) < _SMALL, 0.0, np.exp(logs))
    centre, precision, left, _ = _solve(ratios, sums)
    residual = left / (sums.cells - 1)
    error = float(np.sqrt(residual / precision))
    degrees = _degrees(residual, ratios, sums)
    half = float(stats.t.ppf(1 - level / 2, degrees)) * error
    components = dict(zip(names, (residual * ratios).tolist(), strict=True))
    return MixedModel(
        Estimate(centre, centre - half, centre + half),
        error,
        degrees,
        {name: components[name] for name in levels} | {"residual": residual},
    )


@dataclass(frozen=True, eq=False)
class _Sums:
    """All that the likelihood needs of the values.

    Attributes
    ----------
    counts
        How many values each level of the largest factor has, shape (largest,).
    within
        Sums over each of these levels of the other factors' indicators, of 1 and of y, shape
        (largest, others + 2).
    products
        Sums of products of the same columns over all cells, shape (others + 2, others + 2).
    widths
        Number of levels of each of the other factors.
    shift
        What was taken from every y, so that its sums are small.
    """

    cells: int
    counts: Floats
    within: Floats
    products: Floats
    widths: tuple[int, ...]
    shift: float

    @classmethod
    def of(cls, y: Floats, codes: list[Integers], levels: list[int]) -> _Sums:
        shift = float(y.mean())
        y = y - shift
        first, *others = codes
        width = sum(levels[1:])
        within = np.zeros((levels[0], width + 2))
        products = np.zeros((width + 2, width + 2))
        starts = np.cumsum([0, *levels[1:]])[:-1]
        places = [code + start for code, start in zip(others, starts, strict=True)]
        for place in places:
            np.add.at(within, (first, place), 1)
            for other in places:
                np.add.at(products, (place, other), 1)
            for column, weight in ((width, np.ones_like(y)), (width + 1, y)):
                sums = np.bincount(place, weight, width)
                products[:width, column] += sums
                products[column, :width] += sums
        within[:, width] = np.bincount(first)
        within[:, width + 1] = np.bincount(first, y)
        products[width:, width:] = [[len(y), y.sum()], [y.sum(), y @ y]]
        return cls(len(y), within[:, width], within, products, tuple(levels[1:]), shift)


def _solve(ratios: Floats, sums: _Sums) -> tuple[float, float, float, float]:
    """Generalised least squares with V = I + sum of ratio x indicators indicators'.

    The mean; 1' V^-1 1; (y - mean)' V^-1 (y - mean); and log |V|.
    """
    shrink = ratios[0] / (1 + ratios[0] * sums.counts)
    products = sums.products - sums.within.T @ (shrink[:, None] * sums.within)
    scale = np.sqrt(np.repeat(ratios[1:], sums.widths))
    width = len(scale)
    others = np.eye(width) + scale[:, None] * products[:width, :width] * scale
    cross = scale[:, None] * products[:width, width:]
    (ones, ones_y), (_, y_y) = products[width:, width:] - cross.T @ np.linalg.solve(others, cross)
    log_determinant = np.log1p(ratios[0] * sums.counts).sum() + np.linalg.slogdet(others)[1]
    centre = ones_y / ones
    return (
        float(centre + sums.shift),
        float(ones),
        float(y_y - ones_y * centre),
        float(log_determinant),
    )


def _deviance(logs: Floats, sums: _Sums, *, profiled: bool = False) -> float:
    """-2 log restricted likelihood, up to a constant.

    `logs` are of the residual variance and of each factor's variance over it; if `profiled`, the
    best residual variance is used instead of the given one.
    """
    _, ones, left, log_determinant = _solve(np.exp(logs[1:]), sums)
    free = sums.cells - 1
    variance = left / free if profiled else np.exp(logs[0])
    return float(free * np.log(variance) + left / variance + log_determinant + np.log(ones))


def _degrees(residual: float, ratios: Floats, sums: _Sums) -> float:
    """2 / Var(log Var(mean)), from numerical derivatives at the estimates."""
    there = np.append(True, ratios > 0)
    best = np.append(np.log(residual), np.log(np.maximum(ratios, _SMALL)))[there]

    def full(logs: Floats) -> Floats:
        values = np.full(len(there), -np.inf)
        values[there] = logs
        return values

    def log_variance(logs: Floats) -> float:
        values = full(logs)
        return float(values[0] - np.log(_solve(np.exp(values[1:]), sums)[1]))

    steps = 1e-3 * np.eye(len(best))
    slope = np.array([log_variance(best + s) - log_variance(best - s) for s in steps]) / 2e-3
    curvature = np.array(
        [
            [
                sum(
                    one * other * _deviance(full(best + one * s + other * t), sums)
                    for one in (1, -1)
                    for other in (1, -1)
                )
                for t in steps
            ]
            for s in steps
        ]
    ) / (4 * 1e-6)
    return float(2 / (slope @ (2 * np.linalg.solve(curvature, slope))))
