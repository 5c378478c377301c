"""The figure of what personas win back of gaps."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from geppetto.evaluation.recovery import PersonaRecovery


def recoveries(found: Sequence[PersonaRecovery]) -> Figure:
    """What part of each gap is won back, a panel a pair and strategy.

    The band from 0 to 1 is the gap. Where it may be zero or less, or people are too few, intervals
    are dotted and go on to the edge, and there is no dot.
    """
    panels: dict[tuple[str, str], list[PersonaRecovery]] = {}
    for one in found:
        panels.setdefault((one.pair.post, one.strategy), []).append(one)
    heights = [0.5 + 0.27 * len(rows) for rows in panels.values()]
    figure, axes = plt.subplots(
        len(panels),
        1,
        figsize=(8.5, 0.8 + sum(heights)),
        height_ratios=heights,
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    ends = [end for one in found if _told(one) for end in (one.recovery.low, one.recovery.high)]
    left, right = min([-0.5, *ends]) - 0.1, max([1.5, *ends]) + 0.1
    for axis, ((post, strategy), rows) in zip(axes[:, 0], panels.items(), strict=True):
        axis.axvspan(0, 1, color="#eeeeee", lw=0, zorder=0)
        axis.axvline(0, color="black", lw=0.8, zorder=0)
        for height, one in enumerate(rows):
            part, plain = one.recovery, _told(one)
            for low, high in _held(part.low, part.high, part.excluded):
                shown = np.clip([low, high], left, right)
                axis.plot(shown, [height] * 2, "-" if plain else ":", color="#1f6f8b", lw=2)
            if plain:
                axis.plot(part.value, height, "o", ms=5, color="#1f6f8b")
            axis.annotate(
                f"{part.value:.0%}" if plain else "cannot be told",
                (1.01, height),
                xycoords=("axes fraction", "data"),
                fontsize=8,
                va="center",
                color="black" if plain else "#888888",
            )
        contrasts = [one.contrast for one in rows]
        names = [f"{one.name} ({one.worse} − {one.better})" for one in contrasts]
        axis.set_yticks(range(len(names)), names, fontsize=8)
        axis.set_ylim(len(names) - 0.4, -0.6)
        axis.set_xlim(left, right)
        axis.set_title(f"{post} · {strategy}, base {rows[0].pair.base}", fontsize=9, loc="left")
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel(
        "part of the gap that is won back, with Fieller's interval over participants\n"
        "(1: all that post-training lost; dotted: there may be no gap, or people are too few)",
        fontsize=9,
    )
    return figure


def _told(one: PersonaRecovery) -> bool:
    """Whether there is a gap of which a part can be won back."""
    return one.recovery.bounded and one.recovery.gap.value > 0 and not one.too_few


def _held(
    low: float, high: float, excluded: tuple[float, float] | None
) -> list[tuple[float, float]]:
    """Pieces of an interval that may leave something out."""
    return [(low, high)] if excluded is None else [(low, excluded[0]), (excluded[1], high)]
