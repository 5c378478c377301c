"""Intervals from resampling whole participants, vectorised over their sums.

A *statistic* here is a function `(weights, *values) -> draws`: `weights` has shape
(draws, participants) and says how often each participant counts in each draw; the first axis of
every array of values is participants; the result has shape (draws,). So one set of weights serves
every statistic, all of them are of the same resampled people, and a draw costs a matrix product
and never a pass over answers.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from geppetto.evaluation.arrays import Floats, Integers, effective_number
from geppetto.evaluation.inference.studentised import studentised
from geppetto.planning.analysis_config import DRAWS, LEVEL, Analysis, Method

_BATCH = 20_000_000
_KEPT = 50_000_000
_SHARED = 2_000_000

Weights = Floats
Statistic = Callable[..., Floats]


@dataclass(frozen=True)
class Estimate:
    """A number and its interval over participants, of 95% where nothing else is said.

    Examples
    --------
    >>> from geppetto.evaluation.inference import Estimate
    >>> Estimate(0.02, 0.01, 0.03).excludes_zero()
    True
    """

    value: float
    low: float
    high: float

    def excludes_zero(self) -> bool:
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, eq=False)
class Resampling:
    """How participants are drawn again: whole, with their clusters, within their studies.

    Attributes
    ----------
    base
        What each participant counts for in the sample itself, shape (participants,): ones, or
        survey weights.
    clusters
        Number of the group above each participant, shape (participants,); groups are drawn, and
        with a group all of its members. Everyone is a group of their own by default.
    studies
        Number of each participant's study, shape (participants,), or None. With several studies,
        studies are drawn first and people within each drawn study, and every study counts the
        same (a nested bootstrap; Davison & Hinkley 1997, section 3.8).

    Examples
    --------
    >>> from geppetto.evaluation.inference import Resampling
    >>> families = Resampling.of(6, clusters=[0, 0, 1, 1, 2, 2])
    >>> families.grouped, families.units
    (True, 3.0)
    """

    base: Floats
    clusters: Integers
    studies: Integers | None = None
    draws: int = DRAWS
    seed: int = 0
    level: float = LEVEL

    @classmethod
    def of(
        cls,
        participants: int,
        *,
        base: ArrayLike | None = None,
        clusters: ArrayLike | None = None,
        studies: ArrayLike | None = None,
        draws: int = DRAWS,
        seed: int = 0,
        level: float = LEVEL,
    ) -> Resampling:
        """A resampling of so many participants.

        Raises
        ------
        ValueError
            If there are fewer than two groups: one says nothing about others.
        """
        groups = np.arange(participants) if clusters is None else np.asarray(clusters, np.int64)
        groups = np.unique(groups, return_inverse=True)[1]
        numbers = None
        if studies is not None:
            numbers = np.unique(np.asarray(studies), return_inverse=True)[1].astype(np.int64)
            numbers = numbers if numbers.max() else None
        if groups.size == 0 or groups.max() < 1:
            raise ValueError("an interval over participants needs at least two of them")
        weights = np.ones(participants) if base is None else np.asarray(base, float)
        return cls(weights, groups.astype(np.int64), numbers, draws, seed, level)

    def among(self, rows: Integers) -> Resampling:
        """The same resampling of some of the participants only."""
        if len(rows) == len(self.base):
            return self
        return Resampling.of(
            len(rows),
            base=self.base[rows],
            clusters=self.clusters[rows],
            studies=None if self.studies is None else self.studies[rows],
            draws=self.draws,
            seed=self.seed,
            level=self.level,
        )

    @property
    def grouped(self) -> bool:
        """Whether some participants are in one group."""
        return bool(self.clusters.max() + 1 < len(self.clusters))

    @property
    def drawn(self) -> Integers:
        """Number of what is drawn first with each participant: of their study, or their group."""
        return self.clusters if self.studies is None else self.studies

    @property
    def units(self) -> float:
        """How many people, groups of people or studies the sample is worth.

        Kish's (1965) effective number over the totals of their weights: of groups of 300, 100 and
        18 times 5 people it is 2.4, and of people without survey weights their number.
        """
        return effective_number(np.asarray(np.bincount(self.drawn, self.sample[0]), float))

    @property
    def sample(self) -> Weights:
        """The sample itself, shape (1, participants)."""
        return (self.base * self._share)[None]

    @property
    def tails(self) -> Floats:
        """Shares of the draws below the two ends of an expanded percentile interval.

        Draws of n vary less than n do, by (n - 1)/n in variance, and a percentile interval has the
        normal's tails where t's are due. Quantiles further out make up for both: those at
        Φ(∓ t(n - 1) sqrt(n / (n - 1))) (Hesterberg 2015, The American Statistician 69, 371-386,
        section 5.3). n is `units`.
        """
        drawn = self.units
        if drawn <= 1.001:  # survey weights may leave one person only
            return np.array([0.0, 1.0])
        end = stats.t.ppf(1 - self.level / 2, drawn - 1) * np.sqrt(drawn / (drawn - 1))
        return np.asarray(stats.norm.cdf([-end, end]))

    @cached_property
    def _share(self) -> Floats:
        """What makes every study count the same, and 1 with one study."""
        if self.studies is None:
            return np.ones(len(self.base))
        totals = np.bincount(self.studies, self.base)
        return np.asarray(len(self.base) / len(totals) / totals[self.studies])

    def counts(self) -> Iterator[Weights]:
        """How often each of what is drawn first is drawn, in batches of shape (some draws, them).

        Of several studies these are studies only, without drawing people within them.
        """
        rng = np.random.default_rng(self.seed)
        number = int(self.drawn.max()) + 1
        for size in batches(self.draws, number):
            yield _drawn(number, size, rng)

    def weights(self) -> Iterator[Weights]:
        """Weights of all draws, in batches of shape (some draws, participants)."""
        if self.draws * len(self.base) <= _KEPT:
            yield self._kept
            return
        yield from self._batches()

    @cached_property
    def _kept(self) -> Weights:
        groups = int(self.clusters.max()) + 1
        if self.studies is None and self.draws * groups <= _SHARED:
            return _drawn_before(groups, self.draws, self.seed)[:, self.clusters] * self.base
        return np.concatenate(list(self._batches()))

    def _batches(self) -> Iterator[Weights]:
        rng = np.random.default_rng(self.seed)
        for count in batches(self.draws, len(self.base)):
            counts = self._counts(count, rng) if self.studies is None else self._nested(count, rng)
            yield counts * self.base

    def _counts(self, draws: int, rng: np.random.Generator) -> Weights:
        return np.asarray(_drawn(int(self.clusters.max()) + 1, draws, rng)[:, self.clusters])

    def _nested(self, draws: int, rng: np.random.Generator) -> Weights:
        assert self.studies is not None
        number = int(self.studies.max()) + 1
        weights = np.zeros((draws, len(self.base)))
        times = _drawn(number, draws, rng)
        members = [np.flatnonzero(self.studies == study) for study in range(number)]
        for study, people in enumerate(members):
            groups = np.unique(self.clusters[people], return_inverse=True)[1]
            for repeat in range(1, int(times[:, study].max()) + 1):
                chosen = np.flatnonzero(times[:, study] >= repeat)
                counts = _drawn(int(groups.max()) + 1, len(chosen), rng)[:, groups]
                totals = (counts * self.base[people]).sum(1, keepdims=True)
                weights[np.ix_(chosen, people)] += counts / totals
        return weights * len(self.base) / number

    def leave_one_out(self) -> Iterator[Weights]:
        """Weights with each group left out once, in batches: the jackknife.

        With several studies the groups are studies.
        """
        groups = int(self.drawn.max()) + 1
        sizes = list(batches(groups, len(self.base)))
        for left_out in np.split(np.arange(groups), np.cumsum(sizes)[:-1]):
            yield (self.drawn[None] != left_out[:, None]) * self.sample


@lru_cache(maxsize=16)
def _drawn_before(groups: int, draws: int, seed: int) -> Weights:
    """The same, of as many people and with the same seed for whatever is estimated of them."""
    return _drawn(groups, draws, np.random.default_rng(seed))


def _drawn(groups: int, draws: int, rng: np.random.Generator) -> Weights:
    """How often each of so many groups is drawn, shape (draws, groups)."""
    chosen = rng.integers(groups, size=(draws, groups))
    chosen += np.arange(draws)[:, None] * groups
    counts = np.bincount(chosen.ravel(), minlength=draws * groups)
    return np.asarray(counts.reshape(draws, groups), float)


def estimate(
    statistic: Statistic, *values: Any, people: Resampling, method: Method = "percentile"
) -> Estimate:
    """A statistic of the sample with its bootstrap interval.

    Its ends are NaN where more than one draw in a hundred has no value.

    Parameters
    ----------
    method
        "percentile" (Efron & Tibshirani 1993, ch. 13), expanded as `Resampling.tails` says;
        "bca", bias-corrected and accelerated (Efron 1987), which is not expanded; or
        "studentised": of a `mean` the bootstrap-t (see `studentised`), and of statistics without a
        standard error in each draw the expanded percentiles.

    Examples
    --------
    >>> import numpy as np
    >>> from geppetto.evaluation.inference import Resampling, estimate, mean
    >>> saved = np.array([0.1, 0.3, -0.1, 0.2, 0.4, 0.3])
    >>> found = estimate(mean, saved, people=Resampling.of(6))
    >>> round(found.value, 3), found.low < 0.2 < found.high
    (0.2, True)
    """
    (found,) = estimates(statistic, *values, people=people, method=method)
    return found


def estimates(
    statistic: Statistic, *values: Any, people: Resampling, method: Method = "percentile"
) -> list[Estimate]:
    """Several statistics at once, of the same draws: one a column.

    The statistic gives an array of shape (draws, columns); all else is as in `estimate`.
    """
    if method == "studentised" and statistic is mean:
        return [
            Estimate(one.value, *one.ends(people.level)) for one in studentised(values[0], people)
        ]
    sample = statistic(people.sample, *values).reshape(-1)
    drawn = np.concatenate([statistic(weights, *values) for weights in people.weights()])
    drawn = drawn.reshape(len(drawn), -1)
    left_out, tails = None, people.tails
    if method == "bca":
        tails = np.array([people.level / 2, 1 - people.level / 2])
        parts = [statistic(weights, *values) for weights in people.leave_one_out()]
        left_out = np.concatenate(parts).reshape(-1, len(sample))
    return [
        _interval(
            float(value),
            drawn[:, column],
            None if left_out is None else left_out[:, column],
            tails,
        )
        for column, value in enumerate(sample)
    ]


def _interval(value: float, drawn: Floats, left_out: Floats | None, tails: Floats) -> Estimate:
    """The interval of a value from its draws; BCa if its leave-one-out values are given."""
    missing = np.isnan(drawn)
    if np.isnan(value) or missing.mean() > 0.01:
        return Estimate(value, float("nan"), float("nan"))
    drawn = drawn[~missing]
    if left_out is not None:
        tails = _bca_tails(value, drawn, left_out, tails)
    low, high = np.quantile(drawn, tails)
    return Estimate(value, float(low), float(high))


def _bca_tails(value: float, drawn: Floats, left_out: Floats, tails: Floats) -> Floats:
    below = np.mean(drawn < value) + np.mean(drawn == value) / 2
    if not 0 < below < 1:
        return tails
    away = np.nanmean(left_out) - left_out
    spread = np.nansum(away**2)
    acceleration = np.nansum(away**3) / (6 * spread**1.5) if spread > 0 else 0.0
    bias, ends = stats.norm.ppf(below), stats.norm.ppf(tails)
    return np.asarray(stats.norm.cdf(bias + (bias + ends) / (1 - acceleration * (bias + ends))))


def mean(weights: Weights, values: Floats) -> Floats:
    """Mean over participants, of each column if there are some; NaN does not count.

    Examples
    --------
    >>> import numpy as np
    >>> from geppetto.evaluation.inference import mean
    >>> mean(np.array([[1.0, 1.0], [0.0, 2.0]]), np.array([2.0, 4.0])).tolist()
    [3.0, 4.0]
    """
    known = np.isfinite(values)
    if known.all():
        return np.asarray(weights @ values / totals(weights, values))
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(weights @ np.where(known, values, 0.0) / (weights @ known.astype(float)))


def totals(weights: Weights, values: Floats) -> Floats:
    """Sum of weights of each draw, in a shape to divide by."""
    total = np.asarray(weights.sum(axis=1))
    return total if values.ndim == 1 else total[:, None]


def drawn(
    weights: ArrayLike, clusters: ArrayLike, analysis: Analysis, level: float = LEVEL
) -> Resampling:
    """How people are drawn: whole, with their clusters, by their weights if so analysed."""
    return Resampling.of(
        len(np.asarray(clusters)),
        base=weights if analysis.weighted else None,
        clusters=clusters,
        draws=analysis.draws,
        seed=analysis.seed,
        level=level,
    )


def batches(number: int, width: int, most: int = _BATCH) -> Iterator[int]:
    """Sizes of batches of so many rows of this width, of which none has too many numbers."""
    size = max(1, most // width)
    for start in range(0, number, size):
        yield min(size, number - start)
