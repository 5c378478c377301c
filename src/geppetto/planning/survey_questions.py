"""A builder of a question for each item, to a model that is asked by requests."""

from __future__ import annotations

from geppetto.elicitation.base import Question
from geppetto.personas.base import Persona
from geppetto.planning.elicited import Elicited
from geppetto.planning.prompt_builder import PromptBuilder
from geppetto.prompts.survey import Layout, answer_cue, turns
from geppetto.studies import Study


class SurveyQuestionBuilder(PromptBuilder[Question]):
    """Where a question is put for each item."""

    def __init__(self, study: Study, layout: Layout, elicited: Elicited) -> None:
        super().__init__(*elicited.key, draws=elicited.elicitation.draws)
        self._study = study
        self._layout = layout
        self._model = elicited.model
        self._elicitation = elicited.elicitation

    def _write(self, item: str, persona: Persona | None, drawn_for: str) -> Question:
        of = self._study.items[item]
        scale = self._study.scale(of)
        listed = self._layout.listed(scale)
        return Question(
            turns=tuple(turns(self._study, of, persona, self._layout)),
            cue=answer_cue(self._layout.answer_to(scale)),
            options=tuple((code, listed[code]) for code in scale.options),
            labels=tuple(scale.options.items()),
            kind=self._model.identity.kind,
            drawn_for=drawn_for,
        )

    def _id(self, item: str, persona: Persona | None, drawn_for: str) -> str:
        question = self._write(item, persona, drawn_for)
        first, *_ = self._elicitation.requests(question, ())
        self._model.refuse(first)
        return self._elicitation.id(question, self._model.identity)

    def _length(self, item: str, persona: Persona) -> int:
        return self._model.length(self._write(item, persona, "").plain())
