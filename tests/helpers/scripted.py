"""Questions and a way to ask them, for tests of the network."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from fault_server import MODEL, said
from geppetto.answers.completions import CompletionStore
from geppetto.elicitation.base import Elicitation, Question, Reading
from geppetto.models.endpoint.client import Endpoint
from geppetto.models.gate import Patience
from geppetto.models.identity import Kind
from geppetto.models.requests import Capabilities, Completion, Request
from geppetto.planning.prepared import Prepared
from geppetto.prompts.chat import Turn

OPTIONS = tuple((str(n), str(n)) for n in range(1, 6))
QUICK = Patience(attempts=8, first=0.01, longest=0.1)


class Rounds(Elicitation):
    """Asks a question, and then, some more times, with all that was answered before."""

    name: ClassVar[str] = "rounds"
    rounds: int = 1

    def lacks(self, can: Capabilities, kind: Kind) -> str:
        return ""

    def requests(
        self, question: Question, completions: Sequence[Completion]
    ) -> tuple[Request, ...]:
        if len(completions) >= self.rounds:
            return ()
        turns = question.put("".join(completion.text for completion in completions))
        return (Request(turns=turns, max_tokens=3, top_logprobs=2),)

    def read(self, question: Question, completions: Sequence[Completion]) -> Reading:
        raise NotImplementedError


def questions(number: int, first: int = 0) -> dict[str, Question]:
    """So many different questions."""
    return {
        f"q{n}": Question((Turn(role="user", content=f"Question {n}?"),), "", OPTIONS, (), "chat")
        for n in range(first, first + number)
    }


def request(question: Question) -> Request:
    """The first thing that is asked about a question."""
    return Rounds().requests(question, ())[0]


def truth(question: Question) -> str:
    """What the server answers to it, if it does not fail."""
    return said(json.dumps([turn.model_dump() for turn in question.turns]))[0]


def endpoint(api_base: str, model: str = f"hosted_vllm/{MODEL}", **others: Any) -> Endpoint:
    """The scripted model."""
    settings = {"patience": QUICK, "timeout": 20.0, **others}
    return Endpoint("scripted", model, api_base=api_base, **settings)


def fail_first(prepared: Prepared, workspace: Path) -> None:
    """Store that the first request of an experiment's one approach by requests failed for good."""
    (asked,) = prepared.by_requests
    (first, *_) = prepared.plan.questions[asked.key].values()
    (request,) = asked.elicitation.requests(first, ())
    key = request.id(asked.model.identity)
    with CompletionStore.of_workspace(workspace).claiming() as claims:
        claims.take({key})
        claims.put("scripted", {key: Completion(finish="error", error="it timed out")})
