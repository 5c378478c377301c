"""An answer after reasons: first the model reasons, then it is asked by another elicitation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field, field_serializer, field_validator

from geppetto.elicitation.answer_texts import said
from geppetto.elicitation.elicitation import Elicitation, Outcome, Question, Reading
from geppetto.elicitation.next_token import NextToken
from geppetto.elicitation.outcomes import of_reasoning
from geppetto.elicitation.samples import Samples
from geppetto.elicitation.stated import Stated
from geppetto.models.base import Kind
from geppetto.models.speaker import Capabilities, Reply, Request
from geppetto.named import Named
from geppetto.prompts.chat import Turn

AFTERWARDS: dict[str, type[Elicitation]] = {
    kind.name: kind for kind in (Samples, NextToken, Stated)
}
"""What a model may be asked by once it has reasoned."""

_TOKENS_PER_WORD = 4
_CUE = "Reasons:"
_NOW = "Now give your answer."


class Reasoned(Elicitation):
    """Reasons at temperature 0, and then another elicitation in the same conversation.

    A model whose reasons are cut, filtered or missing is asked nothing more. Whether it refuses or
    leaves its role is told by its answer: reasons may say "I would rather not" of the person.

    Attributes
    ----------
    words
        The most words that it is asked to reason in.
    then
        How it is asked afterwards.
    """

    name: ClassVar[str] = "reasoned"

    words: int = Field(100, ge=10, le=2000)
    then: Samples | NextToken | Stated = Samples()

    @field_validator("then", mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        if isinstance(value, Elicitation):
            return value
        return Named.model_validate(value).one_of(AFTERWARDS, "elicitation")

    @field_serializer("then")
    def _with_name(self, then: Elicitation) -> dict[str, Any]:
        return {then.name: then.model_dump()}

    @property
    def draws(self) -> bool:
        return self.then.draws

    def lacks(self, can: Capabilities, kind: Kind) -> str:
        return self.then.lacks(can, kind)

    def requests(self, question: Question, replies: Sequence[Reply]) -> tuple[Request, ...]:
        if not replies:
            most = _TOKENS_PER_WORD * self.words
            return (question.request(most, self._instruction, _CUE),)
        reasons, *answers = replies
        if _became(reasons, question) != "answered":
            return ()
        return self.then.requests(self._afterwards(question, reasons), answers)

    def read(self, question: Question, replies: Sequence[Reply]) -> Reading:
        if not replies:
            return self.then.read(question, ())
        reasons, *answers = replies
        became = _became(reasons, question)
        reading = self.then.read(self._afterwards(question, reasons), answers)
        return replace(reading, outcomes=(became, *reading.outcomes))

    @property
    def _instruction(self) -> str:
        return (
            f"Before you answer, reason in at most {self.words} words about what the answer will "
            "be. Do not answer yet."
        )

    def _afterwards(self, question: Question, reasons: Reply) -> Question:
        """The question with the reasons given, of which the answer is still missing."""
        text = said(reasons, question.kind)
        asked = question.put(self._instruction)
        if question.kind == "base":
            turns = (*asked, Turn(role="user", content=f"{_CUE} {text}"))
        else:
            given = Turn(role="assistant", content=text)
            turns = (*asked, given, Turn(role="user", content=_NOW))
        return replace(question, turns=turns)


def _became(reasons: Reply, question: Question) -> Outcome:
    return of_reasoning(reasons, question.kind, said(reasons, question.kind))
