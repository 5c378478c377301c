"""Means over participants and how they err in draws, in their own standard errors (bootstrap-t)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geppetto.evaluation.arrays import Floats, effective_number, sums

if TYPE_CHECKING:
    from geppetto.evaluation.inference.resampling import Resampling


@dataclass(frozen=True, eq=False)
class Studentised:
    """A mean over participants and how it errs, in standard errors (bootstrap-t; Efron 1981).

    Of skewed contributions a mean and its standard error are too low together, or too high; draws
    show this, and an interval of their t reaches further to the side where what is rare is missing.
    In simulations of 60 to 200 people it misses 6 to 8% of the time where people's contributions
    are lognormal (sigma 1), and the expanded percentile interval 6 to 9%; with sigma 1.5 7 to 10%
    and 10 to 17%; of normal ones both 5%, and they are equally long.

    Attributes
    ----------
    value, error
        The mean, and its standard error; robust to clusters and weights, and without either that
        of the t-test.
    t
        How far the means of draws are from `value`, in their own standard errors, sorted, shape
        (draws,). Infinite in draws in which nothing varies.
    totals, weights
        What each of what is drawn adds to the sum, and to the weights it is divided by.
    """

    value: float
    error: float
    t: Floats
    totals: Floats
    weights: Floats

    def ends(self, level: float) -> tuple[float, float]:
        """Ends of the interval that misses with this probability; one may be infinite.

        NaN where more than one draw in a hundred has no mean.
        """
        if not np.isfinite(self.value) or not len(self.t):
            return float("nan"), float("nan")
        if self.error == 0:
            return self.value, self.value
        least, most = self._quantiles(level)
        return self.value - most * self.error, self.value - least * self.error

    def p_within(self, smallest: float) -> float:
        """p of a mean of at least this size, to either side: whether it is too small to matter.

        The larger of two one-sided tests (Schuirmann 1987) that invert the same draws, so that it
        is below .05 just where the 90% interval is between the bounds. Of skewed differences
        t-tests reject in 10 to 30% of samples what is true (lognormal ones, the mean at the bound).

        Raises
        ------
        ValueError
            If the smallest effect of interest is not positive.
        """
        if smallest <= 0:
            raise ValueError(f"the smallest effect of interest must be positive, not {smallest}")
        if self.error == 0:
            return float(abs(self.value) >= smallest)
        below = np.sum(self.t <= (self.value - smallest) / self.error)
        above = np.sum(self.t >= (self.value + smallest) / self.error)
        return float((1 + max(below, above)) / (1 + len(self.t)))

    @property
    def shares(self) -> Floats:
        """Share that each has in the sum of all sizes: in what is added to either side.

        Of the mean itself a share could be any number where it is near zero.
        """
        sizes = np.abs(self.totals)
        return sizes / sizes.sum() if sizes.any() else sizes

    @property
    def skewness(self) -> float:
        """Skewness of what is drawn: sqrt(n) times that of the mean, n the effective number."""
        away = self.totals - self.value * self.weights
        spread = float((away**2).sum())
        if spread <= 1e-24 * max(float((self.totals**2).sum()), 1e-300):
            return 0.0
        return float((away**3).sum() / spread**1.5 * np.sqrt(effective_number(self.weights)))

    def resting(self, level: float, smallest: float = 0.0) -> Floats:
        """Shares of those without any one of whom the mean would no longer be shown to differ.

        From 0; or if there is a `smallest`, from effects of at least this size. Quantiles of t are
        those of all.
        """
        value, error = self._without_each
        least, most = self._quantiles(2 * level if smallest else level)
        with np.errstate(invalid="ignore"):
            low, high = value - most * error, value - least * error
        shown = (low > -smallest) & (high < smallest) if smallest else (low > 0) | (high < 0)
        return np.asarray(self.shares[~shown])

    def _quantiles(self, level: float) -> tuple[float, float]:
        least = np.quantile(self.t, level / 2, method="lower")
        return float(least), float(np.quantile(self.t, 1 - level / 2, method="higher"))

    @property
    def _without_each(self) -> tuple[Floats, Floats]:
        """Means and standard errors without each of them."""
        weights, away = self.weights, self.totals - self.value * self.weights
        left, number = weights.sum() - weights, len(weights) - 1
        moved = -away / left
        squares = (away**2).sum() - 2 * moved * (away @ weights) + moved**2 * (weights @ weights)
        squares -= (away - moved * weights) ** 2
        error = np.sqrt(np.maximum(squares, 0) * number / max(number - 1, 1)) / left
        return self.value + moved, error


def studentised(values: Floats, people: Resampling) -> list[Studentised]:
    """Means over participants, a column each, and how they err; NaN does not count."""
    columns = values.reshape(len(values), -1)
    known = np.isfinite(columns)
    number = int(people.drawn.max()) + 1
    stands_for = people.sample[0][:, None]
    weights = sums(stands_for * known, people.drawn, number)
    totals = sums(stands_for * np.where(known, columns, 0.0), people.drawn, number)
    groups = (weights > 0).sum(0)
    with np.errstate(divide="ignore", invalid="ignore"):
        small = np.sqrt(groups / (groups - 1))
        value = totals.sum(0) / weights.sum(0)
        away = np.nan_to_num(totals - value * weights)
        error = small * np.sqrt((away**2).sum(0)) / weights.sum(0)
        error[error <= 1e-13 * np.abs(columns, where=known, out=np.zeros_like(columns)).max(0)] = 0
        drawn = []
        for counts in people.counts():
            total = counts @ weights
            off = counts @ away / total
            squares = counts @ away**2 - 2 * off * (counts @ (away * weights))
            squares += off**2 * (counts @ weights**2)
            spread = small * np.sqrt(np.maximum(squares, 0)) / total
            t = np.where(spread > 1e-7 * error, off / spread, np.sign(off) * np.inf)
            drawn.append(np.where(off == 0, 0.0, t))
    t = np.sort(np.concatenate(drawn), axis=0)
    made = []
    for column in range(columns.shape[1]):
        here = weights[:, column] > 0
        errs = t[:, column][~np.isnan(t[:, column])]
        if len(errs) < 0.99 * len(t):
            errs = errs[:0]
        made.append(
            Studentised(
                float(value[column]),
                float(error[column]),
                errs,
                totals[here, column],
                weights[here, column],
            )
        )
    return made
