"""How many people must be there to decide anything."""

from __future__ import annotations

from typing import Literal

from geppetto.evaluation.resampling import Resampling

Unit = Literal["people", "groups of people", "studies"]

FEWEST: dict[Unit, int] = {"people": 20, "groups of people": 20, "studies": 8}
"""How many of what is drawn again must be there to decide anything: below, intervals may be too
narrow.

In simulations of normal differences the 95% interval covers 95% at 20 people, 92% at 5 and 74% at
3; of exponential ones, which are as skewed as differences get, 92% at 20 and 90% at 8. Drawn from
studies and then people it covers 95% at 8 studies and 86% at 3.
"""


def drawn_units(people: Resampling) -> tuple[float, Unit]:
    """How many of what is drawn again there are, and what that is."""
    if people.studies is not None:
        return float(people.studies.max() + 1), "studies"
    return people.units, "groups of people" if people.grouped else "people"


def too_few(units: float, unit: Unit, participants: int) -> str:
    """What is said of participants who are worth less than `FEWEST` units; empty if they are not.

    Parameters
    ----------
    units, unit
        As from `drawn_units`.
    participants
        How many participants there are.
    """
    if units >= FEWEST[unit]:
        return ""
    weighted = unit == "people" and units < participants
    what = "people, as survey weights count them," if weighted else unit
    return f"{units:.0f} {what} are too few, {FEWEST[unit]} are needed"
