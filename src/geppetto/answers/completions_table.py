"""The table of replies: one row a reply, with what became of it and what it took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pandas as pd

from geppetto.answers.parsed import ParsedAnswer
from geppetto.answers.table import table_of
from geppetto.elicitation.base import Outcome
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.elicitation.outcomes import of_mass
from geppetto.models.requests import Completion, Finish
from geppetto.planning.plan import Plan, PlannedAnswer
from geppetto.studies import Study


class CompletionRow(NamedTuple):
    """One completion: what a model said, what became of it, and what it took.

    `sample` is the number of the completion among those to its question, from 0; `request` the id
    of the answer. `completion` is the id of the completion itself: it may serve several answers, of
    people who are put the same question and of elicitations that send the same, and what it cost
    was paid once. `part` is the share of its answer that it decides, see `Reading.parts`.
    `reported_model` is the model as it calls itself, `cost` in dollars, NaN if the price is not
    known, `seconds` NaN if that was not measured: of errors, and of what was filtered whole. What
    was scored on this machine has the id of its answer as `completion`.
    """

    study: str
    experiment: str
    participant: str
    cluster: str | None
    weight: float
    item: str
    model: str
    strategy: str
    arm: str
    donor: str
    paraphrase: int
    history: str
    presentation: str
    elicitation: str
    sample: int
    outcome: Outcome
    part: float
    error: str
    finish: Finish
    reported_model: str
    prompt_tokens: int
    completion_tokens: int
    reasoning_tokens: int
    cost: float
    seconds: float
    attempts: int
    request: str
    completion: str
    text: str


_Completed = tuple[Outcome, float, str, Completion]
"""What became of a completion, its part of the answer, its id, and itself."""

_SOME = 10_000
"""Requests whose completions are in memory at a time."""

COLUMNS = CompletionRow._fields
"""Columns of the table; see `CompletionRow`."""


def completions_table(
    plan: Plan, parsed: Mapping[str, OptionScores | ParsedAnswer], study: Study, experiment: str
) -> pd.DataFrame:
    """What models replied, a row a reply.

    What was scored on this machine is one row an answer, "answered" unless its option mass is low.

    Raises
    ------
    KeyError
        If a request has no scores.
    """
    return table_of(_rows(plan, parsed, study, experiment), COLUMNS)


def _rows(
    plan: Plan, parsed: Mapping[str, OptionScores | ParsedAnswer], study: Study, experiment: str
) -> Iterator[CompletionRow]:
    @lru_cache(_SOME)  # many people are asked the same
    def completions(request: str, model: str, is_open: bool) -> list[_Completed]:
        return list(_completions(request, model, parsed[request], is_open))

    for planned in plan.answers:
        person = study.people[planned.participant]
        is_open = _is_open(planned, study)
        for number, told in enumerate(completions(planned.request, planned.model, is_open)):
            outcome, part, name, completion = told
            yield CompletionRow(
                study=study.name,
                experiment=experiment,
                participant=planned.participant,
                cluster=person.cluster,
                weight=person.weight,
                item=planned.item,
                model=planned.model,
                strategy=planned.strategy,
                arm=planned.arm,
                donor=planned.donor,
                paraphrase=planned.paraphrase,
                history=planned.history,
                presentation=planned.presentation,
                elicitation=planned.elicitation,
                sample=number,
                outcome=outcome,
                part=part,
                error=completion.error,
                finish=completion.finish,
                reported_model=completion.model,
                prompt_tokens=completion.prompt_tokens,
                completion_tokens=completion.completion_tokens,
                reasoning_tokens=completion.reasoning_tokens,
                cost=np.nan if completion.cost is None else completion.cost,
                seconds=np.nan if completion.seconds is None else completion.seconds,
                attempts=completion.attempts,
                request=planned.request,
                completion=name,
                text=completion.text,
            )


def _completions(
    request: str, model: str, answer: OptionScores | ParsedAnswer, is_open: bool
) -> Iterator[_Completed]:
    """What became of each reply, its part of the answer, its id, and itself."""
    if isinstance(answer, ParsedAnswer):
        reading = answer.reading
        yield from zip(reading.outcomes, reading.parts, answer.ids, answer.completions, strict=True)
        return
    yield (
        "answered" if is_open else of_mass(float(np.exp(answer.log_probs).sum())),
        1.0,
        request,
        Completion(model=model, prompt_tokens=answer.prompt_tokens, cost=0.0),
    )


def _is_open(planned: PlannedAnswer, study: Study) -> bool:
    """Whether it is a response of a session without options."""
    session = study.people[planned.participant].session
    return session is not None and not session.spans[int(planned.item) - 1].options
