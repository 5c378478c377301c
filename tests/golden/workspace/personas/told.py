"""Sentences about the participant."""

from typing import Literal

from geppetto.personas import PersonaStrategy
from geppetto.studies import Participant, Study


class Told(PersonaStrategy):
    """What is known of the participant, in the chosen grammatical person."""

    who: Literal["you", "I"] = "you"

    def write(self, participant: Participant, study: Study) -> str:
        verb = "You are" if self.who == "you" else "I am"
        facts = [f"{trait.label}: {value}" for trait, value in study.known_traits(participant)]
        return f"{verb} a person. " + " ".join(facts)
