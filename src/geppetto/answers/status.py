"""What models that are asked by requests have replied so far, and what that says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from geppetto.answers.completions import CompletionStore
from geppetto.answers.parsed import ParsedAnswer
from geppetto.elicitation.base import Question
from geppetto.models.requests import Completion
from geppetto.planning.elicited import Elicited
from geppetto.planning.prepared import Prepared


class AnswerStatus(NamedTuple):
    """What is stored of some questions.

    Attributes
    ----------
    parsed
        Of each question whose every request has its reply, by request id.
    open
        Names of the others.
    failed
        Ids of the requests that failed for good.
    """

    parsed: Mapping[str, ParsedAnswer]
    open: frozenset[str]
    failed: frozenset[str]


def answer_statuses(
    prepared: Prepared, store: CompletionStore
) -> dict[tuple[str, str], AnswerStatus]:
    """What is stored of an experiment's questions, by model name and label of the elicitation."""
    return {
        elicited.key: answer_status(elicited, prepared.plan.questions[elicited.key], store)
        for elicited in prepared.by_requests
    }


def forget_errors(prepared: Prepared, store: CompletionStore) -> None:
    """Forget what failed for good among an experiment's requests, so that it is asked again."""
    for status in answer_statuses(prepared, store).values():
        store.forget_errors(status.failed)


def answer_status(
    elicited: Elicited, questions: Mapping[str, Question], store: CompletionStore
) -> AnswerStatus:
    """What stored replies say of the questions; nothing is asked."""
    identity = elicited.model.identity
    completions: dict[str, tuple[Completion, ...]] = dict.fromkeys(questions, ())
    replied: dict[str, tuple[str, ...]] = dict.fromkeys(questions, ())
    left_open: set[str] = set()
    failed: set[str] = set()
    going_on = dict(questions)
    while going_on:
        asked = {
            name: requests
            for name, question in going_on.items()
            if (requests := elicited.elicitation.requests(question, completions[name]))
        }
        ids = {name: [one.id(identity) for one in requests] for name, requests in asked.items()}
        stored = store.get(request for of_question in ids.values() for request in of_question)
        failed |= {request for request, completion in stored.items() if completion.error}
        going_on = {}
        for name, of_question in ids.items():
            if all(request in stored for request in of_question):
                completions[name] += tuple(stored[request] for request in of_question)
                replied[name] += tuple(of_question)
                going_on[name] = questions[name]
            else:
                left_open.add(name)
    return AnswerStatus(
        {
            name: ParsedAnswer(
                elicited.elicitation.read(question, completions[name]),
                completions[name],
                replied[name],
            )
            for name, question in questions.items()
            if name not in left_open
        },
        frozenset(left_open),
        frozenset(failed),
    )
