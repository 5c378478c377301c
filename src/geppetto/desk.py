"""A desk, where what people are given of a survey becomes what one model is asked."""

from __future__ import annotations

from abc import ABC, abstractmethod

from geppetto.given import Given
from geppetto.personas.filler import filler
from geppetto.personas.strategy import Persona
from geppetto.plan import PlannedAnswer


class Desk(ABC):
    """Where each answered item of a participant is written for a model, each text once.

    Parameters
    ----------
    model
        What the model is called.
    elicitation
        Label of the elicitation.
    """

    def __init__(self, model: str, elicitation: str) -> None:
        self.key = (model, elicitation)
        self._fillers: dict[tuple[str, str, int], str] = {}

    @abstractmethod
    def _request(self, item: str, given: Persona | None, participant: str) -> str:
        """The id of the request that asks an item of a participant with this persona."""

    @abstractmethod
    def _length(self, item: str, given: Persona) -> int:
        """How long what is asked is with this persona."""

    def answers(self, given: Given) -> list[PlannedAnswer]:
        """The answers that are asked for of a participant's answered items."""
        persona = given.persona
        if persona and given.as_filler:
            persona = self._filler_like(persona, given.items[0])
        return [
            PlannedAnswer(
                participant=given.person.id,
                item=item,
                response=given.person.responses[item],
                model=self.key[0],
                strategy=given.strategy,
                arm=given.arm,
                donor=given.donor,
                request=self._request(item, persona, given.person.id),
                pool=given.pool,
                block=given.block,
                paraphrase=given.paraphrase,
                elicitation=self.key[1],
            )
            for item in given.items
            if item in given.person.responses
        ]

    def _filler_like(self, given: Persona, item: str) -> Persona:
        """Neutral text that makes what is asked exactly as long as this persona makes it."""

        def count(text: str) -> int:
            return self._length(item, Persona(text, given.placement))

        key = (given.placement, item, count(given.text))
        if key not in self._fillers:
            self._fillers[key] = filler(given.text, count)
        return Persona(self._fillers[key], given.placement)
