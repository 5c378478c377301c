"""The lowest and the highest that a contrast could be, from how far its two conditions could be.

To what each person adds to the contrast that was found is added how far the person's own difference
could be from it. What a persona changes for whoever it is shown to is moved to its owner, as in the
contrast itself. Where next to nothing is open an end is the contrast with its own interval.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers, nanmean
from geppetto.evaluation.bounds.conditions import Change, Changes
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.inference.hypotheses import equivalence
from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimate, mean
from geppetto.evaluation.inference.wordings import over_wordings
from geppetto.evaluation.lending import influence
from geppetto.evaluation.losses import quality_where_shown
from geppetto.planning.analysis_config import Analysis


@dataclass(frozen=True, eq=False)
class End:
    """The lowest or the highest that a contrast could be.

    Attributes
    ----------
    contributions
        What each participant adds to its mean, shape (participants, wordings); NaN of those who
        have no such response.
    if_open
        What it is if some answer could cost anything: minus or plus infinity.
    people
        How participants are drawn.
    """

    contributions: Floats
    if_open: float
    people: Resampling

    def interval(self, analysis: Analysis) -> Estimate:
        """The mean over participants with its interval, which one participant has none of."""
        if self._is_open:
            return Estimate(self.if_open, self.if_open, self.if_open)
        if self._is_of_one:
            return Estimate(float(nanmean(self.contributions.ravel(), 0)), np.nan, np.nan)
        each, people = self._of_participants
        found = estimate(mean, each.mean(axis=1), people=people, method=analysis.intervals)
        if each.shape[1] > 1:
            return over_wordings(each, people).interval(found, people.level)
        return found

    def p_equivalent(self, analysis: Analysis) -> float:
        """p of a mean of at least the smallest effect of interest, as that of an effect."""
        if self._is_open or self._is_of_one:
            return 1.0
        each, people = self._of_participants
        p = equivalence(each.mean(axis=1), analysis.smallest_effect, people)
        if each.shape[1] > 1:
            over = over_wordings(each, people)
            p = max(p, over.tail(analysis.smallest_effect - abs(over.value)))
        return p

    @property
    def _is_open(self) -> bool:
        return bool(np.isinf(self.contributions).any())

    @property
    def _is_of_one(self) -> bool:
        """Whether there is no more than one participant."""
        return len(self._rows) < 2

    @property
    def _rows(self) -> Integers:
        return np.flatnonzero(~np.isnan(self.contributions).any(axis=1))

    @property
    def _of_participants(self) -> tuple[Floats, Resampling]:
        return self.contributions[self._rows], self.people.among(self._rows)


def ends(
    known: Differences, changes: tuple[Changes, Changes] | None, people: Resampling
) -> tuple[list[End], End]:
    """The lowest and the highest mean over people of what the worse arm costs beyond the better.

    Of a benefit there is a lowest against every prediction that could have been chosen, since with
    what was not said any of them may be the best; the highest is against the one that was chosen.

    Parameters
    ----------
    known
        The contrast on the cells that were scored.
    changes
        How much less and how much more each condition could cost; None if all is known.
    people
        How all participants are drawn; those of `known` come first.
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
