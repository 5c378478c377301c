"""A builder of a prompt for each item, whose options a local model scores exactly."""

from __future__ import annotations

from geppetto._util.errors import GeppettoError
from geppetto.elicitation.option_likelihood import request_id
from geppetto.models.base import Scorer
from geppetto.personas.base import Persona
from geppetto.planning.prompt_builder import PromptBuilder
from geppetto.prompts.survey import Frame, Layout, Prompt
from geppetto.studies import Study


class SurveyPromptBuilder(PromptBuilder[Prompt]):
    """Where a prompt is written for each item."""

    def __init__(self, study: Study, layout: Layout, model: Scorer, label: str) -> None:
        super().__init__(model.identity.name, label, draws=False)
        self._model = model
        self._frames = {name: Frame.of(study, item, layout) for name, item in study.items.items()}

    def _write(self, item: str, persona: Persona | None, drawn_for: str) -> Prompt:
        return self._frames[item].prompt(persona, self._model.template)

    def _id(self, text: Prompt) -> str:
        return request_id(text, self._model.identity)

    def _length(self, item: str, persona: Persona) -> int:
        return len(self._model.tokenize(self._write(item, persona, "").text))

    def _check(self, persona: Persona) -> None:
        refuse_control_tokens(persona, self._model)


def refuse_control_tokens(persona: Persona, model: Scorer) -> None:
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
