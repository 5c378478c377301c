"""The tidy table of answers to behavioural sessions; see `geppetto.answers.table.AnswerRow`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from geppetto.answers.table import COLUMNS, AnswerRow, Said, row, table_of
from geppetto.elicitation.hits import hit
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.planning.plan import Plan, PlannedAnswer
from geppetto.studies import Study
from geppetto.studies.sessions.session import Session


def session_answers_table(
    plan: Plan, scores: Mapping[str, OptionScores], study: Study, experiment: str
) -> pd.DataFrame:
    """The answers of a plan of sessions whose every response has been scored.

    Raises
    ------
    KeyError
        If a request has no scores.
    ValueError
        If a plan, scores and sessions are not of the same responses.
    """
    return table_of(_rows(plan, scores, study, experiment), COLUMNS)


def _rows(
    plan: Plan, scores: Mapping[str, OptionScores], study: Study, experiment: str
) -> Iterator[AnswerRow]:
    for planned in plan.answers:
        person, answer = study.people[planned.participant], scores[planned.request]
        legal = _options(planned, person.session)
        sums = np.array(answer.log_probs)
        if len(sums) != max(1, len(legal)) or answer.announcing is None:
            raise ValueError(
                f"the scores of response {planned.item} of {planned.participant} are not of one "
                "with its options in a transcript"
            )
        response = legal.index(planned.response) if legal else 0
        finite = bool(np.isfinite(sums).all())
        low, high, surely, possibly = (0.0, np.inf, 0.0, 1.0) if legal else (np.nan,) * 4
        if legal and finite:
            surely = possibly = hit(sums.tolist(), response)
        over = float(sums[response] - np.logaddexp.reduce(sums)) if legal and finite else np.nan
        said = Said(
            log_prob=float(sums[response]),
            log_prob_of_options=over,
            nll_low=-over if finite else low,
            nll_high=-over if finite else high,
            hit=(surely, possibly),
            option_log_probs=tuple(sums.tolist()) if legal else (),
            option_mass=float(np.exp(sums).sum()) if legal else np.nan,
            tokens=answer.prompt_tokens,
            reason="" if finite else "a response's log-probability is not finite",
            announcing=answer.announcing,
        )
        yield row(planned, study, experiment, int(planned.item) - 1, legal, said)


def _options(planned: PlannedAnswer, session: Session | None) -> tuple[str, ...]:
    """The legal responses where this one was planned."""
    if session is None:
        raise ValueError(f"participant {planned.participant} has no session")
    span = session.spans[int(planned.item) - 1]
    if session.text[span.start : span.end] != planned.response:
        raise ValueError(
            f"response {planned.item} of {planned.participant} is not {planned.response!r}"
        )
    return span.options
