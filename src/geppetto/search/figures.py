"""Figures of a search: what its trials were worth, and what made the difference."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

from geppetto.planning.search_config import DIRECTIONS
from geppetto.reports.style import styled
from geppetto.search.confirm import Confirmation

_TRIAL, _WINNER, _TEST, _OPTIMISM = "#9aa5b1", "#1f6fb2", "#c8553d", "#e9ecef"


@styled
def trials(confirmation: Confirmation) -> Figure:
    """Every complete trial's score in the order of trials, and the winner's on test people.

    The band goes from the mean of trials to where the best of as many would be by luck if all
    were equally good.
    """
    scores = confirmation.search.scores[confirmation.objective]
    means = scores.mean(axis=1)
    sign = 1 if DIRECTIONS[confirmation.objective] == "maximize" else -1
    winner, test = confirmation.search.best[0], confirmation.confirmed
    figure, axis = plt.subplots(figsize=(8, 4))
    if confirmation.selection_optimism is not None:
        centre = float(means.mean())
        best = centre + sign * confirmation.selection_optimism.best_of_equals
        axis.axhspan(centre, best, color=_OPTIMISM, label="where luck could put the best of equals")
    others = means.drop(winner)
    axis.plot(others.index, others, "o", color=_TRIAL, label="trials, search people")
    axis.plot([winner], [means[winner]], "o", color=_WINNER, ms=9, label="winner, search people")
    last = int(confirmation.search.trials["number"].max())
    place = last + max(1, 0.05 * last)
    axis.errorbar(
        [place],
        [test.value],
        yerr=np.abs([[test.value - test.low], [test.high - test.value]]),
        fmt="D",
        color=_TEST,
        capsize=4,
        label="winner, test people",
    )
    axis.annotate(
        "",
        (place, test.value),
        (winner, means[winner]),
        arrowprops={"arrowstyle": "->", "alpha": 0.4},
    )
    axis.set_xlabel("trial", fontsize=10)
    axis.set_ylabel(_unit(confirmation.objective), fontsize=10)
    figure.legend(loc="outside upper center", ncols=4)
    return figure


@styled
def importances(weights: Mapping[str, float]) -> Figure:
    """How much each parameter made a difference between trials."""
    names = list(weights)[::-1]
    figure, axis = plt.subplots(figsize=(7, 0.7 + 0.3 * len(names)))
    axis.barh(names, [weights[name] for name in names], color=_WINNER)
    figure.supxlabel("share of the differences between trials (PED-ANOVA)", fontsize="medium")
    return figure


def _unit(objective: str) -> str:
    nats = ("information", "nll", "nll_full")
    unit = ", nats a response" if objective in nats else ""
    which = "more" if DIRECTIONS[objective] == "maximize" else "less"
    return f"{objective}{unit} ({which} is better)"
