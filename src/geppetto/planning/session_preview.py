"""Sessions as they are put before a model, or before any."""

from __future__ import annotations

from dataclasses import dataclass

from geppetto.elicitation.transcript_tokens import tokenised
from geppetto.models.base import Scorer
from geppetto.personas.base import Persona, PersonaStrategy
from geppetto.personas.visibility import Block
from geppetto.planning.prompt_preview import Length, Passage, Reading
from geppetto.planning.session_prompts import session_of
from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.session import Window, transcripts
from geppetto.prompts.transcript import Transcript
from geppetto.studies import Participant, Study

TRIALS = 3
"""How many trials of a session are shown."""


@dataclass(frozen=True)
class SessionReader:
    """A model that reads sessions; None for any, which are given plain text."""

    model: Scorer | None

    def block(self, rule: PersonaStrategy, study: Study) -> Block:
        """What a prediction of a session may know: nothing of what was done in it."""
        return Block((), ())

    def frame(self, person: Participant, place: Persona) -> Passage:
        """The beginning of somebody's session."""
        return self._passages(person, place)[-1]

    def reading(self, person: Participant, own: Persona) -> Reading:
        """What is read with a persona."""
        whole = _transcript(person, own, len(session_of(person).spans), self._template)
        of_persona = len(self.model.tokenize_on(own.text)) if self.model else None
        return Reading(
            own.text,
            self._passages(person, own),
            Length.of(own.text, of_persona),
            Length.of(whole.text, self._tokens(whole)),
        )

    @property
    def _template(self) -> ChatTemplate | None:
        return self.model.template if self.model else None

    def _passages(self, person: Participant, own: Persona) -> tuple[Passage, ...]:
        """The beginning as text and, of a chat model, in its turns."""
        session = session_of(person)
        trials = len(session.trials) - 1
        shown = min(TRIALS, trials)
        passages = []
        for template in dict.fromkeys((None, self._template)):
            begun = _transcript(person, own, session.first_response(shown), template)
            parts = [
                self.model.identity.name if self.model else "any model",
                "turns" if template else "plain text",
                f"{shown} of the {trials:,} trials of {person.id}",
            ]
            if self.model:
                parts.append(f"{self._tokens(begun):,} tokens")
            passages.append(Passage(", ".join(parts), begun.text))
        return tuple(passages)

    def _tokens(self, transcript: Transcript) -> int | None:
        return len(tokenised(transcript, self.model)[0]) if self.model else None


def _transcript(
    person: Participant, own: Persona, responses: int, template: ChatTemplate | None
) -> Transcript:
    """What is read up to the last of the first responses."""
    (read,) = transcripts(own, session_of(person), [Window(0, 0, responses)], template)
    return read
