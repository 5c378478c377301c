"""Metrics of answers, first per participant, then over participants."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.arrays import Floats, nanmean
from geppetto.evaluation.calibration.reliability import top_options
from geppetto.evaluation.frames import frame
from geppetto.evaluation.inference.moments import saved_share
from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimates, mean
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


class NothingScoredError(GeppettoError):
    """No cell is left that every condition scored."""


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
        told = ", ".join(f"{reason} ({number:,})" for reason, number in reasons.items())
        raise NothingScoredError(f"no cell was scored by every condition: {told}")
    return kept, reasons


def _of_matched(key: tuple[str, ...]) -> bool:
    return Condition(*key[:3]).arm == Matched.name


def _label(key: tuple[str, ...]) -> str:
    return " · ".join(dict.fromkeys(filter(None, key)))


def cell_metrics(found: Predictions) -> dict[str, Floats]:
    """Metrics of every cell, each of shape (draws, participants, items); NaN without one.

    `accuracy`, 1 where the response was the most probable option, or 1/m where it was one of m
    equally probable ones; `nll`, in nats over the legal options; `nll_full`, over everything the
    model could have said; `nll_uniform`, that of a uniform guess among the options; `option_mass`,
    probability of saying anything legal; `brier`, which samples estimate without bias if there are
    two or more; and, for items whose options have an order, `rps`, the ranked probability score,
    and `score_error`, how far the expected response is from the real one as a share of the item's
    range. In sessions, whose options have none, instead `chance`, the accuracy of a uniform guess;
    `closed`, whether there are options at all, without which only `nll_full` is known; and
    `announced_badly`, whether the response is `flagged`, so that its NLL may tell more of the
    format than of the person.
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


def flagged(announcing: Floats, responses: Floats) -> NDArray[np.bool_]:
    """Which responses cost less than what announces them, if that is less likely than not.

    Their probability says little: the model would have written something else at that place. What
    is announced with even odds or more is not flagged: a response may be more predictable than
    that, above all with a persona that tells it, and arms would be flagged for what they predict.
    Odds alone would flag nearly every turn, since where a user ends is for nobody to predict. Both
    are log-probabilities in nats, of the same shape.

    A model that expects something else after what announces a response, such as reasoning, is not
    told by this but by next to no option mass, and NLL of 14 to 25 nats (Binz et al. 2026).
    """
    found: NDArray[np.bool_] = (announcing < responses) & (announcing < np.log(0.5))
    return found


def ranked_probability_scores(predictions: Predictions) -> Floats:
    """Ranked probability score of each prediction, shape (draws, participants, items).

    RPS = sum_k (F_k - O_k)^2 / (K - 1), with F the predicted and O the real cumulative
    distribution over the K options (Epstein 1969; Gneiting & Raftery 2007, section 4.2): 0 if
    certain of the real response, 1 if certain of the opposite end; being close counts. Options
    outside the order are no categories: F is of those in it. NaN without a response in the order
    and for items with more than two options without one.
    """
    responses = predictions.responses
    steps = responses.in_order.sum(axis=1)
    total = np.zeros(predictions.nll.shape)
    cumulative = np.zeros(predictions.nll.shape)
    passed = np.zeros(len(steps), int)
    for option, is_step in enumerate(responses.in_order.T[:-1]):
        cumulative += predictions.in_order[..., option]
        passed += is_step
        real = responses.position <= option
        total += np.where(is_step & (passed < steps), (cumulative - real) ** 2, 0.0)
    return _where_scored(predictions, total / np.maximum(steps - 1, 1))


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
    """Metrics of each participant under each condition: means of `cell_metrics`.

    Answers to the same cell (from several donors, say) are averaged first, then the cells of a
    participant. `pseudo_r2` is the share of a uniform guess's NLL that is saved (McFadden 1974),
    and `trials` the number of cells: 0 for who has no match in the arm `matched`.
    """
    return pd.concat(
        [
            _means(one, one.responses.participants, "participant", per_participant).assign(
                trials=one.cells.sum(1)
            )
            for one in found
        ],
        ignore_index=True,
    )


def item_metrics(found: Iterable[Predictions]) -> pd.DataFrame:
    """Metrics of each item under each condition: means over the participants who answered it.

    A row a model, strategy, arm and item, with the columns of `participant_metrics` and
    `participants` for the number of people.
    """
    tables = []
    for one in found:
        one.responses.must_be_shared("a metric of an item")
        table = _means(one, one.responses.items, "item", per_item)
        tables.append(table.assign(participants=one.cells.sum(0)))
    return pd.concat(tables, ignore_index=True)


def _means(
    found: Predictions, names: Sequence[str], of: str, mean_of: Callable[[Floats], Floats]
) -> pd.DataFrame:
    """Means of `cell_metrics` of a condition, a row a participant or item."""
    means = {name: mean_of(cells) for name, cells in cell_metrics(found).items()}
    saved = {"pseudo_r2": 1 - means["nll"] / means["nll_uniform"]}
    return pd.DataFrame({**found.condition._asdict(), of: names, **means, **saved})


def condition_metrics(
    people: pd.DataFrame, resampling: Resampling, method: Method = "percentile"
) -> pd.DataFrame:
    """Metrics of each condition over participants, each with the ends of its 95% interval.

    Those of `MEASURES` or `SESSION_MEASURES`, and `participants`, those of the condition. People
    without a closed response have nothing but `nll_full`, `closed` and `announced_badly` and count
    in nothing else.
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
    of = {
        name: np.stack([group[name].to_numpy() for group in groups.values()], axis=1)
        for name in (*measures, "nll_uniform")
    }

    def over_people(name: str) -> list[Estimate]:
        if name != "pseudo_r2":
            return estimates(mean, of[name], people=resampling, method=method)
        nll, uniform = np.nan_to_num(of["nll"]), np.nan_to_num(of["nll_uniform"])
        return estimates(saved_share, nll, uniform, people=resampling, method=method)

    found = {name: over_people(name) for name in measures}
    rows = [
        dict(group[CONDITION].iloc[0])
        | {"participants": len(group)}
        | {name: each[place] for name, each in found.items()}
        for place, group in enumerate(groups.values())
    ]
    return frame(rows).set_index(pd.Index(groups))
