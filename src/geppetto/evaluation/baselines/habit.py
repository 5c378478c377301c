"""Predictors of sessions without a language model: chance, and a person's own habit."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np
import pandas as pd

from geppetto.elicitation.hits import hit
from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.rows import CELL, READ, rows_by
from geppetto.planning.plan import BASELINE
from geppetto.studies import Study
from geppetto.studies.sessions.session import Session

HABIT = "habit"


def as_predicted(
    cells: pd.DataFrame, name: str, log_probs: Sequence[Sequence[float]]
) -> pd.DataFrame:
    """Cells as a baseline predicts them, from log-probabilities of the options of each.

    An open response has no options, and no number.
    """
    logs = list(map(tuple, log_probs))
    place = [
        tuple(options).index(response) if said else None
        for said, options, response in zip(logs, cells["options"], cells["response"], strict=True)
    ]
    of_response = np.array(
        [np.nan if at is None else said[at] for said, at in zip(logs, place, strict=True)]
    )
    right = [np.nan if at is None else hit(said, at) for said, at in zip(logs, place, strict=True)]
    is_closed = np.array([at is not None for at in place])
    return cells.assign(
        model=BASELINE,
        strategy=name,
        arm="none",
        donor="",
        pool=0,
        block=0,
        paraphrase=0,
        elicitation="",
        option_log_probs=pd.Series(logs, cells.index),
        counts=cells["options"].map(lambda _: ()),
        floored=False,
        option_mass=np.where(is_closed, 1.0, np.nan),
        announcing=np.nan,
        tokens=0,
        cost=0.0,
        status="scored",
        reason="",
        request="",
        log_prob_of_options=of_response,
        nll_low=-of_response,
        nll_high=-of_response,
        hit_low=right,
        hit_high=right,
        log_prob=of_response if is_closed.all() else np.nan,
    )


def session_baselines(answers: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Predictions of the closed responses of sessions, as rows of the same table.

    Uniform guesses among what is on offer; and each participant's habit: how often they chose each
    option so far of the times that it was on offer, plus one (Laplace), in the trials that the
    model is shown. It uses nothing that a persona could know, and says what the history alone
    predicts. Open responses are rows without a number. Where there are some, baselines have no
    `log_prob`, which would be of other cells than that of models. Empty if all responses are open.
    """
    cells = answers.drop_duplicates([*CELL, *READ])
    sizes = cells["options"].map(len)
    if not sizes.any():
        return answers.iloc[:0]
    habits: dict[object, tuple[float, ...]] = {}
    for (person, history, _), numbers in rows_by(cells, ["participant", *READ]):
        rows = cells.iloc[numbers]
        of_person = _habit(rows, _session(study, person), history)
        habits |= dict(zip(rows.index, of_person, strict=True))
    found = {
        "uniform": [(-np.log(max(n, 1)),) * n for n in sizes],
        HABIT: [habits[row] for row in cells.index],
    }
    tables = [as_predicted(cells, name, log_probs) for name, log_probs in found.items()]
    return pd.concat(tables, ignore_index=True)


def _habit(rows: pd.DataFrame, session: Session, history: str) -> list[tuple[float, ...]]:
    """Log-probability of each option on offer at some responses of a session."""
    legal = [span.options for span in session.spans]
    column = {code: n for n, code in enumerate(dict.fromkeys(chain(*legal)))}
    starts = [span.start for span in session.spans]
    trial = np.searchsorted(session.trials[:-1], starts, side="right") - 1
    offered, chosen = np.zeros((2, len(starts) + 1, len(column)))
    for number, (options, response) in enumerate(zip(legal, session.responses, strict=True)):
        offered[number + 1, [column[code] for code in options]] = 1
        if options:
            chosen[number + 1, column[response]] = 1
    shown = 0 if history == "all" else np.searchsorted(trial, trial - int(history))
    times, choices = (
        (before := counts.cumsum(0))[:-1] - before[shown] for counts in (offered, chosen)
    )
    return [
        _shares(times[number, places], choices[number, places])
        for number, options in zip(rows["trial"], rows["options"], strict=True)
        for places in [[column[code] for code in options]]
    ]


def _shares(offered: Floats, chosen: Floats) -> tuple[float, ...]:
    """Log-probabilities in proportion to how often each option was chosen when on offer.

    As if all options had been on offer once more each, and each chosen once (Laplace). Where all
    were always on offer, these are the shares of choices.
    """
    if not offered.size:
        return ()
    rates = (chosen + 1) / (offered + offered.size)
    return tuple(np.log(rates / rates.sum()).tolist())


def _session(study: Study, participant: str) -> Session:
    session = study.people[participant].session
    if session is None:
        raise ValueError(f"participant {participant} has no session")
    return session
