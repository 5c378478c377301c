"""An instruction to answer as a person with these traits (Santurkar et al. 2023, PORTRAY)."""

import random
from typing import Literal

from geppetto.personas import PersonaStrategy
from geppetto.studies import Participant, Study


class Portrait(PersonaStrategy):
    """A list of traits and values after an instruction to answer as that person.

    With `order: random` each participant's traits stand in an order of their own, drawn from
    `seed` and the participant's id, so that no trait gains from always being read last.
    """

    order: Literal["codebook", "random"] = "codebook"
    seed: int = 0

    def write(self, participant: Participant, study: Study) -> str:
        lines = [f"{t.label.capitalize()}: {value}" for t, value in study.known_traits(participant)]
        if self.order == "random":
            random.Random(f"{self.seed}/{participant.id}").shuffle(lines)
        if not lines:
            return ""
        return "\n".join(["Answer as if you were this person:", *lines])
