"""What models that are asked by requests have replied so far, and what that says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from geppetto.answers.heard import Heard
from geppetto.answers.replies import ReplyStore
from geppetto.approach import ByRequests
from geppetto.elicitation.elicitation import Question
from geppetto.experiment import Prepared
from geppetto.models.speaker import Reply


class Hearing(NamedTuple):
    """What is stored of some questions.

    Attributes
    ----------
    heard
        Of each question whose every request has its reply, by request id.
    open
        Names of the others.
    failed
        Ids of the requests that failed for good.
    """

    heard: Mapping[str, Heard]
    open: frozenset[str]
    failed: frozenset[str]


def hear_all(prepared: Prepared, store: ReplyStore) -> dict[tuple[str, str], Hearing]:
    """What is stored of an experiment's questions, by model name and label of the elicitation."""
    return {
        approach.key: hear(approach, prepared.plan.questions[approach.key], store)
        for approach in prepared.by_requests
    }


def forget_errors(prepared: Prepared, store: ReplyStore) -> None:
    """Forget what failed for good among an experiment's requests, so that it is asked again."""
    for hearing in hear_all(prepared, store).values():
        store.forget_errors(hearing.failed)


def hear(approach: ByRequests, questions: Mapping[str, Question], store: ReplyStore) -> Hearing:
    """What stored replies say of the questions; nothing is asked."""
    identity = approach.speaker.identity
    replies: dict[str, tuple[Reply, ...]] = dict.fromkeys(questions, ())
    replied: dict[str, tuple[str, ...]] = dict.fromkeys(questions, ())
    left_open: set[str] = set()
    failed: set[str] = set()
    going_on = dict(questions)
    while going_on:
        asked = {
            name: requests
            for name, question in going_on.items()
            if (requests := approach.elicitation.requests(question, replies[name]))
        }
        ids = {name: [one.id(identity) for one in requests] for name, requests in asked.items()}
        stored = store.get(request for of_question in ids.values() for request in of_question)
        failed |= {request for request, reply in stored.items() if reply.error}
        going_on = {}
        for name, of_question in ids.items():
            if all(request in stored for request in of_question):
                replies[name] += tuple(stored[request] for request in of_question)
                replied[name] += tuple(of_question)
                going_on[name] = questions[name]
            else:
                left_open.add(name)
    return Hearing(
        {
            name: Heard(
                approach.elicitation.read(question, replies[name]), replies[name], replied[name]
            )
            for name, question in questions.items()
            if name not in left_open
        },
        frozenset(left_open),
        frozenset(failed),
    )
