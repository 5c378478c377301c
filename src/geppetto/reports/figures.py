"""Figures of results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from geppetto.evaluation.calibration.reliability import Reliability
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.rows import CONDITION
from geppetto.evaluation.words import over
from geppetto.planning.plan import BASELINE, Condition
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

_COLOURS = {
    "total": "#444444",
    "length": "#a0a0a0",
    "human": "#8c8c5c",
    "average": "#b5b04a",
    "format": "#d08a2e",
    "information": "#1f6f8b",
    "benefit": "#7a2f8f",
    "group": "#b5562b",
    "individual": "#2a9d8f",
    "none": "#444444",
    "filler": "#a0a0a0",
    "shuffled": "#d08a2e",
    "matched": "#b5562b",
    "own": "#1f6f8b",
}
_KNOCKOUT = "#8fb8c7"
_BASELINE = "#7a5195"


@styled
def effects(verdicts: Sequence[Verdict]) -> Figure:
    """Each contrast with its interval, a panel a model and strategy, on one scale of nats.

    The band around zero is what is smaller than the smallest effect of interest. Models that
    are decided by another measure have an axis of their own below.
    """
    by_panel = by_strategy(verdicts)
    one_measure = len({verdict.effect.measure for verdict in verdicts}) == 1
    figure, axes = panels([len(found) for found in by_panel.values()], sharex=one_measure)
    last: dict[str, Axes] = {}
    for axis, ((model, strategy), found) in zip(axes, by_panel.items(), strict=True):
        band(axis, found)
        names = []
        for height, verdict in enumerate(found):
            effect, nats = verdict.effect, verdict.effect.nats
            colour = _COLOURS.get(effect.contrast.name, _KNOCKOUT)
            axis.plot([nats.low, nats.high], [height, height], color=colour, lw=2)
            axis.plot(nats.value, height, "o", ms=5, color=colour)
            outcome = verdict.outcome
            note_row(axis, height, outcome.replace(", ", ",\n"), outcome == "undecided")
            contrast = effect.contrast
            among = f", {effect.among}" if effect.among else ""
            names.append(f"{contrast.name} ({contrast.worse} − {contrast.better}){among}")
        name_rows(axis, names)
        axis.set_title(f"{model} · {strategy}")
        last[found[0].effect.measure] = axis
    for measure, axis in last.items():
        axis.tick_params(labelbottom=True)
        axis.set_xlabel(
            f"{_saved(measure)}, {verdicts[0].confidence} interval over participants; right is "
            "better"
        )
    return figure


_STEPS = ("none", "filler", "human", "average", "shuffled", "matched", "own")


@styled
def steps(metrics: pd.DataFrame) -> Figure:
    """Mean NLL from no persona to their own, a panel a model and strategy.

    Parameters
    ----------
    metrics
        A row a condition, see `Results.metrics`.
    """
    metric = "nll" if metrics["nll"].notna().any() else "nll_full"
    by_model = metrics[metrics["model"] != BASELINE]
    own = by_model[by_model["arm"] == "own"]
    of_panels = []
    for model, strategy in own[["model", "strategy"]].drop_duplicates().itertuples(index=False):
        rows = by_model[by_model["model"] == model].set_index(["strategy", "arm"])
        found = [
            (arm, rows.loc[key])
            for arm in _STEPS
            if (key := (strategy, arm)) in rows.index or (key := ("none", arm)) in rows.index
        ]
        of_panels.append((f"{model} · {strategy}", found))
    figure, axes = panels([len(found) for _, found in of_panels])
    uninformed = metrics[(metrics["model"] == BASELINE) & (metrics["strategy"] == "item marginals")]
    for axis, (title, found) in zip(axes, of_panels, strict=True):
        values = [row[metric] for _, row in found]
        axis.plot(values, range(len(found)), color=GREY, lw=0.8, zorder=0)
        for height, (arm, row) in enumerate(found):
            colour = _COLOURS.get(arm, _KNOCKOUT)
            low, high = row[f"{metric}_low"], row[f"{metric}_high"]
            axis.plot([low, high], [height] * 2, color=colour, lw=2)
            axis.plot(row[metric], height, "o", ms=6, color=colour)
            note_row(axis, height, f"{row[metric]:.3f}", False)
        for value in uninformed[metric]:
            axis.axvline(value, color=_BASELINE, lw=1, ls="--")
        name_rows(axis, [arm for arm, _ in found])
        axis.set_title(title)
    axes[-1].set_xlabel(
        "NLL in nats a response, 95% intervals over participants; left is better. Dashed: what "
        "others answered"
    )
    return figure


def _saved(measure: str) -> str:
    """What an axis of a measure shows."""
    if measure == "brier":
        return "Brier score saved a response"
    return f"nats saved a response {over(measure)}"


@styled
def along(verdicts: Sequence[Verdict], by: str) -> Figure:
    """Each contrast from one part of sessions to the next, a panel a model and strategy.

    The band around zero is what is smaller than the smallest effect of interest.
    """
    by_panel = by_strategy(verdicts)
    figure, axes = plt.subplots(
        len(by_panel),
        1,
        figsize=(8.5, 0.6 + 2.6 * len(by_panel)),
        sharex=True,
        sharey=True,
        squeeze=False,
    )
    parts = list(dict.fromkeys(verdict.effect.among for verdict in verdicts))
    for axis, ((model, strategy), found) in zip(axes[:, 0], by_panel.items(), strict=True):
        band(axis, found, across=True)
        names = list(dict.fromkeys(verdict.effect.contrast.name for verdict in found))
        for number, name in enumerate(names):
            line = [verdict for verdict in found if verdict.effect.contrast.name == name]
            aside = 0.3 * (number - (len(names) - 1) / 2) / len(names)
            x = [parts.index(verdict.effect.among) + aside for verdict in line]
            nats = [verdict.effect.nats for verdict in line]
            colour = _COLOURS.get(name, _KNOCKOUT)
            axis.plot(x, [one.value for one in nats], "o-", ms=4, color=colour, label=name)
            axis.vlines(x, [n.low for n in nats], [n.high for n in nats], color=colour)
        axis.set_xticks(range(len(parts)), [part.removeprefix(by).strip() for part in parts])
        axis.tick_params(labelsize=8)
        axis.set_title(f"{model} · {strategy}")
        axis.set_ylabel("nats saved a response")
        axis.legend(loc="center left", bbox_to_anchor=(1, 0.5))
    axes[-1, 0].set_xlabel(
        f"{by}; nats {over(verdicts[0].effect.measure)}, {verdicts[0].confidence} intervals over "
        "participants; up is better"
    )
    return figure


@styled
def participants(people: pd.DataFrame, measure: str = "nll") -> Figure:
    """Every participant's "nll" or "nll_full" under each condition that has it, a row each."""
    people = people[people[measure].notna()]
    groups = [(Condition(*map(str, k)), g) for k, g in people.groupby(CONDITION, sort=False)]
    figure, axis = plt.subplots(figsize=(8.5, 0.8 + 0.3 * len(groups)))
    rng = np.random.default_rng(0)
    for row, (condition, group) in enumerate(groups):
        values = group[measure].to_numpy()
        heights = row + rng.uniform(-0.25, 0.25, len(values))
        colour = _COLOURS.get(condition.arm, _KNOCKOUT)
        colour = _BASELINE if condition.model == BASELINE else colour
        axis.plot(values, heights, ".", ms=3, alpha=0.5, color=colour)
        axis.plot([values.mean()] * 2, [row - 0.35, row + 0.35], color="black", lw=1.5)
    name_rows(axis, [condition.label for condition, _ in groups])
    axis.set_xlabel(f"NLL {over(measure)}, nats a response (dot: a participant, bar: their mean)")
    return figure


@styled
def participant_distribution(people: pd.DataFrame, condition: Condition) -> Figure:
    """Histograms of participants' NLL and accuracy under one condition, on everyone's scale.

    The full NLL alone of open responses.
    """
    labels = {"nll": "NLL, nats a response", "accuracy": "accuracy"}
    if people["nll"].isna().all():
        labels = {"nll_full": f"NLL {over('nll_full')}, nats a response"}
    figure, axes = plt.subplots(1, len(labels), figsize=(4 * len(labels), 3), squeeze=False)
    group = people[(people[CONDITION] == list(condition)).all(axis=1)]
    for axis, (measure, label) in zip(axes[0], labels.items(), strict=True):
        edges = np.histogram_bin_edges(people[measure].dropna().to_numpy(), bins=30)
        values = group[measure].dropna().to_numpy()
        axis.hist(values, bins=edges.tolist(), color=BLUE)
        axis.axvline(values.mean(), color="black", lw=1.5)
        axis.set_xlabel(label, fontsize=10)
        axis.set_ylabel("participants", fontsize=10)
    figure.suptitle(condition.label, fontsize=9)
    return figure


@styled
def reliability(curves: Mapping[Condition, Reliability]) -> Figure:
    """How often the most probable option was the response, against its probability.

    The area of a dot is its share of answers; a perfectly calibrated model's dots are on the
    diagonal.
    """
    models = list(dict.fromkeys(condition.model for condition in curves))
    figure, axes = plt.subplots(
        1,
        len(models),
        figsize=(0.6 + 3.6 * len(models), 4.4),
        sharey=True,
        squeeze=False,
    )
    for axis, model in zip(axes[0], models, strict=True):
        axis.plot([0, 1], [0, 1], color="#bbbbbb", lw=1)
        for number, condition in enumerate(c for c in curves if c.model == model):
            curve, colour = curves[condition], plt.get_cmap("tab20")(number % 20)
            some = curve.count > 0
            axis.plot(curve.confidence[some], curve.accuracy[some], color=colour, lw=1)
            axis.scatter(
                curve.confidence[some],
                curve.accuracy[some],
                s=120 * curve.count[some] / curve.count.sum(),
                color=colour,
                label=" · ".join(dict.fromkeys((condition.strategy, condition.arm))),
            )
        axis.set_title(model)
        axis.set_xlabel("probability of the most probable option")
        axis.legend(fontsize=6, loc="upper left")
    axes[0, 0].set_ylabel("share of responses that were it")
    return figure
