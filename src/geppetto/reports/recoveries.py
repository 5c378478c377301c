"""The figure of what personas win back of gaps."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

from geppetto.evaluation.pairs.recovery import PersonaRecovery


def recoveries(found: Sequence[PersonaRecovery]) -> Figure:
    """What part of each gap is won back, a panel a pair and strategy.

    The band from 0 to 1 is the gap. Where it may be zero, or is none, or people are too few, the
    row is dotted from edge to edge: the part may be anything, or means nothing.
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
    ends = [end for one in found if _is_known(one) for end in (one.recovery.low, one.recovery.high)]
    left, right = min([-0.5, *ends]) - 0.1, max([1.5, *ends]) + 0.1
    for axis, ((post, strategy), rows) in zip(axes[:, 0], panels.items(), strict=True):
        axis.axvspan(0, 1, color="#eeeeee", lw=0, zorder=0)
        axis.axvline(0, color="black", lw=0.8, zorder=0)
        for height, one in enumerate(rows):
            part = one.recovery
            if _is_known(one):
                axis.plot([part.low, part.high], [height] * 2, color="#1f6f8b", lw=2)
                axis.plot(part.value, height, "o", ms=5, color="#1f6f8b")
            else:
                axis.plot([left, right], [height] * 2, ":", color="#888888", lw=1)
            axis.annotate(
                _in_words(one),
                (1.01, height),
                xycoords=("axes fraction", "data"),
                fontsize=8,
                va="center",
                color="black" if _is_known(one) else "#888888",
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


def _is_known(one: PersonaRecovery) -> bool:
    """Whether there is a gap of which a part can be won back."""
    return one.recovery.bounded and one.recovery.gap.value > 0 and not one.too_few


def _in_words(one: PersonaRecovery) -> str:
    if _is_known(one):
        return f"{one.recovery.value:.0%}"
    lost = one.recovery.gap.value > 0 or not one.recovery.bounded or one.too_few
    return "cannot be told" if lost else "nothing to win back"
