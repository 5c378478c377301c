"""What people are given becomes transcripts of their sessions for one model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

from geppetto._util.errors import GeppettoError
from geppetto.elicitation.transcript_likelihood import request_ids
from geppetto.models.base import Scorer
from geppetto.personas.base import Persona
from geppetto.personas.filler import filler
from geppetto.planning.assignment import Assignment
from geppetto.planning.plan import PlannedAnswer
from geppetto.planning.survey_prompts import refuse_control_tokens
from geppetto.prompts.session import Window, script, transcripts
from geppetto.prompts.session_layout import History, SessionLayout
from geppetto.prompts.transcript import Transcript
from geppetto.prompts.windows import Reader, Shown, fit
from geppetto.studies import Participant, Session


def readers(model: Scorer, layout: SessionLayout) -> dict[str, Reader]:
    """A model in every presentation in which it reads sessions, by the presentation's name.

    Raises
    ------
    GeppettoError
        If turns are asked of a base model.
    """
    name = model.identity.name
    return {
        how: Reader(name, template, lambda text: len(model.tokenize_on(text)), model.context)
        for how, template in layout.presentations(name, model.template).items()
    }


def shown_to(
    assignments: Sequence[Assignment], reading: Sequence[Reader], layout: SessionLayout
) -> dict[str, Shown]:
    """What is shown of each participant's session, so that it fits with all that they are given."""
    personas: dict[str, dict[Persona | None, None]] = {}
    people: dict[str, Participant] = {}
    for each in assignments:
        people[each.person.id] = each.person
        personas.setdefault(each.person.id, {})[each.persona] = None
    return {
        name: fit(session_of(person), {reader: [*personas[name]] for reader in reading}, layout)
        for name, person in people.items()
    }


class SessionPromptBuilder:
    """Where the transcripts of everybody's session are written.

    Parameters
    ----------
    model
        Who reads them.
    layout
        How sessions are put before models.
    shown
        What is shown of each participant's session, by participant id.
    """

    def __init__(self, model: Scorer, layout: SessionLayout, shown: Mapping[str, Shown]) -> None:
        self._model = model
        self._readers = readers(model, layout)
        self._shown = shown
        self._asked: dict[tuple[str, Persona | None, str, History], list[tuple[int, str]]] = {}
        self._fillers: dict[tuple[str, Persona, str], Persona] = {}
        self._plain: set[str] = set()
        self.transcripts: dict[tuple[str, ...], Transcript] = {}

    def answers(self, assignment: Assignment) -> list[PlannedAnswer]:
        """The answers that are asked for of a participant's session."""
        responses = session_of(assignment.person).responses
        return [
            PlannedAnswer(
                participant=assignment.person.id,
                item=str(number + 1),
                response=responses[number],
                model=self._model.identity.name,
                strategy=assignment.strategy,
                arm=assignment.arm,
                donor=assignment.donor,
                request=request,
                pool=assignment.pool,
                block=assignment.block,
                paraphrase=assignment.paraphrase,
                history=str(history),
                presentation=presentation,
            )
            for presentation in self._readers
            for history in self._shown[assignment.person.id].windows
            for number, request in self._requests(
                assignment.person, self._persona(assignment, presentation), presentation, history
            )
        ]

    def _persona(self, assignment: Assignment, presentation: str) -> Persona | None:
        """What stands in the transcript, which may be neutral text of the persona's length."""
        if assignment.persona is None or not assignment.as_filler:
            return assignment.persona
        key = (assignment.person.id, assignment.persona, presentation)
        if key not in self._fillers:
            reader, session = self._readers[presentation], session_of(assignment.person)
            placement = assignment.persona.placement

            def count(text: str) -> int:
                head = script(Persona(text, placement), session, Window(0, 0, 1), reader.template)
                return reader.count(head.head)

            self._fillers[key] = Persona(filler(assignment.persona.text, count), placement)
        return self._fillers[key]

    def _requests(
        self, person: Participant, persona: Persona | None, presentation: str, history: History
    ) -> list[tuple[int, str]]:
        """Number of each response that is scored and the request that scores it."""
        key = (person.id, persona, presentation, history)
        if key not in self._asked:
            template = self._readers[presentation].template
            self._refuse_control_tokens(person, persona)
            windows = self._shown[person.id].windows[history]
            wanted: list[tuple[int, str]] = []
            for transcript in transcripts(persona, session_of(person), windows, template):
                ids = request_ids(transcript, self._model.identity)
                self.transcripts[ids] = transcript
                numbers = (response.number for response in transcript.responses)
                wanted += zip(numbers, ids, strict=True)
            self._asked[key] = wanted
        return self._asked[key]

    def _refuse_control_tokens(self, person: Participant, persona: Persona | None) -> None:
        if persona is not None:
            refuse_control_tokens(persona, self._model)
        if self._model.template is None or person.id in self._plain:
            return
        if self._model.has_control_tokens(_cut(session_of(person))):
            raise GeppettoError(
                f"the session of participant {person.id} holds text that "
                f"{self._model.identity.name} reads as the end of a turn or another control token; "
                "leave that participant out, or declare the model `kind: base`"
            )
        self._plain.add(person.id)


def _cut(session: Session) -> str:
    """A session's text with a break before and after each response, as it is tokenised."""
    responses = (at for span in session.spans for at in (span.start, span.end))
    cuts = (0, *responses, len(session.text))
    return "\n".join(session.text[start:end] for start, end in pairwise(cuts))


def session_of(person: Participant) -> Session:
    """The session of somebody in a study of sessions."""
    assert person.session is not None
    return person.session
