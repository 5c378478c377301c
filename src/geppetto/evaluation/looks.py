"""What earlier looks at the same people cost an analysis."""

from __future__ import annotations

from dataclasses import dataclass

from geppetto.planning.analysis_config import LEVEL, PERMUTATIONS, Analysis

_IN_A_TAIL = 5
"""Resamples that an interval's end needs beyond it, at least."""

_WORDS = ("second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


@dataclass(frozen=True)
class Looks:
    """Which analysis of these people this is, and among how many candidates was chosen before.

    The k-th analysis is made at 5%/k²: whatever the analyses are, all of them together are wrong
    somewhere with a probability of at most 5% (1 + 1/4 + 1/9 + ...) < 8.3%, and the first one,
    which most people stop at, with 5% (alpha spending; Tian & Ramdas 2021, with the weights k^-2).
    Growing a sample from 20 people to 100 by tens, and stopping at the first verdict, is wrong in
    5.6%; with 5%/k it would be 7.7%. What is chosen among c candidates on the same people pays for
    the largest of c, so p-values are multiplied by c, too (Bonferroni). Analyses are of any of
    these people for any of the same claims, this one included.
    """

    analyses: int = 1
    candidates: int = 0

    @property
    def times(self) -> int:
        """What p-values are multiplied by, and the level of intervals is divided by."""
        return self.analyses**2 * max(1, self.candidates)

    @property
    def decide_nothing(self) -> bool:
        """Whether the smallest p that permutations can give is too large after correction."""
        return LEVEL / self.times < 2 / (1 + PERMUTATIONS)

    def correct(self, analysis: Analysis) -> Analysis:
        """The analysis with the looks that it has to pay for, and resamples enough for them."""
        if self.times == 1:
            return analysis
        looks = analysis.looks * self.times
        most = round(LEVEL * (1 + PERMUTATIONS) / 2)
        needed = round(2 * _IN_A_TAIL / LEVEL * min(looks, most))
        draws = max(analysis.draws, needed)
        return analysis.model_copy(update={"looks": looks, "draws": draws})

    @property
    def sentence(self) -> str:
        """What was looked at before and what that costs; empty if nothing was."""
        chosen = f"a choice among {self.candidates:,} candidates was made on some of"
        if self.analyses > 1:
            said = f"This is the {ordinal(self.analyses)} analysis of some of these people"
            said += f" and {chosen} them" * (self.candidates > 0)
            factors = f" ({self.analyses}²{f' x {self.candidates:,}' * (self.candidates > 1)})"
        elif self.candidates:
            said, factors = f"A{chosen[1:]} these people", ""
        else:
            return ""
        told = (
            f"{said}, so p-values are multiplied by {self.times:,}{factors} and "
            f"intervals hold {100 * (1 - LEVEL / self.times):.4g}%."
        )
        if self.decide_nothing:
            told += (
                f" No p-value of {PERMUTATIONS:,} permutations is small enough for that: whether "
                "personas matter can only be decided on other people."
            )
        return told


def ordinal(number: int) -> str:
    """A number above 1 as the place of something: "third", "12th"."""
    if number < len(_WORDS) + 2:
        return _WORDS[number - 2]
    ends = {1: "st", 2: "nd", 3: "rd"} if number % 100 not in (11, 12, 13) else {}
    return f"{number}{ends.get(number % 10, 'th')}"
