"""Sentences about the participant (Argyle et al. 2023; Santurkar et al. 2023, BIO)."""

from typing import Literal

from geppetto.personas import PersonaStrategy
from geppetto.studies import Participant, Study

VOICES = {
    "first": ("Below is a short description of myself.", "My"),
    "second": ("Below is a short description of you.", "Your"),
    "third": ("Below is a short description of the person who answers.", "Their"),
}


class Biography(PersonaStrategy):
    """One line of introduction, then a sentence a trait, in the chosen grammatical person."""

    voice: Literal["first", "second", "third"] = "first"

    def write(self, participant: Participant, study: Study) -> str:
        introduction, whose = VOICES[self.voice]
        sentences = [
            f"{whose} {trait.label} is {value[0].lower()}{value[1:]}."
            for trait, value in study.known_traits(participant)
        ]
        return f"{introduction} {' '.join(sentences)}" if sentences else ""
