"""The figure that compares elicitations."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from geppetto.reports.columns import within_model
from geppetto.reports.style import styled

_MEASURES = {
    "accuracy": "accuracy",
    "nll": "NLL, nats a response",
    "option_mass": "option mass",
}


@styled
def elicitations(table: pd.DataFrame) -> Figure:
    """Each condition of `Results.by_elicitation` in every elicitation, a row of panels a model."""
    models = table["model"].unique()
    number_of = [table[table["model"] == m].groupby(["strategy", "arm"]).ngroups for m in models]
    ratios = [0.7 + 0.45 * count for count in number_of]
    figure, axes = plt.subplots(
        len(models),
        len(_MEASURES),
        figsize=(10, 1.0 + sum(ratios)),
        height_ratios=ratios,
        sharex="col",
        squeeze=False,
    )
    labels = table["elicitation"].unique().tolist()
    colours = {label: plt.get_cmap("tab10")(number % 10) for number, label in enumerate(labels)}
    for row, model in zip(axes, models, strict=True):
        rows = table[table["model"] == model]
        names = [within_model(one) for one in rows.to_dict("records")]
        conditions = list(dict.fromkeys(names))
        read = rows["elicitation"].unique().tolist()
        aside = [0.5 * ((n + 0.5) / len(read) - 0.5) for n in range(len(read))]
        height = np.array(
            [
                conditions.index(name) + aside[read.index(label)]
                for name, label in zip(names, rows["elicitation"], strict=True)
            ]
        )
        for axis, measure in zip(row, _MEASURES, strict=True):
            for label in read:
                mine = (rows["elicitation"] == label).to_numpy()
                low, value, high = (
                    rows[f"{measure}{end}"].to_numpy(float)[mine] for end in ("_low", "", "_high")
                )
                axis.hlines(height[mine], low, high, color=colours[label], lw=2)
                axis.plot(value, height[mine], "o", ms=5, color=colours[label], label=label)
            if measure == "option_mass":
                axis.set_xlim(-0.02, 1.02)
            axis.set_ylim(len(conditions) - 0.5, -0.5)
            axis.set_yticks([])
            for line in range(1, len(conditions)):
                axis.axhline(line - 0.5, color="#dddddd", lw=0.8)
            axis.tick_params(labelsize=8, labelbottom=True)
        row[0].set_yticks(range(len(conditions)), conditions, fontsize=8)
        row[0].set_title(f"{model} · {rows['cells'].iloc[0]:,} cells")
    for axis, label in zip(axes[-1], _MEASURES.values(), strict=True):
        axis.set_xlabel(label)
    handles = [Line2D([], [], marker="o", lw=2, color=colours[one]) for one in labels]
    figure.legend(handles, labels, loc="outside upper right", ncols=len(labels))
    return figure
