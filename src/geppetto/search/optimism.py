"""How much of a winner's score is luck: the best of many is chosen for what helped it by chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geppetto.evaluation.inference.resampling import Resampling

Floats = NDArray[np.float64]
Direction = Literal["maximize", "minimize"]


@dataclass(frozen=True)
class SelectionOptimism:
    """What choosing the best trial on some people does to its score there.

    Attributes
    ----------
    optimism
        By how much the winner's score on these people is better than what to expect of it on
        others: than the mean score of winners among people drawn anew on those who were not
        drawn (bootstrap bias correction; Tsamardinos, Greasidou & Borboudakis 2018).
    best_of_equals
        By how much the best of all trials would be better than all of them if they were equally
        good: the mean of the largest deviation of a trial from its own mean over people drawn
        anew.
    chosen_again
        Share of draws in which the winner was the same.
    """

    optimism: float
    best_of_equals: float
    chosen_again: float


def selection_optimism(
    scores: Floats, people: Resampling, direction: Direction
) -> SelectionOptimism | None:
    """The luck of the best of some trials that were scored on the same people.

    Parameters
    ----------
    scores
        Score of each trial for each person, shape (trials, people).

    Returns
    -------
    SelectionOptimism or None
        In the units of the scores and counted so that more is luckier; None for a single trial.
    """
    if len(scores) < 2:
        return None
    good = scores.T if direction == "maximize" else -scores.T
    means = good.mean(axis=0)
    elsewhere, best, again = [], [], []
    for weights in people.weights():
        drawn = weights @ good / weights.sum(1, keepdims=True)
        winners = drawn.argmax(axis=1)
        others = (weights == 0).astype(float)
        rows = np.flatnonzero(others.sum(1))  # somebody was not drawn
        left_out = others[rows] @ good / others[rows].sum(1, keepdims=True)
        elsewhere.append(left_out[np.arange(len(rows)), winners[rows]])
        best.append((drawn - means).max(axis=1))
        again.append(winners == means.argmax())
    return SelectionOptimism(
        float(means.max() - np.concatenate(elsewhere).mean()),
        float(np.concatenate(best).mean()),
        float(np.concatenate(again).mean()),
    )
