"""Intervals from resampling whole participants."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

RESAMPLES = 4999


@dataclass(frozen=True)
class Estimate:
    """A number and its 95% interval over participants."""

    value: float
    low: float
    high: float

    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


def participant_bootstrap(
    statistic: Callable[..., Any],
    *per_participant: ArrayLike,
    seed: int = 0,
    resamples: int = RESAMPLES,
) -> Estimate:
    """A statistic with its percentile bootstrap interval (Efron & Tibshirani 1993, ch. 13).

    Parameters
    ----------
    statistic
        A function of arrays of one number a participant that accepts `axis`.
    per_participant
        Paired arrays, shape (participants,); participants are resampled, never responses.
    seed
        Seed of the resampling.
    resamples
        Number of resamples.

    Raises
    ------
    ValueError
        If there are fewer than two participants: one person says nothing about people.
    """
    data = tuple(np.asarray(values, float) for values in per_participant)
    if len(data[0]) < 2:
        raise ValueError("an interval over participants needs at least two of them")
    interval = stats.bootstrap(
        data,
        statistic,
        n_resamples=resamples,
        paired=True,
        vectorized=True,
        method="percentile",
        batch=500,
        rng=np.random.default_rng(seed),
    ).confidence_interval
    return Estimate(float(statistic(*data, axis=-1)), float(interval.low), float(interval.high))


def mean(values: NDArray[np.float64], axis: int = -1) -> Any:
    """Mean over participants."""
    return np.mean(values, axis=axis)


def standardised_mean(differences: NDArray[np.float64], axis: int = -1) -> Any:
    """Cohen's d of paired differences: their mean over their standard deviation (d_z).

    If nobody's answers changed at all it is 0; if everybody's changed by the same, NaN.
    """
    spread = np.std(differences, axis=axis, ddof=1)
    centre = np.mean(differences, axis=axis)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(centre == 0, 0.0, np.where(spread > 0, centre / spread, np.nan))


def share_positive(differences: NDArray[np.float64], axis: int = -1) -> Any:
    """Share of participants with a positive difference; no difference counts half."""
    return np.mean((differences > 0) + 0.5 * (differences == 0), axis=axis)


def saved_share(nll: NDArray[np.float64], reference: NDArray[np.float64], axis: int = -1) -> Any:
    """1 - mean NLL / mean NLL of a reference: McFadden's pseudo-R² (1974).

    1 for certainty of every response, 0 for the reference itself, negative for worse.
    """
    return 1 - np.mean(nll, axis=axis) / np.mean(reference, axis=axis)
