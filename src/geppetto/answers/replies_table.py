"""The table of replies: one row a reply, with what became of it and what it took."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

from geppetto.answers.heard import Heard
from geppetto.elicitation.elicitation import Outcome
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.elicitation.outcomes import of_mass
from geppetto.models.speaker import Reply
from geppetto.plan import Plan, PlannedAnswer
from geppetto.studies import Study

COLUMNS = (
    "study",
    "experiment",
    "participant",
    "cluster",
    "weight",
    "item",
    "model",
    "strategy",
    "arm",
    "donor",
    "paraphrase",
    "history",
    "presentation",
    "elicitation",
    "sample",
    "outcome",
    "part",
    "error",
    "finish",
    "reported_model",
    "prompt_tokens",
    "completion_tokens",
    "reasoning_tokens",
    "cost",
    "seconds",
    "attempts",
    "request",
    "reply",
    "text",
)
"""Columns of the table.

`sample` is the number of the reply among those to its question, from 0; `request` the id of the
answer. `reply` is the id of the reply itself: it may serve several answers, of people who are put
the same question and of elicitations that send the same, and what it cost was paid once. `part` is
the share of its answer that the reply decides, see `Reading.parts`. `reported_model` is the model
as it calls itself, `cost` in dollars, NaN if the price is not known, `seconds` NaN if that was not
measured: of errors, and of what was filtered whole. What was scored on this machine has the id of
its answer as `reply`.
"""


def replies_table(
    plan: Plan, heard: Mapping[str, OptionScores | Heard], study: Study, experiment: str
) -> pd.DataFrame:
    """What models replied, a row a reply.

    What was scored on this machine is one row an answer, "answered" unless its option mass is low.

    Raises
    ------
    KeyError
        If a request has no scores.
    """
    rows = []
    for planned in plan.answers:
        person = study.people[planned.participant]
        replies = _replies(planned, heard[planned.request], study)
        for number, (outcome, part, name, reply) in enumerate(replies):
            rows.append(
                (
                    study.name,
                    experiment,
                    planned.participant,
                    person.cluster,
                    person.weight,
                    planned.item,
                    planned.model,
                    planned.strategy,
                    planned.arm,
                    planned.donor,
                    planned.paraphrase,
                    planned.history,
                    planned.presentation,
                    planned.elicitation,
                    number,
                    outcome,
                    part,
                    reply.error,
                    reply.finish,
                    reply.model,
                    reply.prompt_tokens,
                    reply.completion_tokens,
                    reply.reasoning_tokens,
                    np.nan if reply.cost is None else reply.cost,
                    np.nan if reply.seconds is None else reply.seconds,
                    reply.attempts,
                    planned.request,
                    name,
                    reply.text,
                )
            )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _replies(
    planned: PlannedAnswer, answer: OptionScores | Heard, study: Study
) -> Iterator[tuple[Outcome, float, str, Reply]]:
    """What became of each reply, its part of the answer, its id, and itself."""
    if isinstance(answer, Heard):
        reading = answer.reading
        yield from zip(reading.outcomes, reading.parts, answer.ids, answer.replies, strict=True)
        return
    mass = float(np.exp(answer.log_probs).sum())
    yield (
        "answered" if _is_open(planned, study) else of_mass(mass),
        1.0,
        planned.request,
        Reply(model=planned.model, prompt_tokens=answer.prompt_tokens, cost=0.0),
    )


def _is_open(planned: PlannedAnswer, study: Study) -> bool:
    """Whether it is a response of a session without options."""
    session = study.people[planned.participant].session
    return session is not None and not session.spans[int(planned.item) - 1].options
