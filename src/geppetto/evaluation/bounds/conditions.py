"""How much less and how much more each condition could have cost, given what was not said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geppetto.elicitation.hits import hit
from geppetto.evaluation.arrays import Floats, Integers, option_scores
from geppetto.evaluation.baselines.uninformed import BASELINES
from geppetto.evaluation.differences import Differences, differences
from geppetto.evaluation.inference.resampling import Resampling, drawn
from geppetto.evaluation.predictions import Predictions, clusters
from geppetto.evaluation.responses import Responses
from geppetto.evaluation.rows import rows_by_condition
from geppetto.planning.analysis_config import LEVEL, Analysis
from geppetto.planning.plan import BASELINE, Condition


@dataclass(frozen=True, eq=False)
class Change:
    """How far what a condition costs could be from what it was found to, in one wording.

    Attributes
    ----------
    values
        Mean of each participant on all planned cells less that on the scored ones, shape (draws,
        participants); all of it for those who have no scored cell.
    donors
        Row of the participant whose persona was shown, of the same shape; -1 for nobody.
    """

    values: Floats
    donors: Integers


_BEST, _WORST = 0.0, 2.0
"""Brier scores of certainty that is right and that is wrong."""

Changes = Mapping[Condition, Sequence[Change]]


@dataclass(frozen=True, eq=False)
class Limits:
    """How much less and how much more every condition could have cost, on all planned cells.

    Attributes
    ----------
    nll, missed, brier
        The least and the most change of the NLL of the real responses, of how often they are not
        the most probable option, and of their Brier score; nothing where everything is known, and
        nothing of the Brier score unless answers are samples.
    misses
        By the two conditions, how contrasts differ in that on the cells that were scored.
    people
        How participants are drawn: those with a scored cell, as they are in predictions, then all
        others by name.
    """

    nll: tuple[Changes, Changes] | None
    missed: tuple[Changes, Changes] | None
    misses: Mapping[tuple[Condition, Condition], Differences]
    people: Resampling
    brier: tuple[Changes, Changes] | None = None


def limits(planned: pd.DataFrame, scored: Sequence[Predictions], analysis: Analysis) -> Limits:
    """The limits of all conditions of a slice of answers.

    `planned` are its rows of `geppetto.answers.table`, unscored ones included, and `scored` the
    predictions of those cells that every condition scored.
    """
    observed = scored[0].responses
    names = pd.Index(observed.participants)
    names = names.append(pd.Index(planned["participant"].unique()).difference(names))
    of = planned.drop_duplicates("participant").set_index("participant").loc[names]
    weight, cluster = of["weight"].to_numpy(float), clusters(of["cluster"])
    people = drawn(weight, cluster, analysis, LEVEL / analysis.looks)
    weights = people.base[: len(observed.participants)]
    misses = {one.conditions: one for one in differences(scored, "missed", weights=weights)}
    ends = planned[["nll_low", "nll_high", "hit_low", "hit_high"]].to_numpy(float).T
    if (planned["status"] == "scored").all() and _same(*ends[:2]) and _same(*ends[2:]):
        return Limits(None, None, misses, people)
    of_models, uninformed = planned["model"] != BASELINE, planned["strategy"].isin(BASELINES)
    compared = (of_models | uninformed).to_numpy()
    wanted, (least, most, surely, possibly) = planned[compared], ends[:, compared]
    known = _is_known(wanted, observed, observed.answered)
    nll = np.where(known, -wanted["log_prob_of_options"], np.nan)
    missed = 1 - _hits(wanted, known)

    def between(low: Floats, high: Floats, found: Floats) -> tuple[Changes, Changes]:
        return _changes(wanted, low, found, names), _changes(wanted, high, found, names)

    brier = None
    if wanted["counts"].map(len).any():
        unknown = np.logical_or.reduce([np.isnan(one.brier).any(0) for one in scored])
        best, found, worst = _scores(wanted, least == most)
        found = np.where(_is_known(wanted, observed, ~unknown & observed.answered), found, np.nan)
        brier = between(best, worst, found)
    of_missed = between(1 - possibly, 1 - surely, missed)
    return Limits(between(least, most, nll), of_missed, misses, people, brier)


def _same(low: Floats, high: Floats) -> bool:
    return bool(((low == high) | (np.isnan(low) & np.isnan(high))).all())


def _is_known(
    planned: pd.DataFrame, observed: Responses, cells: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Whether each answer is of one of the cells that every condition scored."""
    row = pd.Index(observed.participants).get_indexer(pd.Index(planned["participant"]))
    column = pd.Index(observed.items).get_indexer(pd.Index(planned["item"]))
    return (row >= 0) & (column >= 0) & cells[row, column]


def _hits(planned: pd.DataFrame, known: NDArray[np.bool_]) -> Floats:
    """Whether each known response is the most probable option; NaN of an open one."""
    rows = zip(
        known, planned["options"], planned["response"], planned["option_log_probs"], strict=True
    )
    return np.array(
        [
            hit(said, tuple(options).index(response)) if told and len(options) else np.nan
            for told, options, response, said in rows
        ]
    )


def _scores(planned: pd.DataFrame, is_exact: NDArray[np.bool_]) -> Floats:
    """The least Brier score of each answer, the one found, and the most, shape (3, answers).

    What is missing of its samples may all have been the response, or all the commonest other
    option; of an answer that was not read anything may be.
    """
    found = []
    for options, response, counts, mass, logs, exact, status in zip(
        planned["options"],
        planned["response"],
        planned["counts"],
        planned["option_mass"],
        planned["option_log_probs"],
        is_exact,
        planned["status"],
        strict=True,
    ):
        if status != "scored" or not (len(counts) or exact):
            found.append((_BEST, np.nan, _WORST))
            continue
        place = tuple(options).index(response)
        if not len(counts):
            found.append((float(option_scores(np.array(logs))[place]),) * 3)
            continue
        said = np.array(counts, float)
        missing = round(said.sum() / mass) - said.sum()
        other = np.argmax(np.where(np.arange(len(said)) == place, -1, said))
        drawn = np.stack([said] * 3)
        drawn[0, place] += missing
        drawn[2, other] += missing
        best, known, worst = option_scores(np.zeros_like(drawn), drawn)[:, place].tolist()
        few = np.isnan(best)
        found.append((_BEST if few else best, known, _WORST if few else worst))
    return np.array(found).T


def _changes(planned: pd.DataFrame, costs: Floats, known: Floats, names: pd.Index) -> Changes:
    found = {}
    for condition, rows in rows_by_condition(planned):
        cells = planned.iloc[rows].assign(cost=costs[rows], known=known[rows])
        draws = cells.groupby(["paraphrase", "participant", "donor"], as_index=False)
        means = draws[["cost", "known"]].mean()
        means["change"] = means["cost"] - means["known"].fillna(0.0)
        found[condition] = [_change(one, names) for _, one in means.groupby("paraphrase")]
    return found


def _change(means: pd.DataFrame, names: pd.Index) -> Change:
    draw = means.groupby("participant").cumcount().to_numpy()
    row = names.get_indexer(pd.Index(means["participant"]))
    shape = (int(draw.max()) + 1, len(names))
    values, donors = np.full(shape, np.nan), np.full(shape, -1)
    values[draw, row] = means["change"]
    donors[draw, row] = names.get_indexer(pd.Index(means["donor"]))
    return Change(values, donors)
