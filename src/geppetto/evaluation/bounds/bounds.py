"""How far an effect could be from what was found, given what models did not say.

An answer that cannot be read is not left out here: its NLL is anything that its elicitation allows,
and so is that of an answer that is known within bounds only. The lowest effect has all of it at its
worst for the better arm and at its best for the other, the highest the reverse (Horowitz & Manski
2000, JASA 95, 77-84). Nothing is assumed of why an answer is missing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geppetto.evaluation.bounds.conditions import Limits
from geppetto.evaluation.bounds.contrasts import End, ends
from geppetto.evaluation.effects import Effect
from geppetto.evaluation.inference.resampling import Estimate
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
        of these, with at least the probability of each: either end misses with half of what may
        be missed, so that together they miss with no more, and one of them only if they are far
        apart (Imbens & Manski 2004, Econometrica 72, 1845-1857, give a shorter one, which holds the
        effect itself with that probability and not all that it could be).
    accuracy_lowest, accuracy_highest
        The same of how much more accurate the better arm is. An answer that was not read is right
        or wrong, and so is one whose most probable option is not known.
    p_equivalent
        p of a difference of at least the smallest effect of interest in what the effect could be:
        two one-sided tests, of the lowest and of the highest.
    exact
        Whether everything is known, so that they are the effect itself.
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
