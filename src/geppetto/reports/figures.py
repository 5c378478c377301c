"""Figures of a result."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from geppetto.evaluation.baselines import BASELINE
from geppetto.evaluation.effects import CONTRASTS, Effect
from geppetto.evaluation.metrics import by_condition
from geppetto.plan import Condition

_COLOURS = {
    "total": "#444444",
    "length": "#a0a0a0",
    "format": "#d08a2e",
    "information": "#1f6f8b",
    "none": "#444444",
    "filler": "#a0a0a0",
    "human": "#8c8c5c",
    "average": "#b5b04a",
    "shuffled": "#d08a2e",
    "matched": "#b5562b",
    "own": "#1f6f8b",
}
_KNOCKOUT = "#8fb8c7"


def effects(found: Sequence[Effect]) -> Figure:
    """Each contrast with its interval, a panel a model and strategy, on one scale of nats."""
    shown = [effect for effect in found if effect.measure == "nll"]
    panels = list(dict.fromkeys((effect.model, effect.strategy) for effect in shown))
    names = [contrast.name for contrast in CONTRASTS]
    figure, axes = plt.subplots(
        len(panels), 1, figsize=(8, 0.6 + 1.5 * max(len(panels), 1)), sharex=True, squeeze=False
    )
    for axis, (model, strategy) in zip(axes[:, 0], panels, strict=True):
        for effect in shown:
            if (effect.model, effect.strategy) != (model, strategy):
                continue
            nats, height = effect.nats, names.index(effect.contrast.name)
            colour = _COLOURS[effect.contrast.name]
            axis.plot([nats.low, nats.high], [height, height], color=colour, lw=2)
            axis.plot(nats.value, height, "o", color=colour)
        axis.axvline(0, color="black", lw=0.8)
        axis.set_yticks(
            range(len(names)),
            [f"{c.name} ({c.worse} − {c.better})" for c in CONTRASTS],
            fontsize=8,
        )
        axis.set_ylim(len(names) - 0.5, -0.5)
        axis.set_title(f"{model} · {strategy}", fontsize=9, loc="left")
        axis.spines[["top", "right"]].set_visible(False)
    axes[-1, 0].set_xlabel("nats saved a response, 95% interval over participants; right is better")
    figure.tight_layout()
    return figure


def participants(people: pd.DataFrame) -> Figure:
    """Every participant's NLL under each condition, a row a condition."""
    conditions = list(by_condition(people))
    figure, axis = plt.subplots(figsize=(8, 0.8 + 0.42 * len(conditions)))
    rng = np.random.default_rng(0)
    for row, (condition, group) in enumerate(conditions):
        values = group["nll"].to_numpy()
        heights = row + rng.uniform(-0.25, 0.25, len(values))
        colour = _COLOURS.get(condition.arm, _KNOCKOUT)
        if condition.model == BASELINE:
            colour = "#7a5195"
        axis.plot(values, heights, ".", ms=3, alpha=0.5, color=colour)
        axis.plot([values.mean()] * 2, [row - 0.35, row + 0.35], color="black", lw=1.5)
    axis.set_yticks(
        range(len(conditions)), [condition.label for condition, _ in conditions], fontsize=8
    )
    axis.invert_yaxis()
    axis.set_xlabel("NLL, nats a response (dot: a participant, bar: their mean)")
    axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    return figure


def participant_distribution(people: pd.DataFrame, condition: Condition) -> Figure:
    """Histograms of participants' NLL and accuracy under one condition, on everyone's scale."""
    figure, axes = plt.subplots(1, 2, figsize=(8, 3))
    (group,) = [rows for other, rows in by_condition(people) if other == condition]
    for axis, measure, label in zip(
        axes, ("nll", "accuracy"), ("NLL, nats a response", "accuracy"), strict=True
    ):
        edges = np.histogram_bin_edges(people[measure].to_numpy(), bins=30)
        values = group[measure].to_numpy()
        axis.hist(values, bins=edges.tolist(), color="#1f6f8b")
        axis.axvline(values.mean(), color="black", lw=1.5)
        axis.set_xlabel(label)
        axis.set_ylabel("participants")
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(condition.label, fontsize=9)
    figure.tight_layout()
    return figure
