"""What so many people can find, before anything is asked."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.text import Text

from geppetto.evaluation.inference.power import minimal_effect, people_to_decide
from geppetto.evaluation.inference.sample_size import ALL_KINDS, FEWEST
from geppetto.evaluation.words import counted
from geppetto.reports.columns import Columns


def power(people: int, groups: int, smallest: float, spreads: Sequence[float]) -> RenderableType:
    """What so many people can find, before anything is asked.

    Parameters
    ----------
    people, groups
        Number of participants, and of the groups that they are in; as many if they are in none.
    smallest
        Smallest effect of interest in nats a response.
    spreads
        Standard deviations of participants' differences, in nats a response, to reckon with.
    """
    if groups < 2:
        return Text("a single participant, or a single group of them, shows no effect: take more")
    unit = "people" if groups == people else "groups"
    fewest = ALL_KINDS if groups == people else FEWEST["groups of people"]
    who = "participants'" if groups == people else "groups' mean"
    table = Columns(f"if {who} differences have an SD of", "found", "to decide")
    for spread in spreads:
        table.row(
            f"  {spread:g} nats",
            f"{minimal_effect(groups, spread):.3f} nats",
            counted(max(people_to_decide(smallest, spread), fewest), unit),
        )
    table.caption = (
        "found: the smallest effect that these people find with 80% probability (two-sided .05); "
        f"to decide: how many {unit} it takes to tell the smallest effect of interest, "
        f"{smallest:g} nats, from no effect, and no effect from that one, with 80% probability "
        "each; larger effects may take fewer. In the demo the SD is 0.04 to 0.4. A verdict takes "
        f"at least {FEWEST['people']} people; one that there is no effect takes {ALL_KINDS}; and "
        "both take more where differences are skewed."
    )
    short = FEWEST["people"] if people < FEWEST["people"] else ALL_KINDS
    lacks = "decide anything" if people < FEWEST["people"] else "show that there is nothing"
    warning = f"{people:,} people are too few to {lacks}: {short} are needed"
    return Group(
        Text(
            f"{people:,} participants"
            + (f" in {groups:,} groups, which count," if groups < people else "")
            + f" find a paired difference of d_z {minimal_effect(groups):.2f} with 80% probability"
        ),
        *([Text(warning, "yellow")] if people < short else []),
        "",
        table,
    )
