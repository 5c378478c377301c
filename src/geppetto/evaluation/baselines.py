"""Predictors without a language model, as rows of the same table of answers."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geppetto.evaluation.metrics import CELL

BASELINE = "baseline"
"""The `model` of baseline rows."""


def leave_one_out_marginals(responses: NDArray[np.int64], options: int) -> NDArray[np.float64]:
    """Probability of each option of one item, from everybody else's responses to it.

    Parameters
    ----------
    responses
        Position of each participant's response among the options, shape (participants,).
    options
        Number of options.

    Returns
    -------
    numpy.ndarray
        Shape (participants, options). Each option starts with half a count (Jeffreys' prior), so
        that an option that nobody else chose is improbable and not impossible.
    """
    counts = np.bincount(responses, minlength=options) + 0.5
    others = np.tile(counts, (len(responses), 1))
    others[np.arange(len(responses)), responses] -= 1
    return np.asarray(others / others.sum(axis=1, keepdims=True))


def baseline_answers(answers: pd.DataFrame) -> pd.DataFrame:
    """Uniform and item-marginal predictions of the cells of a table of answers.

    Item marginals know what other participants of the table responded to the item, and nothing
    of the participant.
    """
    cells = answers.drop_duplicates(CELL).assign(
        model=BASELINE,
        arm="none",
        donor="",
        option_mass=1.0,
        tokens=0,
        status="scored",
        reason="",
        request="",
    )
    tables = []
    for _, item in cells.groupby("item", sort=False):
        options = item["options"].iloc[0]
        responses = np.array([options.index(response) for response in item["response"]])
        uniform = np.full((len(item), len(options)), 1 / len(options))
        marginal = leave_one_out_marginals(responses, len(options))
        for strategy, probabilities in (("uniform", uniform), ("item marginals", marginal)):
            logs = np.log(probabilities)
            log_prob = logs[np.arange(len(item)), responses]
            tables.append(
                item.assign(
                    strategy=strategy,
                    option_log_probs=pd.Series(map(tuple, logs.tolist()), item.index),
                    log_prob=log_prob,
                    log_prob_of_options=log_prob,
                )
            )
    return pd.concat(tables, ignore_index=True)
