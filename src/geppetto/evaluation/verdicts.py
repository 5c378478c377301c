"""What each comparison comes to: a verdict, from its tests, in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from statsmodels.stats.multitest import multipletests

from geppetto.evaluation.bounds import Bounds
from geppetto.evaluation.effects import Effect
from geppetto.evaluation.enough import Unit, too_few
from geppetto.evaluation.hypotheses import holm
from geppetto.evaluation.resampling import LEVEL, Estimate
from geppetto.evaluation.second_opinion import OtherItems

Finding = Literal["helps", "hurts", "equivalent to nothing", "undecided"]

UNDONE = "unless what was not said undoes it"


@dataclass(frozen=True)
class Comparison:
    """A comparison with its tests, before it is corrected for the others.

    Attributes
    ----------
    effect
        The comparison with its intervals.
    p
        Two-sided p of no difference.
    p_equivalent
        p of a difference of at least the smallest effect of interest.
    test
        What was permuted for p.
    people_needed
        How many people would decide it; None where that is not a matter of people.
    units, unit
        How many people, groups of people or studies the comparison rests on, and which of them.
    bounds
        As in `Verdict`.
    """

    effect: Effect
    p: float
    p_equivalent: float
    test: str
    people_needed: int | None
    units: float
    unit: Unit
    bounds: Bounds | None = None

    @property
    def p_equivalent_bounded(self) -> float:
        """p of a difference of at least the smallest of interest, whatever was not said."""
        if self.bounds is None:
            return self.p_equivalent
        return max(self.p_equivalent, self.bounds.p_equivalent)


@dataclass(frozen=True)
class Verdict:
    """What one comparison comes to.

    Attributes
    ----------
    effect
        The comparison with its intervals.
    confirmatory
        Whether it is one of those that answer the question: information, over the legal options,
        or in sessions with open responses over everything. The others explore.
    p, p_adjusted
        Two-sided p of no difference, by permuting whole people, and over several wordings no
        smaller than by `OverWordings.tail`; and corrected for its family, by
        Holm (1979) for the confirmatory comparisons, by Benjamini & Hochberg (1995) for the
        others.
    p_equivalent, p_equivalent_adjusted
        The same of a difference of at least `smallest` in either direction (TOST; Schuirmann
        1987): small if there is none.
    p_equivalent_bounded
        `p_equivalent` or that of the bounds, whichever is larger, corrected in the same way.
    smallest
        The smallest effect of interest in nats a response.
    family
        How many comparisons were corrected together.
    looks
        Which look at these people it is; p-values are multiplied by it, too.
    test
        What was permuted for p: whose persona is whose, or the signs of people's differences.
    people_needed
        How many people tell an effect of the smallest size of interest from nothing, and nothing
        from it, with 80% probability each, if they vary and hang together as these do and the
        comparison were the only one, in these wordings. An effect in between takes more. None for
        pooled studies, of which it takes more.
    units, unit
        How many people, groups of people or studies the comparison rests on, and which of them.
    bounds
        How far the effect could be from this, given what models did not say; None where that is
        not computed: of parts of people, items and wordings, of pooled studies, of gaps and of
        what optimisers gain.
    items
        What it comes to over other items like these, which is found for all that are confirmatory
        and changes no verdict; None for the others.
    """

    effect: Effect
    confirmatory: bool
    p: float
    p_adjusted: float
    p_equivalent: float
    p_equivalent_adjusted: float
    p_equivalent_bounded: float
    smallest: float
    family: int
    looks: int
    test: str
    people_needed: int | None
    units: float
    unit: Unit
    bounds: Bounds | None = None
    items: OtherItems | None = None

    @property
    def outcome(self) -> str:
        """The verdict: what is `found`, marked if what was not said could undo it."""
        return self.found if self.survives_bounds else f"{self.found}, {UNDONE}"

    @property
    def found(self) -> Finding:
        """What the answers that were scored come to.

        A difference helps or hurts if its interval excludes zero and its corrected p is below
        .05. It is equivalent to nothing if it is shown to be smaller than the smallest effect of
        interest, even where it is not zero, unless that is `withheld`. Everything else is
        undecided, and so is everything that rests on less than `FEWEST`.
        """
        if self.is_of_too_few:
            return "undecided"
        if self.p_equivalent_adjusted < LEVEL and not self.withheld:
            return "equivalent to nothing"
        if self.p_adjusted < LEVEL and self.effect.nats.excludes_zero():
            return "helps" if self.effect.nats.value > 0 else "hurts"
        return "undecided"

    @property
    def withheld(self) -> str:
        """Why nothing can be shown to be equivalent to nothing here; empty if it can be.

        What is shown to be so on the cells that were scored has to be on all planned ones, too.
        """
        if self.effect.measure == "brier":
            return "the smallest effect of interest is in nats"
        if self.effect.differences.sampled:
            return "the NLL of samples is smoothed, which makes what differs look alike"
        if self._may_matter:
            return f"with what was not said it may be {self.smallest:g} nats or more"
        return ""

    @property
    def _may_matter(self) -> bool:
        """Whether what is equivalent to nothing on scored cells need not be so on all of them."""
        return self.p_equivalent_adjusted < LEVEL <= self.p_equivalent_bounded

    @property
    def confidence(self) -> str:
        """What its intervals hold, in percent."""
        return f"{100 * (1 - LEVEL / self.looks):.4g}%"

    @property
    def sentence(self) -> str:
        """The verdict in words, with its numbers."""
        effect, nats = self.effect, self.effect.nats
        of = f" ({self.confidence})" if self.looks > 1 else ""
        numbers = (
            f"{interval(nats)}{of} {self.unit_of_measure} a response{self._measured}"
            f"{self._wordings}, "
            f"d_z {effect.d_z.value:+.2f}, "
            f"{effect.improved.value:.0%} of {effect.participants:,} people improved; "
            f"{p_value(self.p_adjusted)} ({self.test}) after {self.correction}, "
            f"equivalence {self.equivalence}"
        )
        unknown = "" if self.survives_bounds else " What was not said could undo this."
        if self.bounds and (unknown or self._may_matter):
            unknown += f" {self.bounds.sentence(self._measure)}."
        return f"{self.found}: {self._claim}. {numbers}.{unknown}{self._over_items}"

    @property
    def generalises(self) -> bool | None:
        """Whether what is found holds over other items, too; None where that cannot be said."""
        if self.found == "undecided" or self.items is None or self.items.model is None:
            return None
        there, here = self.items.model.mean, self.effect.nats.value
        if self.found == "equivalent to nothing":
            return -self.smallest < there.low and there.high < self.smallest
        return there.excludes_zero() and there.value * here > 0

    @property
    def _over_items(self) -> str:
        """What may be said of other items, as a sentence; empty where that is not found."""
        if self.items is None:
            return ""
        if self.items.model is None:
            return f" Of other items nothing is said: {self.items.reason}."
        mean = self.items.model.mean
        ends = f"[{mean.low:+.4f}, {mean.high:+.4f}]"
        match self.generalises:
            case True:
                return f" Over other items like these, too: {ends}."
            case False:
                return f" For other items like these it is open: {ends}."
        return f" Over other items like these: {ends}."

    @property
    def survives_bounds(self) -> bool:
        """Whether what it says holds whatever was not said; that something is open always does.

        So does that something is equivalent to nothing, which would otherwise be `withheld`. That
        it helps or hurts has to hold in the interval of the bounds, which is corrected for looks,
        but not for the family.
        """
        match self.found:
            case "helps":
                return self.bounds is None or self.bounds.hold(0.0, np.inf)
            case "hurts":
                return self.bounds is None or self.bounds.hold(-np.inf, 0.0)
        return True

    @property
    def correction(self) -> str:
        """What the p-values are corrected by."""
        name = "Holm" if self.confirmatory else "Benjamini-Hochberg"
        looks = f" and {self.looks} looks at these people" if self.looks > 1 else ""
        return f"{name} over {self.family:,}{looks}"

    @property
    def unit_of_measure(self) -> str:
        """What the effect is a number of."""
        return "of Brier score" if self.effect.measure == "brier" else "nats"

    @property
    def equivalence(self) -> str:
        """The p of equivalence, or why there is none."""
        if self.withheld:
            return f"withheld ({self.withheld})"
        return p_value(self.p_equivalent_adjusted)

    @property
    def equivalence_p(self) -> float:
        """The corrected p of equivalence; NaN where it is `withheld`."""
        return float("nan") if self.withheld else self.p_equivalent_adjusted

    @property
    def _measure(self) -> str:
        return f"{self.unit_of_measure.removeprefix('of ')} a response{self._measured}"

    @property
    def _measured(self) -> str:
        measure = self.effect.measure
        return f" {over(measure)}" if measure == "nll_full" else ""

    @property
    def _wordings(self) -> str:
        number = len(self.effect.differences.wordings)
        return f" over {number} wordings" if number else ""

    @property
    def _claim(self) -> str:
        effect, contrast = self.effect, self.effect.contrast
        where = f"with {effect.model} and {effect.strategy}"
        where += f", among {effect.among}," if effect.among else ","
        if self.is_of_too_few:
            return f"{where} {self.too_few}"
        better, worse = in_words(contrast.better), in_words(contrast.worse)
        match self.found:
            case "helps":
                return f"{where} people are predicted better with {better} than with {worse}"
            case "hurts":
                return f"{where} people are predicted worse with {better} than with {worse}"
            case "equivalent to nothing":
                return (
                    f"{where} people are predicted equally well with {better} and with {worse}, "
                    f"to within {self.smallest:g} nats"
                )
        alone = ""
        if effect.nats.excludes_zero():
            alone = " (the interval on its own excludes zero; the corrected test does not)"
        elif self.p_adjusted < LEVEL:
            alone = " (the corrected test finds a difference, but the interval includes zero)"
        return (
            f"{where} it is open whether people are predicted better with {better} than with "
            f"{worse}{alone}{self._more}"
        )

    @property
    def is_of_too_few(self) -> bool:
        """Whether less than `FEWEST` was drawn, so that nothing can be decided."""
        return bool(self.too_few)

    @property
    def too_few(self) -> str:
        """What is said where less than `FEWEST` was drawn; empty elsewhere."""
        return too_few(self.units, self.unit, self.effect.participants)

    @property
    def _more(self) -> str:
        if self.withheld:
            return ""
        if self.people_needed is None:
            return f"; more studies would tell {self.smallest:g} nats from nothing"
        these = " in these wordings" if self._wordings else ""
        if self.people_needed > self.effect.participants:
            people = f"about {self.people_needed:,} people"
            return f"; {people} would tell {self.smallest:g} nats from nothing{these}"
        more = "people and wordings" if self._wordings else "people"
        return f"; between nothing and {self.smallest:g} nats it takes more {more} to tell"


def in_words(arm: str) -> str:
    """What a model is given in an arm, in running text."""
    words = {
        "none": "no persona",
        "filler": "neutral text of that length",
        "human": "the words for an ordinary human",
        "average": "the average persona",
        "shuffled": "a stranger's persona",
        "matched": "a stranger's persona of the same demographics",
        "own": "their own persona",
    }
    return words.get(arm, f"the same persona {arm}")


def judge(
    tested: Sequence[Comparison], smallest: float, looks: int = 1, measure: str = "nll"
) -> list[Verdict]:
    """Verdicts on comparisons, corrected for how many of each family there are, and for looks.

    A family is what has the same measure and confirms or explores; `measure` is the one that
    answers the question.
    """
    families = [(t.effect.measure, is_confirmatory(t.effect, measure)) for t in tested]
    adjusted = [test.p for test in tested]
    equivalent = [test.p_equivalent for test in tested]
    bounded = [test.p_equivalent_bounded for test in tested]
    for family in dict.fromkeys(families):
        rows = [number for number, other in enumerate(families) if other == family]
        for values in (adjusted, equivalent, bounded):
            p = [values[row] for row in rows]
            corrected = holm(p) if family[1] else multipletests(p, method="fdr_bh")[1]
            for row, value in zip(rows, corrected.tolist(), strict=True):
                values[row] = min(1.0, looks * value)
    return [
        Verdict(
            test.effect,
            is_confirmatory(test.effect, measure),
            test.p,
            adjusted[number],
            test.p_equivalent,
            equivalent[number],
            bounded[number],
            smallest,
            families.count(families[number]),
            looks,
            test.test,
            test.people_needed,
            test.units,
            test.unit,
            test.bounds,
        )
        for number, test in enumerate(tested)
    ]


def is_confirmatory(effect: Effect, measure: str = "nll") -> bool:
    """Whether a comparison is one of those that answer the question, in the measure of it."""
    return effect.contrast.name == "information" and effect.measure == measure and not effect.among


def conclusion(verdicts: Sequence[Verdict]) -> str:
    """All confirmatory verdicts in one sentence."""
    asked = [verdict for verdict in verdicts if verdict.confirmatory]
    if not asked:
        return "Information was not measured: it needs the arms shuffled and own."
    reasons = {verdict.too_few for verdict in asked}
    if len(reasons) == 1 and (reason := reasons.pop()):
        return f"Undecided: {reason}."
    words = {
        "helps": "people's own personas predicted them better than strangers' did with {}",
        "hurts": "worse with {}",
        "equivalent to nothing": "own and strangers' personas did the same, within the smallest "
        "effect of interest, with {}",
        "undecided": "undecided with {}",
    }
    parts = []
    for finding, text in words.items():
        if named := [_named(verdict) for verdict in asked if verdict.found == finding]:
            parts.append(text.format(", ".join(named)))
    whole = "; ".join(parts)
    return f"{whole[0].upper()}{whole[1:]}."


def _named(verdict: Verdict) -> str:
    name = f"{verdict.effect.strategy} ({verdict.effect.model})"
    return name if verdict.survives_bounds else f"{name}, {UNDONE}"


def over(measure: str) -> str:
    """What a measure is over, in running text."""
    words = {
        "nll": "over the legal options",
        "nll_full": "over everything the model could say",
        "nll_calibrated": "over the legal options at one temperature a model",
        "nll_each_calibrated": "over the legal options at a temperature for each condition",
        "brier": "of Brier score over the legal options",
    }
    return words[measure]


def interval(estimate: Estimate, digits: int = 4) -> str:
    """A number and its interval, signed."""
    return " ".join(
        (
            f"{estimate.value:+.{digits}f}",
            f"[{estimate.low:+.{digits}f}, {estimate.high:+.{digits}f}]",
        )
    )


def probability(p: float) -> str:
    """A p-value as journals print it."""
    if p < 0.0001:
        return "< .0001"
    return f"{p:.3f}".removeprefix("0") if p >= 0.001 else f"{p:.4f}".removeprefix("0")


def p_value(p: float) -> str:
    """The same in running text."""
    shown = probability(p)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"
