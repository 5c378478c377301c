"""A builder of a question for each item, to a model that is asked by requests."""

from __future__ import annotations

from geppetto.elicitation.base import Question
from geppetto.models.local.local_text_model import LocalTextModel
from geppetto.personas.base import Persona
from geppetto.planning.models_and_elicitations import ByRequests
from geppetto.planning.prompt_builder import PromptBuilder
from geppetto.prompts.survey import Layout, answer_cue, turns
from geppetto.studies import Study


class SurveyQuestionBuilder(PromptBuilder):
    """Where a question is put for each item."""

    def __init__(self, study: Study, layout: Layout, elicited: ByRequests) -> None:
        super().__init__(*elicited.key)
        self._study = study
        self._layout = layout
        self._elicited = elicited
        self._put: dict[tuple[str, Persona | None, str], tuple[str, Question]] = {}

    @property
    def questions(self) -> dict[str, Question]:
        """Every question so far, by request id."""
        return dict(self._put.values())

    def _length(self, item: str, persona: Persona) -> int:
        return self._elicited.count(self._question(item, persona).plain())

    def _question(self, item: str, persona: Persona | None, participant: str = "") -> Question:
        of = self._study.items[item]
        scale = self._study.scale(of)
        return Question(
            turns=tuple(turns(self._study, of, persona, self._layout)),
            cue=answer_cue(self._layout),
            options=tuple((code, self._layout.listed(scale)[code]) for code in scale.options),
            labels=tuple(scale.options.items()),
            kind=self._elicited.text_model.identity.kind,
            drawn_for=participant,
        )

    def _request(self, item: str, persona: Persona | None, participant: str) -> str:
        elicitation, text_model = self._elicited.elicitation, self._elicited.text_model
        key = (item, persona, participant if elicitation.draws else "")
        if key not in self._put:
            question = self._question(*key)
            if isinstance(text_model, LocalTextModel):
                first, *_ = elicitation.requests(question, ())
                text_model.refuse(first)
            self._put[key] = elicitation.id(question, text_model.identity), question
        return self._put[key][0]
