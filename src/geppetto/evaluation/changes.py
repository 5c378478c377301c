"""How much an effect changes: with what was read before, and from trial to trial."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from geppetto.evaluation.arrays import Floats, nanmean, quotient
from geppetto.evaluation.differences import Differences, combined, differences
from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimate, mean
from geppetto.evaluation.losses import cell_cost
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.responses import Responses
from geppetto.planning.analysis_config import LEVEL, Analysis


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

    Slopes rest on few people where few sessions are long: there bootstrap-t intervals cover 90 to
    95%, and percentiles, which are expanded, 94 to 98%; so they have these.
    """
    if not found:
        return []
    resampling = replace(resampling, level=LEVEL / analysis.looks)
    tested = []
    for one in found:
        people = resampling.among(one.rows)
        method = analysis.intervals
        if one.precision is not None:
            people = replace(people, base=people.base * one.precision)
            method = "percentile" if method == "studentised" else method
        nats = estimate(mean, one.influence, people=people, method=method)
        p = float(sign_flip_p(one.influence[:, None], people, seed=analysis.seed)[0])
        tested.append((one, nats, p))
    corrected = stats.false_discovery_control([p for _, _, p in tested]).tolist()
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
        combined([found], lambda values: values[0][order]),
        rows=rows[order],
        wordings=tuple(in_rows_of(responses, others, one) for one in found.wordings),
    )


def between(first: Differences, second: Differences, among: str) -> Differences:
    """What each person adds to how much a contrast grows from the first to the second.

    Only people who have both count.
    """
    rows, in_first, in_second = np.intersect1d(first.rows, second.rows, return_indices=True)
    return replace(
        combined(
            [replace(second, possible=None), first],
            lambda both: both[0][in_second] - both[1][in_first],
        ),
        among=among,
        rows=rows,
        sampled=first.sampled or second.sampled,
        wordings=(),
    )


def slopes(
    found: Sequence[Predictions], measure: str, weights: Floats, among: str
) -> Iterator[Differences]:
    """How much every contrast grows with each doubling of a response's number in its session.

    One slope within people: their own slopes, each least squares on base-2 logarithms of numbers,
    weighted with the sum of squares of these (`precision`), of which long sessions have most. So
    the interval is one of so many people as that leaves, as with survey weights, and draws the
    slope of the sample anew; a person's slope has either sign if there is none.
    """
    squares = np.max([_regressed(one, measure)[1].max(0) for one in found], axis=0)
    for one in differences(found, measure, weights=weights * squares, costs=_growth):
        yield replace(one, among=among, wordings=(), precision=squares[one.rows])


def _growth(found: Predictions, measure: str, items: Sequence[int] | None) -> Floats:
    """By how much NLL grows with each doubling of the position, shape (draws, participants)."""
    products, squares = _regressed(found, measure)
    return quotient(products, squares)


def _regressed(found: Predictions, measure: str) -> tuple[Floats, Floats]:
    """Sums of products of NLL and base-2 logarithms of positions, and of squares of these.

    Both of shape (draws, participants), of what is away from the mean of a participant and draw.
    """
    cells = cell_cost(found, measure)
    position = np.log2([float(item) for item in found.responses.items])
    positions = np.where(np.isfinite(cells), position, np.nan)
    away = np.nan_to_num(positions - nanmean(positions, 2)[..., None])
    return np.sum(away * np.nan_to_num(cells), axis=2), np.sum(away**2, axis=2)
