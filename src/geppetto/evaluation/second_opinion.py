"""The same contrast by a mixed model: people, items and wordings are crossed and random."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geppetto.evaluation.arrays import nanmean
from geppetto.evaluation.effects import Differences
from geppetto.evaluation.mixed_model import MixedModel, mixed_model
from geppetto.evaluation.predictions import Predictions, in_each_wording


def second_opinion(difference: Differences, found: Sequence[Predictions]) -> MixedModel:
    """A mixed model of a contrast's cells in each wording.

    Parameters
    ----------
    difference
        The contrast. What its people add as personas that others are shown is added to their
        cells, see `geppetto.evaluation.effects.influence`.
    found
        Predictions of all conditions.
    """
    found[0].responses.must_be_shared("a mixed model with crossed items")
    arms = {predicted.condition: predicted for predicted in found}
    worse, better = difference.conditions
    best = difference.uninformed
    conditions = (better, *((worse,) if best is None else best.conditions))
    each = [
        [nanmean(one.nll, 0) for one in same]
        for same in in_each_wording([arms[condition] for condition in conditions])
    ]
    cells = np.stack([(of[0] if best is None else best.of(of)) - own for own, *of in each])
    for in_wording, one in zip(cells, difference.wordings or (difference,), strict=True):
        in_wording[one.rows] += (one.influence - one.persons)[:, None]
    wordings, rows, columns = np.indices(cells.shape)
    factors = {"people": rows, "items": columns, "wordings": wordings}
    return mixed_model(cells.ravel(), {name: codes.ravel() for name, codes in factors.items()})
