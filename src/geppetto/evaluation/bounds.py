"""How far an effect could be from what was found, given what models did not say.

An answer that cannot be read is not left out here: its NLL is anything that its elicitation allows,
and so is that of an answer that is known within bounds only. The lowest effect has all of it at its
worst for the better arm and at its best for the other, the highest the reverse (Horowitz & Manski
2000, JASA 95, 77-84). Nothing is assumed of why an answer is missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from geppetto.evaluation.analysis import Analysis, drawn
from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.asked import asked_quality
from geppetto.evaluation.calibration import top_options
from geppetto.evaluation.effects import Effect, influence
from geppetto.evaluation.predictions import Predictions, in_each_wording, predictions
from geppetto.evaluation.resampling import LEVEL, Estimate, Resampling, estimate, mean
from geppetto.evaluation.wordings import over_wordings
from geppetto.plan import Condition

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
        of these, with at least the probability of each: either end misses with half of what may
        be missed, so that together they miss with no more, and one of them only if they are far
        apart (Imbens & Manski 2004, Econometrica 72, 1845-1857, give a shorter one, which holds the
        effect itself with that probability and not all that it could be).
    accuracy_lowest, accuracy_highest
        The same of how much more accurate the better arm is, each answer that was not read being
        right or wrong. One that is known within bounds counts as what it is most probably.
    exact
        Whether everything is known, so that they are the effect itself.
    """

    lowest: Estimate
    highest: Estimate
    accuracy_lowest: Estimate
    accuracy_highest: Estimate
    exact: bool

    def hold(self, low: float, high: float) -> bool:
        """Whether all that the effect could be is between two numbers, whatever people it is of."""
        above = low == -np.inf or self.lowest.low > low
        return self.exact or (above and (high == np.inf or self.highest.high < high))

    @property
    def sentence(self) -> str:
        """What is not known, in words."""
        lowest, highest = self.lowest, self.highest
        least, most = self.accuracy_lowest, self.accuracy_highest
        return (
            "What was not said could undo this: with that at its worst and at its best it "
            f"is {lowest.value:+.4f} to {highest.value:+.4f} nats a response "
            f"[{lowest.low:+.4f}, {highest.high:+.4f}], and {least.value:+.1%} to "
            f"{most.value:+.1%} of responses [{least.low:+.1%}, {most.high:+.1%}] predicted rightly"
        )


Costs = Mapping[Condition, Predictions]
"""Predictions by condition, with minus what an answer costs instead of its log-probability."""


@dataclass(frozen=True, eq=False)
class Limits:
    """The least and the most that every condition could have cost, on all planned cells.

    Attributes
    ----------
    nll
        The least and the most NLL of the real responses; nothing where everything is known.
    missed
        The least and the most that a response is not the most probable option.
    people
        How the participants of all of them are drawn.
    """

    nll: tuple[Costs, Costs] | None
    missed: tuple[Costs, Costs]
    people: Resampling


def limits(planned: pd.DataFrame, scored: Sequence[Predictions], analysis: Analysis) -> Limits:
    """The limits of all conditions of a slice of answers.

    Parameters
    ----------
    planned
        Rows of `geppetto.answers.table` of one slice, unscored ones included; every condition has
        the same cells.
    scored
        The predictions of those cells that every condition scored.
    analysis
        Settings of the inference.
    """
    nll = None
    low, high = planned["nll_low"].to_numpy(float), planned["nll_high"].to_numpy(float)
    told = (planned["status"] == "scored").all()
    if told and ((low == high) | (np.isnan(low) & np.isnan(high))).all():
        known: Costs = {p.condition: replace(p, log_prob=top_options(p)[1] - 1) for p in scored}
        missed = known, known
    else:
        read, closed = (planned["status"] == "scored").to_numpy(), ~np.isnan(low)
        misses = np.full(len(planned), np.nan)
        misses[read] = 1 - hits(planned[read])
        nll = _costing(planned, low), _costing(planned, high)
        missed = (
            _costing(planned, np.where(closed & ~read, 0.0, misses)),
            _costing(planned, np.where(closed & ~read, 1.0, misses)),
        )
    given = next(iter(missed[0].values())).responses
    people = replace(drawn(given, analysis), level=LEVEL / analysis.looks)
    return Limits(nll, missed, people)


def _costing(planned: pd.DataFrame, costs: Floats) -> Costs:
    uniform = planned["options"].map(lambda options: (0.0,) * len(options))
    costing = planned.assign(log_prob=-costs, option_log_probs=uniform)
    return {found.condition: found for found in predictions(costing)}


def hits(scored: pd.DataFrame) -> Floats:
    """Whether each response is the most probable option: 1, 0, or 1/m of m that tie.

    NaN of an open response.
    """
    found = np.full(len(scored), np.nan)
    lengths = scored["options"].map(len).to_numpy()
    said = scored["option_log_probs"].to_numpy()
    place = np.array(
        [
            tuple(codes).index(response) if len(codes) else -1
            for codes, response in zip(scored["options"], scored["response"], strict=True)
        ]
    )
    for length in np.unique(lengths[lengths > 0]):
        rows = np.flatnonzero(lengths == length)
        values = np.array(said[rows].tolist(), float)
        best = values == values.max(axis=1, keepdims=True)
        found[rows] = best[np.arange(len(rows)), place[rows]] / best.sum(axis=1)
    return found


def bounds(effect: Effect, of: Limits, analysis: Analysis) -> Bounds:
    """The bounds of an effect over everything, on all planned cells.

    Only the NLL over the legal options has bounds: in any other measure nothing is known of an
    answer that is not known.
    """
    accuracy = _ends(effect, of.missed, of.people, analysis)
    if of.nll is None:
        return Bounds(effect.nats, effect.nats, *accuracy, exact=True)
    if effect.measure != "nll":
        return Bounds(*INFINITE, *accuracy, exact=False)
    return Bounds(*_ends(effect, of.nll, of.people, analysis), *accuracy, exact=False)


def _ends(
    effect: Effect, costs: tuple[Costs, Costs], people: Resampling, analysis: Analysis
) -> tuple[Estimate, Estimate]:
    """The lowest and the highest mean over people of what the worse arm costs beyond the better."""
    least, most = costs
    worse, better = effect.differences.conditions
    lowest = _mean(least[worse], most[better], -np.inf, people, analysis)
    if least is most:
        return lowest, lowest
    return lowest, _mean(most[worse], least[better], np.inf, people, analysis)


def _mean(
    worse: Predictions, better: Predictions, open_end: float, people: Resampling, analysis: Analysis
) -> Estimate:
    pairs = [_differences(a, b, open_end, people) for a, b in in_each_wording([worse, better])]
    persons = np.mean([own for own, _ in pairs], axis=0)
    rows = np.flatnonzero(~np.isnan(persons))
    if not len(rows):
        return Estimate(np.nan, np.nan, np.nan)
    if np.isinf(persons[rows]).any():
        return Estimate(open_end, open_end, open_end)
    drawn = people.among(rows)
    each = np.stack([contributions[rows] for _, contributions in pairs], axis=1)
    found = estimate(mean, each.mean(axis=1), people=drawn, method=analysis.intervals)
    if each.shape[1] > 1:
        return over_wordings(each, drawn).interval(found, people.level)
    return found


def _differences(
    worse: Predictions, better: Predictions, open_end: float, people: Resampling
) -> tuple[Floats, Floats]:
    """Each participant's difference, and what they add to its mean; both of shape (participants,).

    See `geppetto.evaluation.effects.influence`. What a persona costs is taken from the strangers
    that it was shown for.
    """
    costs = [_known_mean(-arm.log_prob, 2) for arm in (worse, better)]
    a, b = (_known_mean(cost, 0) for cost in costs)
    both = np.isinf(a) & np.isinf(b)
    persons = np.where(both, open_end, a - np.where(both, 0.0, b))
    if np.isinf(persons).any():
        return persons, persons
    donors = [arm.donors for arm in (worse, better)]
    quality = asked_quality(np.concatenate(costs), np.concatenate(donors))
    moved = (
        influence(costs[0], donors[0], quality, people.base)
        - influence(costs[1], donors[1], quality, people.base)
        - persons
    )
    known = ~np.isnan(persons)
    centre = np.average(moved[known], weights=people.base[known]) if known.any() else np.nan
    return persons, persons + moved - centre


def _known_mean(values: Floats, axis: int) -> Floats:
    """Mean along an axis, infinite if a value is; NaN where there is none."""
    known = ~np.isnan(values)
    count = known.sum(axis)
    total = np.sum(values, axis=axis, where=known)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
