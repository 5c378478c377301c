"""A title and a surname that is typical of a group (Lutz et al. 2025, name priming)."""

import random
from typing import ClassVar, Literal

from pydantic import Field

from geppetto._util.errors import GeppettoError
from geppetto.personas import PersonaStrategy
from geppetto.studies import Participant, Study

TITLES = {"male": "Mr.", "man": "Mr.", "female": "Ms.", "woman": "Ms."}
COMMON = ("Miller", "Davis", "Wilson", "Anderson", "Moore", "Martin", "Thompson", "Clark")
TYPICAL = {
    "white": ("Olson", "Snyder", "Wagner", "Meyer", "Schmidt", "Ryan", "Hansen", "Hoffman"),
    "black": ("Washington", "Jefferson", "Booker", "Banks", "Joseph", "Mosley", "Jackson"),
    "hispanic": ("Garcia", "Rodriguez", "Hernandez", "Lopez", "Gonzalez", "Ramirez", "Torres"),
    "asian": ("Nguyen", "Kim", "Patel", "Tran", "Chen", "Li", "Yang", "Wong"),
}
"""Surnames of which most bearers in the United States belong to the group (2010 census)."""


class NameCue(PersonaStrategy):
    """A name from which a gender and a group may be guessed, and nothing else.

    With `surnames: typical` the surname is one of the participant's race; who says neither one of
    the four races listed here nor male or female gets no persona. With `surnames: common` it is
    one that is frequent in several groups. It is drawn from `seed` and the participant's id, so
    there is no information on the individual beyond the group.
    """

    paraphrases: ClassVar = ("Your name is {}.", "You are {}.", "Answer as {} would.")

    surnames: Literal["typical", "common"] = "common"
    seed: int = Field(0, ge=0)

    def write(self, participant: Participant, study: Study) -> str:
        gender = _value(participant, study, ("gender", "sex"))
        title = TITLES.get(gender)
        names = COMMON
        if self.surnames == "typical":
            names = TYPICAL.get(_value(participant, study, ("race", "ethnicity")))
        if title is None or names is None:
            return ""
        surname = random.Random(f"{self.seed}/{participant.id}").choice(names)
        return self.wording.format(f"{title} {surname}")


def _value(participant: Participant, study: Study, names: tuple[str, ...]) -> str | None:
    """What the participant said of the first trait that is called like that."""
    for trait in study.codebook.traits:
        if trait.name.lower() in names or trait.label.lower() in names:
            return str(participant.traits.get(trait.name)).lower()
    raise GeppettoError(
        f"name_cue needs a trait called {' or '.join(names)}, which study {study.name} does not "
        "have; use `surnames: common`, or leave the strategy out"
    )
