"""How the terminal's tables look."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Any

from rich.table import Table

from geppetto.evaluation.inference.resampling import Estimate
from geppetto.evaluation.words import ranged
from geppetto.planning.plan import BASELINE


def columns(first: str, *others: str) -> Table:
    """An empty table: a column of names and columns of numbers."""
    made = Table(box=None, header_style="dim", pad_edge=False, caption_justify="left")
    made.add_column(first, overflow="fold")
    for column in others:
        made.add_column(column, justify="right", no_wrap=True)
    return made


def within_model(row: Mapping[Hashable, Any]) -> str:
    """A condition's strategy and arm; baselines have no arms."""
    if row["model"] == BASELINE:
        return str(row["strategy"])
    return " · ".join(dict.fromkeys((row["strategy"], row["arm"])))


def if_fewer(people: int, most: int) -> str:
    """How many people a condition is of, where others are of more: some have no match."""
    return f", {people:,} people" if people < most else ""


def with_interval(row: Mapping[Hashable, Any], name: str, form: str = ".3f") -> str:
    """A number of a table and its interval, as NAME, NAME_low and NAME_high, of even widths."""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return ranged(Estimate(value, low, high), form).replace(" [", "  [")
