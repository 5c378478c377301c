"""What contrasts with strangers would be if all others had been the strangers of everyone.

In a survey what a persona predicts of an item holds for whoever answered it, so that what people's
responses cost under every persona is known, however few were drawn for them. Which were drawn adds
noise to a person's difference, the more the fewer: how much people differ in an effect, and in how
many it is positive, are not told by such differences, or an effect would change its size with the
number of strangers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from geppetto.evaluation.arrays import Floats, nanmean
from geppetto.evaluation.inference.moments import quotient
from geppetto.evaluation.lending import costs_under
from geppetto.evaluation.predictions import Predictions

STRANGERS = "shuffled"
"""The arm whose strangers are drawn from all others."""


def typical_cost(
    arms: Mapping[str, Predictions], measure: str, items: Sequence[int] | None = None
) -> Floats | None:
    """What each participant's responses cost with a stranger's persona, the mean over all others.

    Parameters
    ----------
    arms
        Conditions of one model and strategy in one wording, by their arms.
    measure
        What responses cost by, see `geppetto.evaluation.losses.cell_cost`.
    items
        Items that count; all by default.

    Returns
    -------
    numpy.ndarray
        Shape (participants,), over the others of their pool whose persona was shown to anybody;
        None where that is not known: without strangers, in sessions and of samples.
    """
    shown = [arms[name] for name in (STRANGERS, "own") if name in arms]
    if STRANGERS not in arms or any(arm.counts is not None for arm in shown):
        return None
    observed, pools = shown[0].responses, shown[0].pool
    if observed.of_sessions:
        return None
    people = np.arange(len(pools))
    number, pool = np.unique(pools, return_inverse=True)
    columns = []
    for item, predicted in costs_under(shown, measure, items):
        known = np.isfinite(predicted)
        total, count = np.zeros((2, len(number), predicted.shape[1]))
        np.add.at(total, pool, np.where(known, predicted, 0.0))
        np.add.at(count, pool, known)
        position = observed.position[:, item]
        at = pool, np.maximum(position, 0)
        own = known[people, at[1]]
        mine = np.where(own, predicted[people, at[1]], 0.0)
        mean = quotient(total[at] - mine, count[at] - own)
        columns.append(np.where(position >= 0, mean, np.nan))
    return nanmean(np.stack(columns, axis=1), 1)
