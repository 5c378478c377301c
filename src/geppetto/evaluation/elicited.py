"""The same cells of the same conditions, read in several ways: how good each is, and if they agree.

An elicitation is compared with the others of its model on the cells that all of them scored in
every condition, so that none looks better by leaving out what is hard.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping

import numpy as np
import pandas as pd

from geppetto.evaluation.arrays import Floats, quotient
from geppetto.evaluation.calibration.reliability import reliability, top_options
from geppetto.evaluation.frames import Row, frame
from geppetto.evaluation.inference.moments import NOTHING
from geppetto.evaluation.inference.resampling import (
    Estimate,
    Statistic,
    Weights,
    drawn,
    estimate,
    mean,
)
from geppetto.evaluation.metrics import (
    MEASURES,
    condition_metrics,
    participant_metrics,
    per_participant,
)
from geppetto.evaluation.predictions import Predictions, predictions
from geppetto.evaluation.rows import CELL, CONDITION
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.plan import BASELINE, Condition

SHOWN = ("accuracy", "nll", "brier", "option_mass")
"""Metrics of a condition that are compared between elicitations, those that sessions have too."""

ByElicitation = Mapping[str, Mapping[str, list[Predictions]]]
"""Predictions on common cells, by model and elicitation; no elicitation if there is no cell."""


def on_common_cells(answers: pd.DataFrame) -> ByElicitation:
    """The predictions of each model in each elicitation, on the cells that it scored in all.

    An elicitation without a cell that every condition scored says nothing, and is left out.
    """
    found: dict[str, dict[str, list[Predictions]]] = {}
    of_models = answers[answers["model"] != BASELINE]
    for model, rows in of_models.groupby("model", sort=False):
        by_elicitation = dict(list(rows.groupby("elicitation", sort=False)))
        telling = [name for name, read in by_elicitation.items() if len(_common(read))]
        common = _common(rows[rows["elicitation"].isin(telling)])
        found[str(model)] = {
            str(name): predictions(common[common["elicitation"] == name])
            for name in (telling if len(common) else ())
        }
    return found


def _common(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows of cells that are scored in all of them."""
    scored = (rows["status"] == "scored").groupby([rows[name] for name in CELL])
    return rows[scored.transform("all")]


def elicitations_table(
    found: ByElicitation, answers: pd.DataFrame, completions: pd.DataFrame, analysis: Analysis
) -> pd.DataFrame:
    """A row a model, elicitation, strategy and arm; see `Results.by_elicitation`."""
    key = ["model", "elicitation", "strategy", "arm"]
    of_models = answers[answers["model"] != BASELINE]
    planned = of_models.groupby(key, sort=False)
    table = planned.agg(
        answers=("status", "size"),
        cost=("cost", lambda dollars: dollars.mean(skipna=False)),
        prompt_tokens=("tokens", "mean"),
    )
    unscored = (of_models["status"] != "scored").groupby([of_models[name] for name in key])
    table["unscored"] = unscored.mean()
    scored = of_models[of_models["status"] == "scored"]
    table["floored"] = scored.astype({"floored": float}).groupby(key)["floored"].mean()
    table["completion_tokens"] = np.nan
    if len(completions):
        said = completions.groupby(key)["completion_tokens"].sum()
        table["completion_tokens"] = said / table["answers"]
    metrics = [
        _metrics(of_condition, elicitation, analysis)
        for read in found.values()
        for elicitation, of_condition in read.items()
    ]
    measured = pd.concat(metrics).set_index(key) if metrics else pd.DataFrame(columns=MEASURES)
    shown = _with_ends(tuple(name for name in SHOWN if name in measured))
    names = ["cells", "participants", *shown, "ece"]
    table[names] = measured[names] if metrics else np.nan
    table["cells"] = table["cells"].fillna(0).astype(int)
    return table[
        [*names, "unscored", "floored", "cost", "prompt_tokens", "completion_tokens"]
    ].reset_index()


def _metrics(found: list[Predictions], elicitation: str, analysis: Analysis) -> pd.DataFrame:
    table = condition_metrics(
        participant_metrics(found),
        drawn(found[0].responses.weight, found[0].responses.cluster, analysis),
        analysis.intervals_of_levels,
    )
    errors = {one.condition: reliability(*top_options(one)).error for one in found}
    cells = {one.condition: int(one.cells.sum()) for one in found}
    conditions = [Condition(*row) for row in table[CONDITION].itertuples(index=False)]
    return table.assign(
        elicitation=elicitation,
        cells=[cells[condition] for condition in conditions],
        ece=[errors[condition] for condition in conditions],
    )


def agreement_table(found: ByElicitation, analysis: Analysis) -> pd.DataFrame:
    """A row a model, strategy, arm and two elicitations; see `Results.agreement`."""
    rows = [
        {**a.condition._asdict(), "first": first, "second": second} | _agreement(a, b, analysis)
        for read in found.values()
        for (first, ones), (second, others) in itertools.combinations(read.items(), 2)
        for a, b in itertools.product(ones, others)
        if a.condition == b.condition
    ]
    names = [*CONDITION, "first", "second", "cells", "participants"]
    names += _with_ends(("same_top", "distance", "r_within_items"))
    return frame(rows, names)


def _agreement(a: Predictions, b: Predictions, analysis: Analysis) -> Row:
    people = drawn(a.responses.weight, a.responses.cluster, analysis)
    order = pd.Index(b.responses.participants).get_indexer(pd.Index(a.responses.participants))
    p, q = np.exp(a.option_log_probs), np.exp(b.option_log_probs[:, order])
    known = np.isfinite(a.nll) & np.isfinite(b.nll[:, order])
    distance = np.where(known, np.nansum(np.abs(p - q), axis=3) / 2, np.nan)
    tops = [values == np.fmax.reduce(values, axis=3, keepdims=True) for values in (p, q)]
    ties = np.prod([top.sum(3) for top in tops], axis=0)
    same = np.where(known, (tops[0] & tops[1]).sum(3) / np.maximum(ties, 1), np.nan)
    terms = _terms(a.expected, b.expected[:, order])

    def over_people(statistic: Statistic, values: Floats) -> Estimate:
        return estimate(statistic, values, people=people, method=analysis.intervals_of_levels)

    return {
        "cells": int(a.cells.sum()),
        "participants": int(a.cells.any(axis=1).sum()),
        "same_top": over_people(mean, per_participant(same)),
        "distance": over_people(mean, per_participant(distance)),
        "r_within_items": over_people(_within_items, terms),
    }


def _terms(x: Floats, y: Floats) -> Floats:
    """What each person adds to sums over people: of 1, x, y, x², y² and xy.

    Of each item in each draw, since wordings differ as items do; centred there, for precision.
    Shape (people, 6, draws x items).
    """
    known = np.isfinite(x) & np.isfinite(y)
    number = np.maximum(known.sum(1, keepdims=True), 1)
    x, y = (np.where(known, one, 0.0) for one in (x, y))
    x, y = (np.where(known, one - one.sum(1, keepdims=True) / number, 0.0) for one in (x, y))
    terms = np.stack([known * 1.0, x, y, x * x, y * y, x * y])
    return np.moveaxis(terms, 2, 0).reshape(terms.shape[2], len(terms), -1)


def _within_items(weights: Weights, terms: Floats) -> Floats:
    """Pearson's r over people within items, of resampled people; NaN if one does not vary."""
    n, x, y, xx, yy, xy = np.moveaxis(np.tensordot(weights, terms, 1), 1, 0)
    each = np.where(n > 0, 1 / np.where(n > 0, n, 1), 0.0)
    of_x, of_y = ((squares - one**2 * each).sum(-1) for squares, one in ((xx, x), (yy, y)))
    spread = np.maximum(of_x, 0) * np.maximum(of_y, 0)
    return quotient((xy - x * y * each).sum(-1), np.sqrt(spread), above=NOTHING)


def _with_ends(names: tuple[str, ...]) -> list[str]:
    return [f"{name}{end}" for name in names for end in ("", "_low", "_high")]
