"""Figures of pairs of models: what post-training lost, and what personas save and win back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geppetto.evaluation.inference.resampling import Estimate
from geppetto.evaluation.inference.verdicts import DESCRIPTIVE, Verdict
from geppetto.evaluation.pairs.gap import Gap
from geppetto.evaluation.pairs.recovery import PersonaRecovery
from geppetto.models.lineage import Lineage
from geppetto.reports.style import (
    BLUE,
    GREY,
    band,
    by_strategy,
    name_rows,
    note_row,
    panels,
    styled,
)
from geppetto.reports.text import units

LADDER = ("total", "format", "information", "group", "individual")
"""Contrasts that split what a persona saves, by name."""

_COLOURS = {"base": "#1f6f8b", "post-trained": "#d08a2e", "": "#444444"}
_Colour = str | tuple[float, float, float, float]


@styled
def gaps(found: Sequence[Gap]) -> Figure:
    """The gap of each pair with its interval, a panel a family, small models first.

    The band around zero is what is smaller than the smallest effect of interest.
    """
    families, verdicts = _by_family(found), [gap.verdict for gap in found]
    figure, axes = panels([len(members) for members in families.values()], 0.45, 0.22)
    for axis, (family, members) in zip(axes, families.items(), strict=True):
        ordered = sorted(members, key=lambda gap: (gap.pair.lineage.billions, gap.pair.post))
        _intervals(axis, [gap.nats for gap in ordered], _colour(family, families))
        for height, gap in enumerate(ordered):
            note_row(axis, height, _outcome(gap), gap.outcome == "undecided")
        names = [f"{gap.pair.post} ({_sizes(gap)})" for gap in ordered]
        name_rows(axis, names)
        axis.set_title(family)
        band(axis, verdicts)
    label = _label(found)
    if any(np.isfinite(gap.published_d) for gap in found):
        label += "\nd: over pooled responses, as published"
    axes[-1].set_xlabel(label)
    return figure


@styled
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
    figure, axis = plt.subplots(figsize=(max(6, 2.5 + widths.sum()), 4.2))
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
    band(axis, [gap.verdict for gap in found], across=True)
    axis.set_xlabel("generation and day of release (bar: mean over its pairs)")
    axis.set_ylabel(_label(found, "up").replace(", ", ",\n").replace("; ", ";\n"))
    return figure


@styled
def gaps_by_category(found: Sequence[Gap], means: Mapping[str, Estimate]) -> Figure:
    """The gap of each pair in each task category, and their mean with its interval.

    `found` are gaps among the participants of a category, whose name is `among`; `means` are those
    of `mean_gap`.
    """
    families = _by_family(found)
    order = sorted(means, key=lambda category: means[category].value)
    figure, axis = plt.subplots(figsize=(8.5, 1.2 + 0.5 * len(order)))
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
    name_rows(axis, order, 9)
    band(axis, [gap.verdict for gap in found])
    axis.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0))
    axis.set_xlabel(_label(found))
    return figure


@styled
def persona_effects(verdicts: Sequence[Verdict], lineages: Mapping[str, Lineage]) -> Figure:
    """What personas save each model, and what of it is format, group and individual.

    A column a contrast, all on one scale of nats; full dots are of decided comparisons. Contrasts
    that are no part of the ladder of arms are left out; models that declare where they come from
    have the colour of their training.
    """
    rows = list(by_strategy(verdicts))
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
    )
    for axis, name in zip(axes[0], names, strict=True):
        of_name = [v for v in verdicts if v.effect.contrast.name == name]
        contrast = of_name[0].effect.contrast
        band(axis, of_name)
        for verdict in of_name:
            height = rows.index((verdict.effect.model, verdict.effect.strategy))
            nats = verdict.effect.nats
            lineage = lineages.get(verdict.effect.model)
            colour = _COLOURS[lineage.training if lineage else ""]
            inside = "white" if verdict.outcome in ("undecided", DESCRIPTIVE) else colour
            axis.plot([nats.low, nats.high], [height, height], color=colour, lw=1.5)
            axis.plot(nats.value, height, "o", ms=5, color=colour, mfc=inside)
        axis.set_title(f"{name}\n{contrast.worse} − {contrast.better}", loc="center")
        axis.tick_params(axis="x", labelsize=8)
    labels = [m if len(strategies) == 1 else f"{m} · {s}" for m, s in rows]
    name_rows(axes[0, 0], labels)
    kinds = dict.fromkeys(lineages[model].training for model, _ in rows if model in lineages)
    if kinds:
        dots = [axes[0, 0].plot([], [], "o", ms=5, color=_COLOURS[kind])[0] for kind in kinds]
        figure.legend(dots, kinds, loc="outside upper right", ncols=2)
    figure.supxlabel(
        f"{units(verdicts)} saved a response, {verdicts[0].confidence} interval over participants; "
        "right is better, full dots are decided",
        fontsize=9,
    )
    return figure


@styled
def recoveries(found: Sequence[PersonaRecovery]) -> Figure:
    """What part of each gap is won back, a panel a pair and strategy.

    The band from 0 to 1 is the gap. Where it may be zero, or is none, or people are too few, the
    row is dotted from edge to edge: the part may be anything, or means nothing.
    """
    by_panel: dict[tuple[str, str], list[PersonaRecovery]] = {}
    for one in found:
        by_panel.setdefault((one.pair.post, one.strategy), []).append(one)
    figure, axes = panels([len(rows) for rows in by_panel.values()])
    ends = [end for one in found if _is_known(one) for end in (one.recovery.low, one.recovery.high)]
    left, right = min([-0.5, *ends]) - 0.1, max([1.5, *ends]) + 0.1
    for axis, ((post, strategy), rows) in zip(axes, by_panel.items(), strict=True):
        axis.axvspan(0, 1, color="#eeeeee", lw=0, zorder=0)
        axis.axvline(0, color="black", lw=0.8, zorder=0)
        for height, one in enumerate(rows):
            part = one.recovery
            if _is_known(one):
                axis.plot([part.low, part.high], [height] * 2, color=BLUE, lw=2)
                axis.plot(part.value, height, "o", ms=5, color=BLUE)
            else:
                axis.plot([left, right], [height] * 2, ":", color=GREY, lw=1)
            note_row(axis, height, _in_words(one), not _is_known(one))
        contrasts = [one.contrast for one in rows]
        names = [f"{one.name} ({one.worse} − {one.better})" for one in contrasts]
        name_rows(axis, names)
        axis.set_xlim(left, right)
        axis.set_title(f"{post} · {strategy}, base {rows[0].pair.base}")
    axes[-1].set_xlabel(
        "part of the gap that is won back, with Fieller's interval over participants\n"
        "(1: all that post-training lost; dotted: there may be no gap, or people are too few)"
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


def _label(found: Sequence[Gap], direction: str = "right") -> str:
    return (
        f"{units([gap.verdict for gap in found])} a response lost by post-training, "
        f"{found[0].verdict.confidence} interval over participants; "
        f"{direction} is less human-like"
    )


def _is_known(one: PersonaRecovery) -> bool:
    """Whether there is a gap of which a part can be won back."""
    return one.recovery.bounded and one.recovery.gap.value > 0 and not one.too_few


def _in_words(one: PersonaRecovery) -> str:
    if _is_known(one):
        return f"{one.recovery.value:.0%}"
    lost = one.recovery.gap.value > 0 or not one.recovery.bounded or one.too_few
    return "cannot be told" if lost else "nothing to win back"
