"""Figures of pairs of models: what post-training lost, and what personas save."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geppetto.evaluation.inference.resampling import Estimate
from geppetto.evaluation.inference.verdicts import DESCRIPTIVE, Verdict
from geppetto.evaluation.pairs.gap import Gap
from geppetto.models.lineage import Lineage
from geppetto.reports.text import units

LADDER = ("total", "format", "information", "group", "individual")
"""Contrasts that split what a persona saves, by name."""

_COLOURS = {"base": "#1f6f8b", "post-trained": "#d08a2e", "": "#444444"}
_Colour = str | tuple[float, float, float, float]


def gaps(found: Sequence[Gap]) -> Figure:
    """The gap of each pair with its interval, a panel a family, small models first.

    The band around zero is what is smaller than the smallest effect of interest.
    """
    families = _by_family(found)
    rows = [len(members) for members in families.values()]
    heights = [0.45 + 0.22 * count for count in rows]
    figure, axes = plt.subplots(
        len(families),
        1,
        figsize=(8.5, 0.8 + sum(heights)),
        height_ratios=heights,
        sharex=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, (family, members) in zip(axes[:, 0], families.items(), strict=True):
        ordered = sorted(members, key=lambda gap: (gap.pair.lineage.billions, gap.pair.post))
        _intervals(axis, [gap.nats for gap in ordered], _colour(family, families))
        for height, gap in enumerate(ordered):
            axis.annotate(
                _outcome(gap),
                (1.01, height),
                xycoords=("axes fraction", "data"),
                fontsize=8,
                va="center",
                color="#888888" if gap.outcome == "undecided" else "black",
            )
        names = [f"{gap.pair.post} ({_sizes(gap)})" for gap in ordered]
        axis.set_yticks(range(len(names)), names, fontsize=8)
        axis.set_title(family, fontsize=9, loc="left")
        _band(axis, found, "v")
    label = _label(found)
    if any(np.isfinite(gap.published_d) for gap in found):
        label += "\nd: over pooled responses, as published"
    axes[-1, 0].set_xlabel(label, fontsize=9)
    return figure


def gaps_by_generation(found: Sequence[Gap]) -> Figure:
    """The gap of each pair by generation, in the order of their release.

    Pairs of one generation and day stand side by side, small models left; the bar is their mean.
    """
    families = _by_family(found)
    generations: dict[tuple[date, str], list[Gap]] = {}
    for gap in sorted(found, key=lambda gap: gap.pair.lineage.billions):
        lineage = gap.pair.lineage
        generations.setdefault((lineage.released, lineage.label), []).append(gap)
    order = sorted(generations)
    widths = np.array([0.2 + 0.12 * len(generations[one]) for one in order])
    starts = np.cumsum(widths) - widths
    figure, axis = plt.subplots(figsize=(max(6, 2.5 + widths.sum()), 4.2), layout="constrained")
    for start, width, one in zip(starts, widths, order, strict=True):
        group = generations[one]
        colour = _colour(group[0].pair.lineage.family, families)
        nats = np.array([[gap.nats.value, gap.nats.low, gap.nats.high] for gap in group])
        places = start + 0.16 + 0.12 * np.arange(len(group))
        axis.vlines(places, nats[:, 1], nats[:, 2], colors=[colour], lw=1.5)
        axis.plot(places, nats[:, 0], "o", ms=4, color=colour)
        if len(group) > 1:
            axis.plot([start + 0.1, start + width - 0.1], [nats[:, 0].mean()] * 2, "k-", lw=1.5)
    axis.set_xticks(
        starts + widths / 2,
        [f"{label}, {day}" for day, label in order],
        rotation=45,
        rotation_mode="anchor",
        ha="right",
        fontsize=8,
    )
    axis.set_xlim(0, widths.sum())
    axis.tick_params(axis="y", labelsize=8)
    _band(axis, found, "h")
    axis.set_xlabel("generation and day of release (bar: mean over its pairs)", fontsize=9)
    axis.set_ylabel(_label(found, "up").replace(", ", ",\n").replace("; ", ";\n"), fontsize=9)
    return figure


def gaps_by_category(found: Sequence[Gap], means: Mapping[str, Estimate]) -> Figure:
    """The gap of each pair in each task category, and their mean with its interval.

    Parameters
    ----------
    found
        Gaps among the participants of a category, whose name is `among`.
    means
        Mean over pairs by category, as from `mean_gap`.
    """
    families = _by_family(found)
    order = sorted(means, key=lambda category: means[category].value)
    figure, axis = plt.subplots(figsize=(8.5, 1.2 + 0.5 * len(order)), layout="constrained")
    for family, members in families.items():
        heights = [
            order.index(gap.among) + 0.3 * (list(families).index(family) + 1) / len(families)
            for gap in members
        ]
        axis.plot(
            [gap.nats.value for gap in members],
            heights,
            "o",
            ms=4,
            alpha=0.6,
            color=_colour(family, families),
            label=family,
        )
    _intervals(axis, [means[category] for category in order], "black", "mean over pairs")
    axis.set_yticks(range(len(order)), order, fontsize=9)
    _band(axis, found, "v")
    axis.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axis.set_xlabel(_label(found), fontsize=9)
    return figure


def persona_effects(verdicts: Sequence[Verdict], lineages: Mapping[str, Lineage]) -> Figure:
    """What personas save each model, and what of it is format, group and individual.

    A column a contrast, all on one scale of nats; full dots are of decided comparisons.

    Parameters
    ----------
    verdicts
        On contrasts of one or several models and strategies; those that are no part of the
        ladder of arms are left out.
    lineages
        Where models come from, by name, of those that declare it.
    """
    rows = list(dict.fromkeys((v.effect.model, v.effect.strategy) for v in verdicts))
    strategies = {strategy for _, strategy in rows}
    shown = {v.effect.contrast.name for v in verdicts}
    names = [name for name in LADDER if name in shown]
    figure, axes = plt.subplots(
        1,
        len(names),
        figsize=(2.2 + 1.9 * len(names), 1.2 + 0.24 * len(rows)),
        sharex=True,
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for axis, name in zip(axes[0], names, strict=True):
        of_name = [v for v in verdicts if v.effect.contrast.name == name]
        contrast = of_name[0].effect.contrast
        smallest = of_name[0].smallest
        if all(verdict.effect.measure != "brier" for verdict in of_name):
            axis.axvspan(-smallest, smallest, color="#dddddd", lw=0)
        axis.axvline(0, color="black", lw=0.8)
        for verdict in of_name:
            height = rows.index((verdict.effect.model, verdict.effect.strategy))
            nats = verdict.effect.nats
            lineage = lineages.get(verdict.effect.model)
            colour = _COLOURS[lineage.training if lineage else ""]
            inside = "white" if verdict.outcome in ("undecided", DESCRIPTIVE) else colour
            axis.plot([nats.low, nats.high], [height, height], color=colour, lw=1.5)
            axis.plot(nats.value, height, "o", ms=5, color=colour, mfc=inside)
        axis.set_title(f"{name}\n{contrast.worse} − {contrast.better}", fontsize=9)
        axis.spines[["top", "right"]].set_visible(False)
        axis.tick_params(axis="x", labelsize=8)
    labels = [m if len(strategies) == 1 else f"{m} · {s}" for m, s in rows]
    axes[0, 0].set_yticks(range(len(rows)), labels, fontsize=8)
    axes[0, 0].set_ylim(len(rows) - 0.4, -0.6)
    kinds = dict.fromkeys(lineages[model].training for model, _ in rows if model in lineages)
    if kinds:
        dots = [axes[0, 0].plot([], [], "o", ms=5, color=_COLOURS[kind])[0] for kind in kinds]
        figure.legend(dots, kinds, loc="outside upper right", ncols=2, fontsize=8, frameon=False)
    figure.supxlabel(
        f"{units(verdicts)} saved a response, {verdicts[0].confidence} interval over participants; "
        "right is better, full dots are decided",
        fontsize=9,
    )
    return figure


def _by_family(found: Sequence[Gap]) -> dict[str, list[Gap]]:
    families: dict[str, list[Gap]] = {}
    for gap in found:
        families.setdefault(gap.pair.lineage.family, []).append(gap)
    return families


def _colour(family: str, families: Mapping[str, list[Gap]]) -> _Colour:
    return plt.get_cmap("tab10")(list(families).index(family) % 10)


def _sizes(gap: Gap) -> str:
    """The size of the pair; both of them if they differ."""
    post, base = gap.pair.lineage.parameters, gap.pair.base_lineage.parameters
    return post if gap.pair.same_size else f"{post}, base {base}"


def _outcome(gap: Gap) -> str:
    """What post-training did, with the published d if it is known."""
    known = np.isfinite(gap.published_d)
    return f"{gap.outcome}, d {gap.published_d:+.2f}" if known else gap.outcome


def _intervals(
    axis: Axes, estimates: Sequence[Estimate], colour: _Colour, label: str | None = None
) -> None:
    """Estimates with their intervals, one below the other."""
    values = np.array([[one.value, one.low, one.high] for one in estimates])
    heights = np.arange(len(values))
    axis.hlines(heights, values[:, 1], values[:, 2], colors=[colour], lw=2)
    axis.plot(values[:, 0], heights, "o", ms=5, color=colour, label=label)
    axis.set_ylim(len(values) - 0.4, -0.6)


def _band(axis: Axes, found: Sequence[Gap], direction: str) -> None:
    """What is smaller than the smallest effect of interest, of which there is none in Brier."""
    smallest = found[0].verdict.smallest
    span, line = (axis.axvspan, axis.axvline) if direction == "v" else (axis.axhspan, axis.axhline)
    if all(gap.verdict.effect.measure != "brier" for gap in found):
        span(-smallest, smallest, color="#dddddd", lw=0, zorder=0)
    line(0, color="black", lw=0.8, zorder=0)
    axis.spines[["top", "right"]].set_visible(False)


def _label(found: Sequence[Gap], direction: str = "right") -> str:
    return (
        f"{units([gap.verdict for gap in found])} a response lost by post-training, "
        f"{found[0].verdict.confidence} interval over participants; "
        f"{direction} is less human-like"
    )
