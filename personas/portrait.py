"""An instruction to answer as a person with these traits (Santurkar et al. 2023, PORTRAY)."""

import random
from typing import ClassVar, Literal

from geppetto.personas import Fact, Format, Wording
from geppetto.studies import Participant, Study


class Portrait(Format):
    """A list of facts after an instruction to answer as that person.

    With `order: random` each participant's facts stand in an order of their own, drawn from
    `seed` and the participant's id, so that no trait gains from always being read last.
    """

    paraphrases: ClassVar = (
        Wording("{Label}: {Value}", "Answer as if you were this person:\n"),
        Wording(
            "- {label}: {Value}", "Put yourself in the place of a person of whom this is known:\n"
        ),
        Wording("{Label} = {Value}", "Reply the way the person described here would.\n"),
    )

    order: Literal["codebook", "random"] = "codebook"
    seed: int = 0

    def facts(self, participant: Participant, study: Study) -> list[Fact]:
        facts = super().facts(participant, study)
        if self.order == "random":
            random.Random(f"{self.seed}/{participant.id}").shuffle(facts)
        return facts
