"""How far an effect could be from what was found, given what models did not say.

An answer that cannot be read is not left out here: its NLL is anything that its elicitation allows,
and so is that of an answer that is known within bounds only. The lowest effect has all of it at its
worst for the better arm and at its best for the other, the highest the reverse (Horowitz & Manski
2000, JASA 95, 77-84). Nothing is assumed of why an answer is missing.

To what each person adds to the contrast that was found is added how far the person's own difference
could be from it. What a persona changes for whoever it is shown to is moved to its owner, as in the
contrast itself. Where next to nothing is open an end is the contrast with its own interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers, nanmean
from geppetto.evaluation.bounds.conditions import Change, Changes, Limits
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.effects import Effect
from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimate, mean
from geppetto.evaluation.inference.studentised import studentised
from geppetto.evaluation.inference.wordings import over_wordings
from geppetto.evaluation.lending import influence
from geppetto.evaluation.losses import quality_where_shown
from geppetto.evaluation.words import number
from geppetto.planning.analysis_config import Analysis

INFINITE = (
    Estimate(-np.inf, -np.inf, -np.inf),
    Estimate(np.inf, np.inf, np.inf),
)
"""The bounds of what nothing is known of."""


@dataclass(frozen=True)
class Bounds:
    """The lowest and the highest that an effect could be.

    Attributes
    ----------
    lowest, highest
        In nats a response, with their intervals. From the lower end of the one to the upper end of
        the other is an interval that holds all that the effect could be, of all people and not only
        of these, with at least the probability of each: either end misses with half of what may be
        missed, and one of them only if they are far apart (Imbens & Manski 2004, Econometrica 72,
        1845-1857, give a shorter one, which holds the effect itself and not all that it could be).
    accuracy_lowest, accuracy_highest
        The same of how much more accurate the better arm is. An answer that was not read is right
        or wrong, and so is one whose most probable option is not known.
    p_equivalent
        p of a difference of at least the smallest effect of interest in what the effect could be:
        two one-sided tests, of the lowest and of the highest.
    exact
        Whether everything is known, so that they are the effect itself.

    Examples
    --------
    >>> from geppetto.evaluation.bounds import Bounds
    >>> from geppetto.evaluation.inference import Estimate
    >>> lowest, highest = Estimate(0.01, 0.002, 0.02), Estimate(0.05, 0.04, 0.06)
    >>> Bounds(lowest, highest, lowest, highest, p_equivalent=0.9, exact=False).hold(0, 0.1)
    True
    """

    lowest: Estimate
    highest: Estimate
    accuracy_lowest: Estimate
    accuracy_highest: Estimate
    p_equivalent: float
    exact: bool

    def hold(self, low: float, high: float) -> bool:
        """Whether all that the effect could be is between two numbers, whatever people it is of."""
        above = low == -np.inf or self.lowest.low > low
        return self.exact or (above and (high == np.inf or self.highest.high < high))

    def sentence(self, measure: str) -> str:
        """What the effect could be in a measure, in words."""
        lowest, highest = self.lowest, self.highest
        least, most = self.accuracy_lowest, self.accuracy_highest
        extremes = "ith what was not said at its worst and at its best it is"
        rightly = (
            f"{number(least.value, '+.1%')} to {number(most.value, '+.1%')} of responses "
            f"[{number(least.low, '+.1%')}, {number(most.high, '+.1%')}] predicted rightly"
        )
        if (lowest, highest) == INFINITE:
            return f"Nothing can be said of it in {measure}; w{extremes} {rightly}"
        low, high = number(lowest.low, "+.4f"), number(highest.high, "+.4f")
        return (
            f"W{extremes} {number(lowest.value, '+.4f')} to {number(highest.value, '+.4f')} "
            f"{measure} [{low}, {high}], and {rightly}"
        )


def bounds(effect: Effect, of: Limits, analysis: Analysis) -> Bounds:
    """The bounds of an effect over everything, on all planned cells.

    Only the NLL over the legal options and the Brier score of samples have bounds: in any other
    measure nothing is known of an answer that is not known.
    """
    known = effect.differences
    accuracy = (Estimate(np.nan, np.nan, np.nan),) * 2
    if misses := of.misses.get(known.conditions):
        least, most = ends(misses, of.missed, of.people)
        accuracy = _lowest(least, analysis), most.interval(analysis)
    if of.nll is None:
        return Bounds(effect.nats, effect.nats, *accuracy, p_equivalent=0.0, exact=True)
    limits = {"nll": of.nll, "brier": of.brier}.get(effect.measure)
    if limits is None:
        return Bounds(*INFINITE, *accuracy, p_equivalent=1.0, exact=False)
    lowest, highest = ends(known, limits, of.people)
    p = max(one.p_equivalent(analysis) for one in (*lowest, highest))
    nats = _lowest(lowest, analysis), highest.interval(analysis)
    return Bounds(*nats, *accuracy, p_equivalent=p, exact=False)


def _lowest(of: Sequence[End], analysis: Analysis) -> Estimate:
    """The lowest of several ends, with the lowest ends of their intervals."""
    each = [one.interval(analysis) for one in of]
    return Estimate(
        min(one.value for one in each), min(one.low for one in each), min(one.high for one in each)
    )


@dataclass(frozen=True, eq=False)
class End:
    """The lowest or the highest that a contrast could be.

    `contributions` are what each participant adds to its mean, shape (participants, wordings), NaN
    of those who have no such response. If some answer could cost anything it is `if_open`,
    infinite.
    """

    contributions: Floats
    if_open: float
    people: Resampling

    def interval(self, analysis: Analysis) -> Estimate:
        """The mean over participants with its interval, which one participant has none of."""
        if self._is_open:
            return Estimate(self.if_open, self.if_open, self.if_open)
        rows = self._rows
        if len(rows) < 2:
            return Estimate(float(nanmean(self.contributions.ravel(), 0)), np.nan, np.nan)
        each, people = self.contributions[rows], self.people.among(rows)
        found = estimate(mean, each.mean(axis=1), people=people, method=analysis.intervals)
        if each.shape[1] > 1:
            return over_wordings(each, people).interval(found, people.level)
        return found

    def p_equivalent(self, analysis: Analysis) -> float:
        """p of a mean of at least the smallest effect of interest, as that of an effect."""
        rows = self._rows
        if self._is_open or len(rows) < 2:
            return 1.0
        each, people = self.contributions[rows], self.people.among(rows)
        (found,) = studentised(each.mean(axis=1), people)
        p = found.p_within(analysis.smallest_effect)
        if each.shape[1] > 1:
            over = over_wordings(each, people)
            p = max(p, over.tail(analysis.smallest_effect - abs(over.value)))
        return p

    @property
    def _is_open(self) -> bool:
        return bool(np.isinf(self.contributions).any())

    @property
    def _rows(self) -> Integers:
        return np.flatnonzero(~np.isnan(self.contributions).any(axis=1))


def ends(
    known: Differences, changes: tuple[Changes, Changes] | None, people: Resampling
) -> tuple[list[End], End]:
    """The lowest and the highest mean over people of what the worse arm costs beyond the better.

    Of a benefit there is a lowest against every prediction that could have been chosen, since with
    what was not said any of them may be the best; the highest is against the one that was chosen.
    `known` is the contrast on the scored cells, and its people come first among all.
    """
    parts = known.wordings or (known,)
    adds = [np.stack([part.influence for part in parts], axis=1)]
    if known.rivals is not None:
        rivals = [part.rivals for part in parts if part.rivals is not None]
        adds += list(np.moveaxis(np.stack(rivals, axis=2), 1, 0))
    each = np.full((len(adds), len(people.base), len(parts)), np.nan)
    each[:, known.rows] = adds
    lowest, highest = list(each), each[0]
    if changes is not None:
        least, most = changes
        better, worse = known.conditions[1], _of_worse(known, least)
        lowest = [
            _moved(one, of, most[better], -np.inf, people)
            for one, of in zip(each, worse, strict=True)
        ]
        chosen, *_ = _of_worse(known, most)
        highest = _moved(each[0], chosen, least[better], np.inf, people)
    return [End(one, -np.inf, people) for one in lowest], End(highest, np.inf, people)


def _of_worse(known: Differences, changes: Changes) -> list[Sequence[Change]]:
    """How far the worse arm could be from what it was found to, in each wording.

    Of a benefit first what was chosen, then each that could have been.
    """
    best = known.uninformed
    if best is None:
        return [changes[known.conditions[0]]]
    of = [changes[condition] for condition in best.conditions]
    best = best.beyond(of[0][0].values.shape[1])
    values = [
        best.of([_known_mean(one[number % len(one)].values) for one in of])[None]
        for number in range(max(map(len, of)))
    ]
    return [[Change(one, np.full(one.shape, -1)) for one in values], *of]


def _moved(
    each: Floats,
    worse: Sequence[Change],
    better: Sequence[Change],
    if_both_open: float,
    people: Resampling,
) -> Floats:
    """What participants add to an end; a condition of one wording is the same in all."""
    added = np.stack(
        [
            _added(worse[n % len(worse)], better[n % len(better)], if_both_open, people)
            for n in range(each.shape[1])
        ],
        axis=1,
    )
    return np.where(np.isnan(each), added, each + added)


def _added(worse: Change, better: Change, if_both_open: float, people: Resampling) -> Floats:
    """What a change of both conditions adds, in one wording; see `influence`.

    What a persona changes is taken from the strangers that it was shown for.
    """
    a, b = (_known_mean(change.values) for change in (worse, better))
    both = np.isinf(a) & np.isinf(b)
    persons = np.where(both, if_both_open, a - np.where(both, 0.0, b))
    if np.isinf(persons).any():
        return persons
    quality = quality_where_shown(
        np.concatenate([worse.values, better.values]), np.concatenate([worse.donors, better.donors])
    )
    moved = (
        influence(worse.values, worse.donors, quality, people.base)
        - influence(better.values, better.donors, quality, people.base)
        - persons
    )
    known = ~np.isnan(persons)
    return persons + moved - np.average(moved[known], weights=people.base[known])


def _known_mean(values: Floats) -> Floats:
    """Mean over draws, infinite if a value is; NaN where there is none."""
    known = ~np.isnan(values)
    count = known.sum(0)
    total = np.sum(values, axis=0, where=known)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
