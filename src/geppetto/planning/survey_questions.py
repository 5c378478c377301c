"""A builder of a question for each item, to a model that is asked by requests."""

from __future__ import annotations

from geppetto.elicitation.base import Question
from geppetto.personas.base import Persona
from geppetto.planning.elicited import Elicited
from geppetto.planning.prompt_builder import PromptBuilder
from geppetto.prompts.survey import Layout, answer_cue, turns
from geppetto.studies import Study


class SurveyQuestionBuilder(PromptBuilder):
    """Where a question is put for each item.

    Attributes
    ----------
    questions
        Every question so far, by request id.
    """

    def __init__(self, study: Study, layout: Layout, elicited: Elicited) -> None:
        super().__init__(*elicited.key)
        self._study = study
        self._layout = layout
        self._elicited = elicited
        self._put: dict[tuple[str, Persona | None, str], str] = {}
        self.questions: dict[str, Question] = {}

    def _length(self, item: str, persona: Persona) -> int:
        return self._elicited.model.length(self._question(item, persona).plain())

    def _question(self, item: str, persona: Persona | None, participant: str = "") -> Question:
        of = self._study.items[item]
        scale = self._study.scale(of)
        return Question(
            turns=tuple(turns(self._study, of, persona, self._layout)),
            cue=answer_cue(self._layout),
            options=tuple((code, self._layout.listed(scale)[code]) for code in scale.options),
            labels=tuple(scale.options.items()),
            kind=self._elicited.model.identity.kind,
            drawn_for=participant,
        )

    def _request(self, item: str, persona: Persona | None, participant: str) -> str:
        elicitation, model = self._elicited.elicitation, self._elicited.model
        key = (item, persona, participant if elicitation.draws else "")
        if key not in self._put:
            question = self._question(*key)
            first, *_ = elicitation.requests(question, ())
            model.refuse(first)
            self._put[key] = elicitation.id(question, model.identity)
            self.questions[self._put[key]] = question
        return self._put[key]
