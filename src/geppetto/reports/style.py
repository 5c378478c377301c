"""How figures look: what all of them share, and rows of intervals in panels below each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any, ParamSpec

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geppetto.evaluation.inference.verdicts import Verdict

P = ParamSpec("P")

STYLE: dict[Any, Any] = {
    "figure.constrained_layout.use": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "text.parse_math": False,  # what stands between two $ is text of users
}
"""What Matplotlib is told while it draws."""

BLUE, GREY = "#1f6f8b", "#888888"


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Let a function draw its figure in the style of all."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with plt.rc_context(STYLE):
            return draw(*args, **kwargs)

    return drawn


def panels(
    rows: Sequence[int], title: float = 0.5, row: float = 0.27, *, sharex: bool = True
) -> tuple[Figure, list[Axes]]:
    """Panels below each other for so many rows each; heights of a title and a row in inches."""
    heights = [title + row * count for count in rows]
    figure, axes = plt.subplots(
        len(heights),
        1,
        figsize=(8.5, 0.8 + sum(heights)),
        height_ratios=heights,
        sharex=sharex,
        squeeze=False,
    )
    return figure, list(axes[:, 0])


def name_rows(axis: Axes, names: Sequence[str], size: int = 8) -> None:
    """Put names beside rows, the first one on top."""
    axis.set_yticks(range(len(names)), names, fontsize=size)
    axis.set_ylim(len(names) - 0.4, -0.6)


def note_row(axis: Axes, height: float, text: str, is_faint: bool) -> None:
    """Put what a row says to the right of it."""
    axis.annotate(
        text,
        (1.01, height),
        xycoords=("axes fraction", "data"),
        fontsize=8,
        va="center",
        color=GREY if is_faint else "black",
    )


def band(axis: Axes, verdicts: Sequence[Verdict], *, across: bool = False) -> None:
    """Mark zero, and what is smaller than the smallest effect of interest; Brier has none."""
    span, line = (axis.axhspan, axis.axhline) if across else (axis.axvspan, axis.axvline)
    smallest = verdicts[0].smallest
    if all(verdict.effect.measure != "brier" for verdict in verdicts):
        span(-smallest, smallest, color="#dddddd", lw=0, zorder=0)
    line(0, color="black", lw=0.8, zorder=0)


def by_strategy(verdicts: Sequence[Verdict]) -> dict[tuple[str, str], list[Verdict]]:
    """Verdicts by model and strategy."""
    found: dict[tuple[str, str], list[Verdict]] = {}
    for verdict in verdicts:
        found.setdefault((verdict.effect.model, verdict.effect.strategy), []).append(verdict)
    return found
