"""Bare interview turns, one per trait: the persona format of Psych-201 (Binz et al. 2026)."""

from typing import Literal

from geppetto.personas import PersonaStrategy
from geppetto.studies import Participant, Study


class Interview(PersonaStrategy):
    """An interviewer asks for each trait and the interviewee states it.

    With `question: label` every question reads "What is your <trait>?", as published; with
    `question: codebook` it is the question that the study's participants were asked.
    """

    question: Literal["label", "codebook"] = "label"

    def write(self, participant: Participant, study: Study) -> str:
        turns = []
        for trait, value in study.known_traits(participant):
            asked = (
                trait.question if self.question == "codebook" else f"What is your {trait.label}?"
            )
            turns.append(f"Interviewer: {asked}\nInterviewee: {value}")
        return "\n\n".join(turns)
