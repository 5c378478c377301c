"""What a mean over participants rests on, and whether that is enough to decide anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from geppetto.evaluation.arrays import Floats, effective_number
from geppetto.evaluation.inference.resampling import Estimate, Resampling
from geppetto.evaluation.inference.studentised import Studentised, studentised

Unit = Literal["people", "groups of people", "studies"]

FEWEST: dict[Unit, int] = {"people": 60, "groups of people": 20, "studies": 8}
"""How many of what is drawn again must be there to find a difference.

What no one in a sample is like, no test can count. 60 people have one of a kind that 5% are with a
probability of 95%, and beside groups there must be 60 people too; of groups and studies there are
seldom so many, and 20 and 8 are how many it takes for intervals to hold what they should.
"""

ALL_KINDS = 150
"""How many people have one of a kind that 2% are with a probability of 95%.

So many it takes to show that there is nothing, which a rare large effect undoes. Of fewer, a
difference is one only where nobody could have lost as much as would undo it; see
`Basis.undone_by`.
"""

_PER_SKEW = 10
_PER_SKEW_EQUIVALENT = 25
"""How many of what is drawn again there must be for each unit of squared skewness.

For equivalence, which is one-sided, Cochran's (1977, Sampling Techniques, section 2.15) rule: more
than 25 G². For a difference, whose interval is studentised, fewer do: in simulations of 60 to 200
people (lognormal, sigma 1.5; 5% of people who lose 20 nats) verdicts then err in at most 7%.
"""


@dataclass(frozen=True)
class Basis:
    """What a mean over participants rests on.

    Attributes
    ----------
    units, unit
        How many people, groups of people or studies it is worth, and which of them.
    participants, people
        How many participants there are, and how many people they are worth with survey weights.
    skewness
        Of what each unit adds to the mean.
    largest_share
        The largest share that one unit has in it: the size of what it adds over the sum of all
        sizes. From 1/n, if all add the same, to 1; a share of the mean itself could be anything.
    of_difference, of_equivalence
        The largest share among units without any one of which the interval would include zero, or
        would not show that the mean is too small to matter; 0 if that holds without any one.
    """

    units: float
    unit: Unit
    participants: int
    people: float
    skewness: float
    largest_share: float
    of_difference: float
    of_equivalence: float

    @property
    def too_few(self) -> str:
        """Why nothing can be decided; empty if something can be."""
        return self._lacking(FEWEST["people"], _PER_SKEW)

    @property
    def too_few_for_equivalence(self) -> str:
        """Why nothing can be shown to be equivalent to nothing; empty if it can be."""
        return self._lacking(ALL_KINDS, _PER_SKEW_EQUIVALENT)

    def needed(self, equivalence: bool) -> int:
        """How many such participants are enough to decide anything."""
        people = ALL_KINDS if equivalence else FEWEST["people"]
        per = _PER_SKEW_EQUIVALENT if equivalence else _PER_SKEW
        units = per * self.skewness**2
        units = units if self.unit == "people" else max(units, FEWEST[self.unit])
        return int(np.ceil(self.participants * max(people / self.people, units / self.units)))

    def undone_by(self, nats: Estimate) -> float | None:
        """How much people of a kind that is not among these would have to lose to undo a mean.

        Of a kind that is a share of 3/n of all there is none among n with a probability of 5%. They
        undo a mean whose interval ends at `low` if they lose low (n - 3) / 3; or gain it, where
        something is lost. None where there are as many people as have one of every kind that
        counts, and of studies, of which there are never so many.
        """
        if self.unit == "studies" or self.people >= ALL_KINDS:
            return None
        end = nats.low if nats.value > 0 else nats.high
        return abs(end) * (self.people - 3) / 3

    def undone_by_others(self, nats: Estimate, reach: float) -> str:
        """Why people of a kind that is not among these could undo a mean; empty if they could not.

        `reach` is how much somebody could lose at the most, or gain where something is lost.
        """
        needed = self.undone_by(nats)
        if needed is None or reach < needed:
            return ""
        losing, lost = ("losing", "lost") if nats.value > 0 else ("gaining", "gained")
        could = f"some could have {lost} {reach:.2g}"
        if np.isinf(reach):
            could = f"nothing bounds what they could have {lost}"
        return (
            f"{self.people:.0f} people are too few: a kind that one in {self.people / 3:.0f} is "
            f"may be missing among them and would undo it by {losing} {needed:.2g} a response, "
            f"and {could}; take {ALL_KINDS} people"
        )

    def _lacking(self, people: int, per_skew: int) -> str:
        fewest = FEWEST[self.unit]
        if self.unit != "people" and self.units < fewest:
            return f"{self.units:.0f} {self.unit} are too few, {fewest} are needed"
        if self.people < people:
            weighted = ", as survey weights count them," * (self.people < self.participants - 0.5)
            return f"{self.people:.0f} people{weighted} are too few, {people} are needed"
        needed = per_skew * self.skewness**2
        if self.units < needed:
            return (
                f"{self.unit} differ so unevenly (skewness {self.skewness:+.1f}) that "
                f"{self.units:.0f} are too few, {np.ceil(needed):,.0f} are needed"
            )
        return ""


def basis(values: Floats, people: Resampling, smallest: float = 0.0) -> Basis:
    """What a mean over participants rests on; if `smallest` is 0, equivalence on nothing."""
    (found,) = studentised(values, people)
    return basis_of(found, people, smallest)


def basis_of(found: Studentised, people: Resampling, smallest: float = 0.0) -> Basis:
    """The same of a mean whose draws are known."""
    grouped: Unit = "groups of people" if people.grouped else "people"
    unit: Unit = "studies" if people.studies is not None else grouped
    return Basis(
        people.units,
        unit,
        len(people.base),
        effective_number(people.base),
        found.skewness,
        float(found.shares.max()),
        float(found.resting(people.level).max(initial=0.0)),
        float(found.resting(people.level, smallest).max(initial=0.0)) if smallest else 0.0,
    )
