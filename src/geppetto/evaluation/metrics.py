"""Metrics of answers, first per participant, then over participants."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from geppetto.errors import GeppettoError
from geppetto.plan import Condition

CONDITION = list(Condition._fields)
CELL = ["participant", "item"]
MEASURES = ("accuracy", "nll", "nll_full", "option_mass", "pseudo_r2")


def hit_rate(option_log_probs: ArrayLike, response: int) -> float:
    """Whether the most probable option is the real response; ties share the hit equally.

    Parameters
    ----------
    option_log_probs
        Log-probability of each option, shape (options,).
    response
        Position of the real response among the options.

    Returns
    -------
    float
        1 or 0, or 1/m where the real response is one of m equally probable best options.
    """
    values = np.asarray(option_log_probs)
    best = values == values.max()
    return float(best[response] / best.sum())


def matched(answers: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, int]]:
    """The answers to cells that every condition scored, and how many cells each reason cost.

    A cell that one condition could not score is left out of all of them.

    Raises
    ------
    GeppettoError
        If conditions do not have the same cells, or no cell is left.
    """
    cells = {
        condition: set(zip(rows["participant"], rows["item"], strict=True))
        for condition, rows in by_condition(answers)
    }
    first, *others = cells
    for condition in others:
        if different := cells[condition] ^ cells[first]:
            participant, item = min(different)
            raise GeppettoError(
                f"{condition.label} and {first.label} differ in {len(different):,} cells "
                f"(participant {participant}, item {item}, for example), so they cannot be "
                "compared; run the experiment again to answer what is missing"
            )
    unscored = answers[answers["status"] != "scored"].drop_duplicates(CELL)
    reasons = {str(reason): int(n) for reason, n in unscored["reason"].value_counts().items()}
    out = pd.MultiIndex.from_frame(unscored[CELL])
    kept = answers[~pd.MultiIndex.from_frame(answers[CELL]).isin(out)]
    if kept.empty:
        raise GeppettoError(f"no cell was scored by every condition: {reasons}")
    return kept, reasons


def by_condition(table: pd.DataFrame) -> Iterator[tuple[Condition, pd.DataFrame]]:
    """The rows of each condition of a table, in the order in which conditions first occur."""
    for key, rows in table.groupby(CONDITION, sort=False):
        yield Condition(*map(str, key)), rows


def participant_metrics(answers: pd.DataFrame) -> pd.DataFrame:
    """Metrics of each participant under each condition.

    Answers to the same cell (from several donors, say) are averaged first, then the cells of a
    participant.

    Returns
    -------
    pandas.DataFrame
        A row a model, strategy, arm and participant. `accuracy` is the share of responses that
        were the most probable option; `nll` the negative log-likelihood in nats a response over
        the legal options; `nll_full` over everything the model could have said; `nll_uniform`
        that of a uniform guess among the options; `pseudo_r2` the share of it that is saved
        (McFadden 1974); `option_mass` the mean probability of saying anything legal; `trials`
        the number of cells.
    """
    positions = [
        options.index(response)
        for options, response in zip(answers["options"], answers["response"], strict=True)
    ]
    rows = answers[[*CONDITION, *CELL, "option_mass"]].assign(
        accuracy=[
            hit_rate(log_probs, position)
            for log_probs, position in zip(answers["option_log_probs"], positions, strict=True)
        ],
        nll=-answers["log_prob_of_options"],
        nll_full=-answers["log_prob"],
        nll_uniform=[float(np.log(len(options))) for options in answers["options"]],
    )
    cells = rows.groupby([*CONDITION, *CELL], sort=False, as_index=False).mean()
    people = cells.drop(columns="item").groupby([*CONDITION, "participant"], sort=False)
    metrics = people.mean()
    metrics["pseudo_r2"] = 1 - metrics["nll"] / metrics["nll_uniform"]
    metrics["trials"] = people.size()
    return metrics.reset_index()
