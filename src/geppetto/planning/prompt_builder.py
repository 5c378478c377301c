"""What people are given of a survey becomes what one model is asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, TypeVar

from geppetto.personas.base import Persona
from geppetto.personas.filler import filler
from geppetto.planning.assignment import Assignment
from geppetto.planning.on_demand import OnDemand
from geppetto.planning.plan import PlannedAnswer

Text = TypeVar("Text")


class PromptBuilder(ABC, Generic[Text]):
    """Where each answered item of a participant is written for a model, each text once.

    Parameters
    ----------
    model
        What the model is called.
    elicitation
        Label of the elicitation.
    draws
        Whether replies are drawn for each participant anew.

    Attributes
    ----------
    texts
        Everything that is asked so far, by request id.
    """

    def __init__(self, model: str, elicitation: str, draws: bool) -> None:
        self.key = (model, elicitation)
        self.texts = OnDemand(self._write)
        self._draws = draws
        self._ids: dict[tuple[Persona | None, str], dict[str, str]] = {}
        self._fillers: dict[tuple[str, str, int], str] = {}

    @abstractmethod
    def _write(self, item: str, persona: Persona | None, drawn_for: str) -> Text:
        """What asks an item of a participant with this persona."""

    @abstractmethod
    def _id(self, item: str, persona: Persona | None, drawn_for: str) -> str:
        """The id of the request that asks this; refuses what the model cannot read."""

    @abstractmethod
    def _length(self, item: str, persona: Persona) -> int:
        """How long what is asked is with this persona."""

    def _check(self, persona: Persona) -> None:
        """Refuse a persona that the model cannot read."""
        return

    def answers(self, assignment: Assignment) -> list[PlannedAnswer]:
        """The answers that are asked for of a participant's answered items."""
        persona, person = assignment.persona, assignment.person
        if persona and assignment.as_filler:
            persona = self._filler_like(persona, assignment.items[0])
        drawn_for = person.id if self._draws else ""
        ids = self._known(persona, drawn_for)
        model, elicitation = self.key
        return [
            PlannedAnswer(
                person.id,
                item,
                person.responses[item],
                model,
                assignment.strategy,
                assignment.arm,
                assignment.donor,
                ids.get(item) or self._ask(ids, item, persona, drawn_for),
                assignment.pool,
                assignment.block,
                assignment.paraphrase,
                elicitation,
            )
            for item in assignment.items
            if item in person.responses
        ]

    def _known(self, persona: Persona | None, drawn_for: str) -> dict[str, str]:
        """Ids of the requests with a persona so far, by item."""
        key = (persona, drawn_for)
        if key not in self._ids:
            if persona:
                self._check(persona)
            self._ids[key] = {}
        return self._ids[key]

    def _ask(self, ids: dict[str, str], item: str, persona: Persona | None, drawn_for: str) -> str:
        """The id of a new request, which is added to these."""
        request = self._id(item, persona, drawn_for)
        self.texts.add(request, item, persona, drawn_for)
        ids[item] = request
        return request

    def _filler_like(self, persona: Persona, item: str) -> Persona:
        """Neutral text that makes what is asked exactly as long as this persona makes it."""

        def count(text: str) -> int:
            return self._length(item, Persona(text, persona.placement))

        key = (persona.placement, item, count(persona.text))
        if key not in self._fillers:
            self._fillers[key] = filler(persona.text, count)
        return Persona(self._fillers[key], persona.placement)
