"""An answer after reasons: first the model reasons, then it is asked by another elicitation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import Field, field_serializer, field_validator

from geppetto._util.named import Named
from geppetto.elicitation.base import Elicitation, Outcome, Question, Reading
from geppetto.elicitation.next_token import NextToken
from geppetto.elicitation.outcomes import of_reasoning
from geppetto.elicitation.parsing import said
from geppetto.elicitation.samples import Samples
from geppetto.elicitation.stated import Stated
from geppetto.models.identity import Kind
from geppetto.models.requests import Capabilities, Completion, Request
from geppetto.prompts.chat import Turn

AFTERWARDS: dict[str, type[Elicitation]] = {
    kind.name: kind for kind in (Samples, NextToken, Stated)
}
"""What a model may be asked by once it has reasoned."""

_TOKENS_PER_WORD = 4
_CUE = "Reasons:"
_NOW = "Now give your answer."


class Reasoned(Elicitation):
    """Reasons, and then another elicitation in the same conversation.

    What is drawn afterwards is drawn with its reasons: every sample has reasons of its own, at the
    temperature of the samples, since answers after the same reasons are more alike than the model's
    answers are. Anything else is asked once, after reasons at temperature 0.

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
    version: ClassVar[int] = 2

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

    def requests(
        self, question: Question, completions: Sequence[Completion]
    ) -> tuple[Request, ...]:
        if len(completions) < self._chains:
            return tuple(
                self._reasons(question).model_copy(update={"sample": chain})
                for chain in range(len(completions), self._chains)
            )
        reasons, answers = completions[: self._chains], completions[self._chains :]
        given = [one for one in enumerate(reasons) if _became(one[1], question) == "answered"]
        if isinstance(self.then, Samples) and self.draws:
            return tuple(
                self.then.draw(self._afterwards(question, reason), chain)
                for chain, reason in given[len(answers) :]
            )
        return tuple(
            request
            for _, reason in given
            for request in self.then.requests(self._afterwards(question, reason), answers)
        )

    def read(self, question: Question, completions: Sequence[Completion]) -> Reading:
        """What the answers say; samples whose reasons are missing are not answered."""
        reasons, answers = completions[: self._chains], completions[self._chains :]
        reading = self.then.read(question, answers)
        became = tuple(_became(reason, question) for reason in reasons)
        return replace(reading, outcomes=(*became, *reading.outcomes), reasons=len(became))

    @property
    def _chains(self) -> int:
        return self.then.k if isinstance(self.then, Samples) and self.draws else 1

    def _reasons(self, question: Question) -> Request:
        most = _TOKENS_PER_WORD * self.words
        temperature = self.then.temperature if isinstance(self.then, Samples) else 0.0
        return question.request(most, self._instruction, _CUE, temperature)

    @property
    def _instruction(self) -> str:
        return (
            f"Before you answer, reason in at most {self.words} words about what the answer will "
            "be. Do not answer yet."
        )

    def _afterwards(self, question: Question, reasons: Completion) -> Question:
        """The question with the reasons given, of which the answer is still missing."""
        text = said(reasons, question.kind)
        wanted = question.put(self._instruction)
        if question.kind == "base":
            turns = (*wanted, Turn(role="user", content=f"{_CUE} {text}"))
        else:
            given = Turn(role="assistant", content=text)
            turns = (*wanted, given, Turn(role="user", content=_NOW))
        return replace(question, turns=turns)


def _became(reasons: Completion, question: Question) -> Outcome:
    return of_reasoning(reasons, question.kind, said(reasons, question.kind))
