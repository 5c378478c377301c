"""Predictors of sessions without a language model: chance, and a person's own habit."""

from __future__ import annotations

from itertools import chain

import numpy as np
import pandas as pd

from geppetto.elicitation.hits import hit
from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.rows import CELL, READ, rows_by
from geppetto.studies import Study
from geppetto.studies.sessions.session import Session

HABIT = "habit"


def session_baselines(answers: pd.DataFrame, study: Study) -> pd.DataFrame:
    """Predictions of the closed responses of sessions, as rows of the same table.

    Uniform guesses among what is on offer; and each participant's habit: how often they chose each
    option so far of the times that it was on offer, plus one (Laplace), in the trials that the
    model is shown. It uses nothing that a persona could know, and says what the history alone
    predicts. Open responses are rows without a number. Where there
    are some, baselines have no `log_prob`, which would be of other cells than that of models.

    Parameters
    ----------
    answers
        Rows of `geppetto.answers.table` of sessions.
    study
        Where the participants come from.

    Returns
    -------
    pandas.DataFrame
        A row a baseline, cell, history and presentation, with `model` "baseline" and arm "none";
        empty if all responses are open.
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
        "uniform": sizes.map(lambda n: (-np.log(n),) * n if n else ()),
        HABIT: pd.Series([habits[row] for row in cells.index], cells.index),
    }
    tables = []
    for name, log_probs in found.items():
        rows = cells.assign(
            model="baseline",
            strategy=name,
            arm="none",
            donor="",
            pool=0,
            block=0,
            paraphrase=0,
            elicitation="",
            option_log_probs=log_probs,
            counts=cells["options"].map(lambda _: ()),
            floored=False,
            option_mass=np.where(sizes > 0, 1.0, np.nan),
            announcing=np.nan,
            tokens=0,
            cost=0.0,
            status="scored",
            reason="",
            request="",
        )
        said = [
            (logs, options.index(response)) if options else None
            for logs, options, response in zip(
                rows["option_log_probs"], map(tuple, rows["options"]), rows["response"], strict=True
            )
        ]
        of_response = [one[0][one[1]] if one else np.nan for one in said]
        rows["log_prob_of_options"] = of_response
        rows["nll_low"] = rows["nll_high"] = -np.array(of_response)
        rows["hit_low"] = rows["hit_high"] = [hit(*one) if one else np.nan for one in said]
        rows["log_prob"] = of_response if (sizes > 0).all() else np.nan
        tables.append(rows)
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
