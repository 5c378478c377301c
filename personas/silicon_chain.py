"""A fixed chain of first-person sentences (Argyle et al. 2023, silicon sampling)."""

from typing import ClassVar

from geppetto.personas import Fact, Format, Wording
from geppetto.studies import Participant, Study

CHAIN = (
    (
        ("polviews", "ideology", "political orientation"),
        "Ideologically, I would call myself {value}.",
    ),
    (("partyid", "pid", "party identification"), "When it comes to parties, I am: {value}."),
    (("race", "ethnicity"), "Racially, I am {value}."),
    (("sex", "gender"), "I am {value}."),
    (("class", "income", "household income"), "Financially, I am in the group {value}."),
    (("age",), "In terms of my age, I am {value} years old."),
)
"""Names or labels of traits, in the order of the chain, and how each is put."""


class SiliconChain(Format):
    """Ideology, party, race, gender, class and age, in that order, each in words of its own.

    All other facts follow as "In terms of my ..., I am: ...".
    """

    paraphrases: ClassVar = (
        Wording("In terms of my {label}, I am: {value}."),
        Wording("In terms of my {label}, I am: {value}.", "Let me introduce myself. "),
        Wording("In terms of my {label}, I am: {value}.", "I answer for myself. "),
    )
    between: ClassVar = " "

    def facts(self, participant: Participant, study: Study) -> list[Fact]:
        return sorted(super().facts(participant, study), key=_place)

    def say(self, fact: Fact) -> str:
        place = _place(fact)
        return (
            super().say(fact) if place == len(CHAIN) else CHAIN[place][1].format(value=fact.inline)
        )


def _place(fact: Fact) -> int:
    """Number of the fact's link of the chain; their number for one that has none."""
    called = {fact.name.lower(), fact.label.lower()}
    return next((n for n, (names, _) in enumerate(CHAIN) if called & set(names)), len(CHAIN))
