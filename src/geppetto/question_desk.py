"""A desk where a question is put for each item, of a model that is asked by requests."""

from __future__ import annotations

from geppetto.approach import ByRequests
from geppetto.desk import Desk
from geppetto.elicitation.elicitation import Question
from geppetto.models.local_speaker import LocalSpeaker
from geppetto.personas.strategy import Persona
from geppetto.prompts.layout import Layout, answer_cue, turns
from geppetto.studies import Study


class QuestionDesk(Desk):
    """Where a question is put for each item."""

    def __init__(self, study: Study, layout: Layout, approach: ByRequests) -> None:
        super().__init__(*approach.key)
        self._study = study
        self._layout = layout
        self._approach = approach
        self._put: dict[tuple[str, Persona | None, str], tuple[str, Question]] = {}

    @property
    def questions(self) -> dict[str, Question]:
        """Every question so far, by request id."""
        return dict(self._put.values())

    def _length(self, item: str, given: Persona) -> int:
        return self._approach.count(self._question(item, given).plain())

    def _question(self, item: str, given: Persona | None, participant: str = "") -> Question:
        of = self._study.items[item]
        scale = self._study.scale(of)
        return Question(
            turns=tuple(turns(self._study, of, given, self._layout)),
            cue=answer_cue(self._layout),
            options=tuple((code, self._layout.listed(scale)[code]) for code in scale.options),
            labels=tuple(scale.options.items()),
            kind=self._approach.speaker.identity.kind,
            drawn_for=participant,
        )

    def _request(self, item: str, given: Persona | None, participant: str) -> str:
        elicitation, speaker = self._approach.elicitation, self._approach.speaker
        key = (item, given, participant if elicitation.draws else "")
        if key not in self._put:
            question = self._question(*key)
            if isinstance(speaker, LocalSpeaker):
                first, *_ = elicitation.requests(question, ())
                speaker.refuse(first)
            self._put[key] = elicitation.id(question, speaker.identity), question
        return self._put[key][0]
