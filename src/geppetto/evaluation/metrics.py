"""Metrics of answers, first per participant, then over participants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import pandas as pd

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.arrays import Floats, nanmean
from geppetto.evaluation.calibration.reliability import top_options
from geppetto.evaluation.cue_log_prob import flagged
from geppetto.evaluation.inference.resampling import Resampling, estimates, mean, saved_share
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.rows import CELL, CONDITION, READ, rows_by
from geppetto.personas.arms import Matched
from geppetto.planning.analysis_config import Method
from geppetto.planning.plan import Condition

MEASURES = (
    "accuracy",
    "nll",
    "nll_full",
    "option_mass",
    "pseudo_r2",
    "rps",
    "score_error",
    "brier",
)
"""Metrics of a participant in a survey, in the order of tables."""

SESSION_MEASURES = (
    "nll_full",
    "nll",
    "accuracy",
    "chance",
    "option_mass",
    "pseudo_r2",
    "closed",
    "announced_badly",
)
"""Metrics of a participant in a study of sessions, in the order of tables."""


def matched(answers: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """The answers to cells that every condition scored, and how many cells each reason cost.

    Of people without a match the arm `matched` has no cells; of all others it has the same cells as
    every condition, and with a strategy they are the same people under every model. A cell that one
    condition could not score is left out of all of them, whatever the history and the presentation.
    Answers are of one elicitation of each model, see `Scored.planned`: a cell that another one
    could not read is no reason to leave it out.

    Raises
    ------
    GeppettoError
        If conditions do not have the same cells, or no cell is left.
    """
    people, names = pd.factorize(answers["participant"])
    columns, items = pd.factorize(answers["item"])
    cells = people * len(items) + columns
    found = [(key, np.unique(cells[rows])) for key, rows in rows_by(answers, [*CONDITION, *READ])]
    found.sort(key=lambda one: _of_matched(one[0]))
    first = found[0]
    for key, mine in found[1:]:
        planned = first[1]
        if _of_matched(key):
            alike = [theirs // len(items) for other, theirs in found if other[1:3] == key[1:3]]
            planned = planned[np.isin(planned // len(items), np.concatenate(alike))]
        different = np.setxor1d(mine, planned)
        if different.size:
            person, item = divmod(int(different[0]), len(items))
            raise GeppettoError(
                f"{_label(key)} and {_label(first[0])} differ in "
                f"{different.size:,} cells (participant {names[person]}, item {items[item]}, for "
                "example), so they cannot be compared; run the experiment again to answer what "
                "is missing"
            )
    out = (answers["status"] != "scored").to_numpy()
    unscored = answers[out].drop_duplicates(CELL)
    reasons = {str(reason): int(n) for reason, n in unscored["reason"].value_counts().items()}
    kept = answers[~np.isin(cells, cells[out])] if out.any() else answers
    if kept.empty:
        raise GeppettoError(f"no cell was scored by every condition: {reasons}")
    return kept, reasons


def _of_matched(key: tuple[str, ...]) -> bool:
    return Condition(*key[:3]).arm == Matched.name


def _label(key: tuple[str, ...]) -> str:
    return " · ".join(dict.fromkeys(filter(None, key)))


def cell_metrics(found: Predictions) -> dict[str, Floats]:
    """Metrics of every cell, each of shape (draws, participants, items); NaN without one.

    Returns
    -------
    dict
        `accuracy`, 1 where the response was the most probable option, or 1/m where it was one of m
        equally probable ones; `nll`, negative
        log-likelihood in nats over the legal options; `nll_full`, over everything the model could
        have said; `nll_uniform`, that of a uniform guess among the options; `option_mass`,
        probability of saying anything legal; `brier`, the Brier score over the legal options, which
        samples estimate without bias if there are two or more; and, for items whose options have an
        order, `rps`, the ranked probability score, and `score_error`, how far the expected response
        is from the real one as a share of the item's range. In sessions, whose options have none,
        instead `chance`, the accuracy of a uniform guess; `closed`, whether there are options at
        all, without which only `nll_full` is known; and `announced_badly`, whether the response is
        `flagged`, so that its NLL may tell more of the format than of the person.
    """
    cells = np.isfinite(found.nll)
    choices = np.where(cells, found.responses.choices, np.nan)
    common = {
        "accuracy": top_options(found)[1],
        "nll": found.nll,
        "nll_full": -found.log_prob,
        "nll_uniform": np.log(choices),
        "option_mass": found.option_mass,
    }
    if found.announcing is None:
        return common | {
            "rps": ranked_probability_scores(found),
            "score_error": score_errors(found),
            "brier": found.brier,
        }
    wanted = found.responses.answered[None] | np.zeros_like(cells)
    return common | {
        "chance": 1 / choices,
        "closed": np.where(wanted, found.responses.choices > 0, np.nan),
        "announced_badly": np.where(
            np.isnan(found.announcing), np.nan, flagged(found.announcing, found.log_prob)
        ),
    }


def ranked_probability_scores(predictions: Predictions) -> Floats:
    """Ranked probability score of each prediction, shape (draws, participants, items).

    RPS = sum_k (F_k - O_k)^2 / (K - 1), with F the predicted and O the real cumulative
    distribution over the K options (Epstein 1969; Gneiting & Raftery 2007, section 4.2): 0 if
    certain of the real response, 1 if certain of the opposite end; being close counts. NaN
    without a response and for items with more than two options without order.
    """
    responses = predictions.responses
    options = np.array([len(codes) for codes in responses.options])
    total = np.zeros(predictions.nll.shape)
    cumulative = np.zeros(predictions.nll.shape)
    for option in range(options.max() - 1):
        cumulative += np.nan_to_num(np.exp(predictions.option_log_probs[..., option]))
        real = responses.position <= option
        total += np.where(option < options - 1, (cumulative - real) ** 2, 0.0)
    return _where_scored(predictions, total / np.maximum(options - 1, 1))


def score_errors(predictions: Predictions) -> Floats:
    """Distance |E - y| as a share of the item's range, shape (draws, participants, items)."""
    return _where_scored(predictions, np.abs(predictions.expected - predictions.responses.scores))


def _where_scored(predictions: Predictions, values: Floats) -> Floats:
    empty = np.isnan(predictions.responses.scores) | np.isnan(predictions.nll)
    return np.where(empty, np.nan, values)


def per_participant(cells: Floats) -> Floats:
    """Mean over a participant's cells, each the mean over its donors, shape (participants,)."""
    return nanmean(nanmean(cells, 0), 1)


def per_item(cells: Floats) -> Floats:
    """Mean over the participants of an item, each the mean over their donors, shape (items,)."""
    return nanmean(nanmean(cells, 0), 0)


def participant_metrics(found: Iterable[Predictions]) -> pd.DataFrame:
    """Metrics of each participant under each condition.

    Answers to the same cell (from several donors, say) are averaged first, then the cells of a
    participant.

    Returns
    -------
    pandas.DataFrame
        A row a model, strategy, arm and participant, with the means of `cell_metrics`, with
        `pseudo_r2`, the share of a uniform guess's NLL that is saved (McFadden 1974), and with
        `trials`, the number of cells: 0 for who has no match in the arm `matched`.
    """
    return pd.concat([_of_people(predictions) for predictions in found], ignore_index=True)


def _of_people(found: Predictions) -> pd.DataFrame:
    table = pd.DataFrame(
        {name: per_participant(cells) for name, cells in cell_metrics(found).items()}
    )
    table.insert(0, "participant", found.responses.participants)
    for place, (name, value) in enumerate(found.condition._asdict().items()):
        table.insert(place, name, value)
    table["pseudo_r2"] = 1 - table["nll"] / table["nll_uniform"]
    table["trials"] = found.cells.sum(1)
    return table


def item_metrics(found: Iterable[Predictions]) -> pd.DataFrame:
    """Metrics of each item under each condition: means over the participants who answered it.

    Returns
    -------
    pandas.DataFrame
        A row a model, strategy, arm and item, with the columns of `participant_metrics` and
        `participants` for the number of people.
    """
    tables = []
    for predictions in found:
        predictions.responses.must_be_shared("a metric of an item")
        cells = cell_metrics(predictions)
        table = pd.DataFrame({name: per_item(values) for name, values in cells.items()})
        table.insert(0, "item", predictions.responses.items)
        for place, (name, value) in enumerate(predictions.condition._asdict().items()):
            table.insert(place, name, value)
        table["pseudo_r2"] = 1 - table["nll"] / table["nll_uniform"]
        table["participants"] = predictions.cells.sum(0)
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def condition_metrics(
    people: pd.DataFrame, resampling: Resampling, method: Method = "percentile"
) -> pd.DataFrame:
    """Metrics of each condition over participants, each with the ends of its 95% interval.

    Parameters
    ----------
    people
        As from `participant_metrics`.
    resampling
        How participants are drawn; in the order of each condition's rows.
    method
        Kind of interval.

    Returns
    -------
    pandas.DataFrame
        A row a model, strategy and arm; columns NAME, NAME_low and NAME_high for each of
        `MEASURES` or `SESSION_MEASURES`, and `participants`, those of the condition. People without
        a closed response have nothing but `nll_full`, `closed` and `announced_badly` and count in
        nothing else.
    """
    measures = SESSION_MEASURES if "chance" in people else MEASURES
    alike: dict[bytes, dict[int, pd.DataFrame]] = {}
    for number, (_, group) in enumerate(people.groupby(CONDITION, sort=False)):
        rows = np.flatnonzero(group["trials"] > 0)
        alike.setdefault(rows.tobytes(), {})[number] = group.iloc[rows]
    tables = [
        _of_same_people(groups, measures, resampling.among(np.frombuffer(rows, np.int64)), method)
        for rows, groups in alike.items()
    ]
    return pd.concat(tables).sort_index()


def _of_same_people(
    groups: Mapping[int, pd.DataFrame],
    measures: Sequence[str],
    resampling: Resampling,
    method: Method,
) -> pd.DataFrame:
    """Rows of `condition_metrics` of conditions of the same people, by their numbers."""
    table = pd.DataFrame([group[CONDITION].iloc[0] for group in groups.values()], list(groups))
    table["participants"] = [len(group) for group in groups.values()]
    of = {
        name: np.stack([group[name].to_numpy() for group in groups.values()], axis=1)
        for name in (*measures, "nll_uniform")
    }
    for name in measures:
        if name == "pseudo_r2":
            nll, uniform = np.nan_to_num(of["nll"]), np.nan_to_num(of["nll_uniform"])
            found = estimates(saved_share, nll, uniform, people=resampling, method=method)
        else:
            found = estimates(mean, of[name], people=resampling, method=method)
        table[name] = [one.value for one in found]
        table[f"{name}_low"] = [one.low for one in found]
        table[f"{name}_high"] = [one.high for one in found]
    return table
