"""A builder of a prompt for each item, whose options a local model scores exactly."""

from __future__ import annotations

from geppetto._util.errors import GeppettoError
from geppetto.elicitation.option_likelihood import request_id
from geppetto.models.base import Scorer
from geppetto.personas.base import Persona
from geppetto.planning.prompt_builder import PromptBuilder
from geppetto.prompts.survey import Layout, Prompt, render
from geppetto.studies import Study


class SurveyPromptBuilder(PromptBuilder):
    """Where a prompt is written for each item.

    Attributes
    ----------
    prompts
        Every prompt so far, by request id.
    """

    def __init__(self, study: Study, layout: Layout, model: Scorer, label: str) -> None:
        super().__init__(model.identity.name, label)
        self._study = study
        self._layout = layout
        self._model = model
        self._rendered: dict[tuple[str, Persona | None], str] = {}
        self.prompts: dict[str, Prompt] = {}

    def _length(self, item: str, persona: Persona) -> int:
        return len(self._model.tokenize(self._prompt(item, persona).text))

    def _prompt(self, item: str, persona: Persona | None) -> Prompt:
        return render(
            self._study, self._study.items[item], persona, self._layout, self._model.template
        )

    def _request(self, item: str, persona: Persona | None, participant: str) -> str:
        key = (item, persona)
        if key not in self._rendered:
            if persona:
                refuse_control_tokens(persona, self._model)
            prompt = self._prompt(item, persona)
            self._rendered[key] = request_id(prompt, self._model.identity)
            self.prompts[self._rendered[key]] = prompt
        return self._rendered[key]


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
