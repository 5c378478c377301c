"""What each comparison comes to: a verdict, from its tests, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from geppetto.evaluation.contrasts import INFORMATION
from geppetto.evaluation.effects import Effect
from geppetto.evaluation.inference.comparisons import Comparison
from geppetto.evaluation.item_sampling import OtherItems
from geppetto.evaluation.words import (
    COMPARED,
    counted,
    in_words,
    interval,
    number,
    over,
    p_value,
)
from geppetto.personas.donors import MatchQuality
from geppetto.planning.analysis_config import LEVEL

Finding = Literal["positive", "negative", "equivalent", "undecided", "descriptive"]
"""Where a difference lies: above zero, below, within the smallest effect of interest, or open; or
that nothing was tested."""

DESCRIPTIVE: Final = "descriptive: the NLL of samples is smoothed"
"""What is said where smoothing may have turned the sign: nothing, since nothing was tested."""


WITHHELD: Final = "withheld: too little option mass"
"""What is said where models hardly ever say an option."""

UNDONE = "unless what was not said undoes it"

LEAST_MASS = 0.1
"""Mean option mass below which nothing is decided: then models say something else than an option
nine times in ten, and what they say of the options is what they hardly ever say."""


@dataclass(frozen=True, kw_only=True)
class Verdict(Comparison):
    """What one comparison comes to.

    Attributes
    ----------
    confirmatory
        Whether it is one of those that answer the question: information and benefit, in the measure
        that decides for the model: over the legal options, in sessions with open responses over
        everything, and by the Brier score where answers are samples. The others explore.
    p_adjusted, p_equivalent_adjusted, p_equivalent_bounded
        `p`, `p_equivalent` and the larger of this and that of the bounds, each corrected for its
        family, by Holm (1979) for the confirmatory comparisons, by Benjamini & Hochberg (1995) for
        the others, and for looks.
    calibrated, flat
        The same comparison at one temperature a model, and whether that temperature is as high as
        can be, since the model predicts best when it is made uniform. None of what does not confirm
        and of other measures than the NLL over the legal options.
    items
        What it comes to over other items like these, which is found for all that are confirmatory
        and changes no verdict; None for the others.
    """

    confirmatory: bool
    p_adjusted: float
    p_equivalent_adjusted: float
    p_equivalent_bounded: float
    smallest: float
    family: int
    looks: int
    calibrated: Effect | None = None
    flat: bool = False
    match: MatchQuality | None = None
    items: OtherItems | None = None

    @property
    def outcome(self) -> str:
        """The verdict: what is `found`, marked if what was not said could undo it."""
        return self.found if self.survives_bounds else f"{self.found}, {UNDONE}"

    @property
    def found(self) -> str:
        """What the answers that were scored come to, in the words of the contrast."""
        words: dict[Finding, str] = {
            "positive": self.effect.contrast.positive,
            "negative": self.effect.contrast.negative,
            "equivalent": self.effect.contrast.equivalent,
            "undecided": WITHHELD if self.little_mass else "undecided",
            "descriptive": DESCRIPTIVE,
        }
        return words[self.finding]

    @property
    def finding(self) -> Finding:
        """Where the difference lies, by the answers that were scored.

        A difference is positive or negative if its interval excludes zero and its corrected p is
        below .05. It is equivalent to nothing if it is shown to be smaller than the smallest effect
        of interest, even where it is not zero, unless that is `withheld`. Everything else is
        undecided, and so is everything that is `undecidable`. The NLL of samples is not tested:
        smoothing caps what a persona that is too sure loses.
        """
        if self.effect.differences.smoothed:
            return "descriptive"
        if self.undecidable:
            return "undecided"
        if self.p_equivalent_adjusted < LEVEL and not self.withheld:
            return "equivalent"
        if self._differs:
            return "positive" if self.effect.nats.value > 0 else "negative"
        return "undecided"

    @property
    def _differs(self) -> bool:
        """Whether the tests find a difference, whatever it rests on."""
        return self.p_adjusted < LEVEL and self.effect.nats.excludes_zero()

    @property
    def withheld(self) -> str:
        """Why nothing can be shown to be equivalent to nothing here; empty if it can be.

        What is shown to be so on the cells that were scored has to be on all planned ones, too.
        And it takes more people than a difference does, and one prediction to be compared with.
        """
        if self.little_mass:
            return self.little_mass
        rival = self.effect.differences.uninformed
        if rival is not None and not rival.is_one:
            return "it is open which prediction that knows nothing of the person is the best"
        return self.incomparable or self.basis.too_few_for_equivalence

    @property
    def incomparable(self) -> str:
        """Why its numbers are not of what equivalence is about; empty if they are."""
        if self.effect.measure == "brier":
            return "the smallest effect of interest is in nats"
        if self.effect.differences.smoothed:
            return "the NLL of samples is smoothed"
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
        effect, nats = self.effect, self.effect.nats
        of = f" ({self.confidence})" if self.looks > 1 else ""
        numbers = (
            f"{interval(nats)}{of} {self.unit_of_measure} a response{self._measured}"
            f"{self._wordings}, "
            f"d_z {number(effect.d_z.value, '+.2f')}, "
            f"{number(effect.improved.value, '.0%')} of {effect.participants:,} people improved"
        )
        if self.finding == "descriptive":
            return f"{self.found}: {self._where} {numbers}."
        numbers += f"; {p_value(self.p_adjusted)} ({self.test}) after {self.correction}"
        if self.finding not in ("positive", "negative"):
            numbers += f", equivalence {self.equivalence}"
        unknown = "" if self.survives_bounds else " What was not said could undo this."
        if self.bounds and (unknown or self._may_matter):
            unknown += f" {self.bounds.sentence(self._measure)}."
        numbers += self._at_one_temperature
        match = f" {self.match.sentence}." if self.match else ""
        beyond = f"{self._fragile}{self._over_items}{match}"
        return f"{self.found}: {self._claim}. {numbers}.{unknown}{beyond}"

    @property
    def survives_each(self) -> bool | None:
        """Whether what it says holds without any one person, group or study; None if undecided."""
        return None if self.finding in ("undecided", "descriptive") else self._rests_on_one == 0

    @property
    def _rests_on_one(self) -> float:
        equivalent = self.finding == "equivalent"
        return self.basis.of_equivalence if equivalent else self.basis.of_difference

    @property
    def _fragile(self) -> str:
        if self.survives_each is not False:
            return ""
        one, kind = {
            "people": ("person", "people"),
            "groups of people": ("group", "groups"),
            "studies": ("study", "studies"),
        }[self.basis.unit]
        return (
            f" Without one {one}, with {self._rests_on_one:.0%} of all that {kind} add to it, it "
            "is undecided."
        )

    @property
    def generalises(self) -> bool | None:
        """Whether what is found holds over other items, too; None where that cannot be said."""
        if self.finding == "undecided" or self.items is None or self.items.model is None:
            return None
        there, here = self.items.model.mean, self.effect.nats.value
        if self.finding == "equivalent":
            return -self.smallest < there.low and there.high < self.smallest
        return there.excludes_zero() and there.value * here > 0

    @property
    def _over_items(self) -> str:
        """What may be said of other items, as a sentence; empty where that is not found."""
        if self.items is None:
            return ""
        if self.items.model is None:
            return f" Of other items nothing is said: {self.items.reason}."
        low, high = self.items.model.mean.low, self.items.model.mean.high
        ends = f"[{number(low, '+z.4f')}, {number(high, '+z.4f')}]"
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
        it is above or below zero has to hold in the interval of the bounds, which is corrected for
        looks, but not for the family.
        """
        match self.finding:
            case "positive":
                return self.bounds is None or self.bounds.hold(0.0, np.inf)
            case "negative":
                return self.bounds is None or self.bounds.hold(-np.inf, 0.0)
        return True

    @property
    def correction(self) -> str:
        name = "Holm" if self.confirmatory else "Benjamini-Hochberg"
        looks = f", times {self.looks:,} for looks at these people" if self.looks > 1 else ""
        return f"{name} over {self.family:,}{looks}"

    @property
    def unit_of_measure(self) -> str:
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
    def _where(self) -> str:
        among = f", among {self.effect.among}" if self.effect.among else ""
        return f"with {self.effect.model} and {self.effect.strategy}{among},"

    @property
    def _claim(self) -> str:
        effect, contrast = self.effect, self.effect.contrast
        where = self._where
        better, worse = f"with {in_words(contrast.better)}", f"with {in_words(contrast.worse)}"
        if (rival := effect.differences.uninformed) is not None:
            worse = f"under {rival.name}, the best that knows nothing of them"
        more, less, same = COMPARED["brier" if effect.measure == "brier" else "nll"]
        matters = "it matters whose persona it is: " * (contrast == INFORMATION)
        if effect.among and effect.differences.is_of_strangers:
            where += " beyond what personas do to everybody,"
        if self.undecidable:
            return (
                f"{where} it cannot be said whether people's responses are {more} {better} than "
                f"{worse}: {self.undecidable}"
            )
        match self.finding:
            case "positive":
                return f"{where} {matters}people's responses are {more} {better} than {worse}"
            case "negative":
                return f"{where} people's responses are {less} {better} than {worse}"
            case "equivalent":
                return (
                    f"{where} people's responses are {same} {better} and {worse}, "
                    f"to within {self.smallest:g} nats"
                )
        alone = ""
        if effect.nats.excludes_zero():
            alone = " (the interval on its own excludes zero; the corrected test does not)"
        elif self.p_adjusted < LEVEL:
            alone = " (the corrected test finds a difference, but the interval includes zero)"
        return (
            f"{where} it is open whether people's responses are {more} {better} than "
            f"{worse}{alone}{self._more}"
        )

    @property
    def _at_one_temperature(self) -> str:
        if self.calibrated is None:
            return ""
        flat = ", which leaves next to a uniform guess," if self.flat else ""
        return f"; after calibration{flat} {interval(self.calibrated.nats)}"

    @property
    def undecidable(self) -> str:
        """Why nothing can be decided, however it came out; empty if something can be."""
        return self.little_mass or self.too_few

    @property
    def little_mass(self) -> str:
        """What is said where a model hardly ever says an option; else empty."""
        mass = self.effect.differences.mass
        if mass >= LEAST_MASS:
            return ""
        return (
            f"options have {mass:.1%} of the probability of what the model says, which is too "
            f"little: {LEAST_MASS:.0%} are needed"
        )

    @property
    def too_few(self) -> str:
        """What is said where people are too few, or too uneven, to decide anything; else empty.

        A difference is of too few also where people of a kind that is not among these could undo
        it: where by what the model says of every option somebody could have lost as much as it
        takes, or that is not known.
        """
        if self.basis.too_few or not self._differs:
            return self.basis.too_few
        return self.basis.undone_by_others(self.effect.nats, self.effect.reach)

    @property
    def _more(self) -> str:
        if self.incomparable:
            return ""
        if self.people_needed is None:
            return f"; more studies would tell {self.smallest:g} nats from nothing"
        these = " in these wordings" if self._wordings else ""
        if self.people_needed > self.effect.participants:
            people = f"about {counted(self.people_needed, 'people')}".replace("about more", "more")
            found = ""
            if self.people_needed_as_observed is not None:
                found = f", and {self.people_needed_as_observed:,} find an effect as large as this"
            return f"; {people} would tell {self.smallest:g} nats from nothing{found}{these}"
        more = "people and wordings" if self._wordings else "people"
        return f"; between nothing and {self.smallest:g} nats it takes more {more} to tell"
