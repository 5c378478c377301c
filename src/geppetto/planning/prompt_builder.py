"""What people are given of a survey becomes what one model is asked."""

from __future__ import annotations

from abc import ABC, abstractmethod

from geppetto.personas.base import Persona
from geppetto.personas.filler import filler
from geppetto.planning.assignment import Assignment
from geppetto.planning.plan import PlannedAnswer


class PromptBuilder(ABC):
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
    def _request(self, item: str, persona: Persona | None, participant: str) -> str:
        """The id of the request that asks an item of a participant with this persona."""

    @abstractmethod
    def _length(self, item: str, persona: Persona) -> int:
        """How long what is asked is with this persona."""

    def answers(self, assignment: Assignment) -> list[PlannedAnswer]:
        """The answers that are asked for of a participant's answered items."""
        persona = assignment.persona
        if persona and assignment.as_filler:
            persona = self._filler_like(persona, assignment.items[0])
        return [
            PlannedAnswer(
                participant=assignment.person.id,
                item=item,
                response=assignment.person.responses[item],
                model=self.key[0],
                strategy=assignment.strategy,
                arm=assignment.arm,
                donor=assignment.donor,
                request=self._request(item, persona, assignment.person.id),
                pool=assignment.pool,
                block=assignment.block,
                paraphrase=assignment.paraphrase,
                elicitation=self.key[1],
            )
            for item in assignment.items
            if item in assignment.person.responses
        ]

    def _filler_like(self, persona: Persona, item: str) -> Persona:
        """Neutral text that makes what is asked exactly as long as this persona makes it."""

        def count(text: str) -> int:
            return self._length(item, Persona(text, persona.placement))

        key = (persona.placement, item, count(persona.text))
        if key not in self._fillers:
            self._fillers[key] = filler(persona.text, count)
        return Persona(self._fillers[key], persona.placement)
