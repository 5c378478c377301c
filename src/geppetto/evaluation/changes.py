"""How much an effect changes: with what was read before, and from trial to trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from statsmodels.stats.multitest import multipletests

from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.arrays import Floats, nanmean
from geppetto.evaluation.effects import Differences, differences
from geppetto.evaluation.permutation import sign_flip_p
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.resampling import LEVEL, Estimate, Resampling, estimate, mean
from geppetto.evaluation.responses import Responses


@dataclass(frozen=True)
class Change:
    """How much a contrast changes, over participants.

    Attributes
    ----------
    differences
        The contrast; `among` says with what it changes, `influence` is what each participant adds
        to the change.
    nats
        The change in nats a response; positive if the contrast grows. Wordings are taken as given.
    p, p_adjusted
        Two-sided p of no change, by flipping signs of whole people, and corrected for all changes
        of one table by Benjamini & Hochberg (1995) and for looks at these people.
    """

    differences: Differences
    nats: Estimate
    p: float
    p_adjusted: float


def changes(
    found: Sequence[Differences], resampling: Resampling, analysis: Analysis
) -> list[Change]:
    """Changes with their intervals and tests.

    Parameters
    ----------
    found
        As from `between` or `slopes`.
    resampling
        How all participants are drawn.
    analysis
        Settings of the inference.
    """
    if not found:
        return []
    resampling = replace(resampling, level=LEVEL / analysis.looks)
    tested = []
    for one in found:
        people = resampling.among(one.rows)
        nats = estimate(mean, one.influence, people=people, method=analysis.intervals)
        p = float(sign_flip_p(one.influence[:, None], people, seed=analysis.seed)[0])
        tested.append((one, nats, p))
    corrected = multipletests([p for _, _, p in tested], method="fdr_bh")[1].tolist()
    return [
        Change(one, nats, p, min(1.0, analysis.looks * adjusted))
        for (one, nats, p), adjusted in zip(tested, corrected, strict=True)
    ]


def in_rows_of(responses: Responses, others: Responses, found: Differences) -> Differences:
    """The same contrast with its people in the rows that they have in other responses.

    Raises
    ------
    ValueError
        If somebody has none.
    """
    rows = pd.Index(others.participants).get_indexer(pd.Index(responses.participants))[found.rows]
    if (rows < 0).any():
        raise ValueError("answers with different histories are not of the same people")
    order = np.argsort(rows)
    return replace(
        found,
        rows=rows[order],
        persons=found.persons[order],
        influence=found.influence[order],
        totals=found.totals[order],
        wordings=tuple(in_rows_of(responses, others, one) for one in found.wordings),
    )


def between(first: Differences, second: Differences, among: str) -> Differences:
    """What each person adds to how much a contrast grows from the first to the second.

    Only people who have both count.
    """
    rows, in_first, in_second = np.intersect1d(first.rows, second.rows, return_indices=True)
    return replace(
        second,
        among=among,
        rows=rows,
        persons=second.persons[in_second] - first.persons[in_first],
        influence=second.influence[in_second] - first.influence[in_first],
        totals=second.totals[in_second] - first.totals[in_first],
        wordings=(),
    )


def slopes(
    found: Sequence[Predictions], measure: str, weights: Floats, among: str
) -> Iterator[Differences]:
    """How much every contrast grows with each doubling of a response's number in its session.

    One slope within people: sum of S_xy over people / sum of S_xx, with the sums of squares and
    products of each person's differences and base-2 logarithms of numbers. `persons` and
    `influence` are what each person adds to it, linearised at the slope.

    Parameters
    ----------
    found
        Predictions of all conditions, of sessions.
    measure
        A measure of `Differences`.
    weights
        How many people each participant stands for, shape (participants,).
    among
        What to call it.
    """
    position = np.log2([float(item) for item in found[0].responses.items])
    conditions = {one.condition: one for one in found}
    for whole in differences(found, measure, weights=weights):
        worse, better = (_cells(conditions[c], measure) for c in whole.conditions)
        saved = worse - better
        known = np.isfinite(saved)
        x = np.where(known, position, np.nan)
        away = np.where(known, x - nanmean(x, 1)[:, None], 0.0)
        s_xx = np.sum(away**2, axis=1)
        s_xy = np.sum(away * np.nan_to_num(saved), axis=1)
        rows = np.flatnonzero(s_xx > 0)
        if not len(rows):
            continue
        weight = weights[rows]
        squares = float(weight @ s_xx[rows])
        slope = float(weight @ s_xy[rows]) / squares
        added = slope + (s_xy - slope * s_xx)[rows] * weight.sum() / squares
        yield replace(
            whole,
            among=among,
            rows=rows,
            persons=added,
            influence=added,
            totals=added * known.sum(1)[rows],
            wordings=(),
        )


def _cells(found: Predictions, measure: str) -> Floats:
    """Mean NLL of each cell over draws, shape (participants, items)."""
    return nanmean(-found.log_prob if measure == "nll_full" else found.nll, 0)
