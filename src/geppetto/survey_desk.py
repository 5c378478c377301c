"""A desk, where what people are given becomes prompts for one model, each distinct one once."""

from __future__ import annotations

from geppetto.elicitation.option_likelihood import request_id
from geppetto.errors import GeppettoError
from geppetto.given import Given
from geppetto.models.base import LanguageModel
from geppetto.personas.filler import filler
from geppetto.personas.strategy import Persona
from geppetto.plan import PlannedAnswer
from geppetto.prompts.layout import Layout, Prompt, render
from geppetto.studies import Study


class SurveyDesk:
    """Where a prompt is written for each item."""

    def __init__(self, study: Study, layout: Layout, model: LanguageModel) -> None:
        self._study = study
        self._layout = layout
        self._model = model
        self._rendered: dict[tuple[str, Persona | None], tuple[str, Prompt]] = {}
        self._fillers: dict[tuple[str, str, int], str] = {}

    @property
    def prompts(self) -> dict[str, Prompt]:
        """Every prompt so far, by request id."""
        return dict(self._rendered.values())

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
                model=self._model.identity.name,
                strategy=given.strategy,
                arm=given.arm,
                donor=given.donor,
                request=self._request(item, persona),
                pool=given.pool,
                block=given.block,
                paraphrase=given.paraphrase,
            )
            for item in given.items
            if item in given.person.responses
        ]

    def _filler_like(self, given: Persona, item: str) -> Persona:
        """Neutral text that makes a prompt exactly as long as this persona makes it."""

        def count(text: str) -> int:
            return len(
                self._model.tokenize(self._prompt(item, Persona(text, given.placement)).text)
            )

        key = (given.placement, item, count(given.text))
        if key not in self._fillers:
            self._fillers[key] = filler(given.text, count)
        return Persona(self._fillers[key], given.placement)

    def _prompt(self, item: str, given: Persona | None) -> Prompt:
        return render(
            self._study, self._study.items[item], given, self._layout, self._model.template
        )

    def _request(self, item: str, given: Persona | None) -> str:
        key = (item, given)
        if key not in self._rendered:
            if given:
                refuse_control_tokens(given, self._model)
            prompt = self._prompt(item, given)
            self._rendered[key] = request_id(prompt, self._model.identity), prompt
        return self._rendered[key][0]


def refuse_control_tokens(persona: Persona, model: LanguageModel) -> None:
    """Refuse a persona that a chat model would read as more than text.

    Raises
    ------
    GeppettoError
        If it is one.
    """
    if model.template and model.has_control_tokens(persona.text):
        raise GeppettoError(
            f"a persona holds text that {model.identity.name} reads as the end of a "
            f"turn or another control token: {persona.text[:60]!r}; change the strategy"
        )
