"""The same contrast by another method: a mixed model with crossed random people and items."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geppetto.evaluation.arrays import nanmean
from geppetto.evaluation.effects import Differences
from geppetto.evaluation.mixed_model import MixedModel, mixed_model
from geppetto.evaluation.predictions import Predictions


def second_opinion(difference: Differences, found: Sequence[Predictions]) -> MixedModel:
    """A mixed model of a contrast's cells.

    Parameters
    ----------
    difference
        The contrast. What its people add as personas that others are shown is added to their
        cells, see `geppetto.evaluation.effects.influence`.
    found
        Predictions of all conditions.
    """
    arms = {predicted.condition: predicted for predicted in found}
    worse, better = (arms[condition] for condition in difference.conditions)
    cells = nanmean(worse.nll, 0) - nanmean(better.nll, 0)
    cells[difference.rows] += (difference.influence - difference.persons)[:, None]
    rows, columns = np.indices(cells.shape)
    return mixed_model(cells.ravel(), {"people": rows.ravel(), "items": columns.ravel()})
