"""A fixed chain of first-person sentences (Argyle et al. 2023, silicon sampling)."""

from typing import ClassVar

from geppetto.personas import Fact, Format, Wording
from geppetto.studies import Participant, Study

CHAIN = {
    ("polviews", "ideology", "political orientation"): (
        "My political views are {}.",
        "In politics I see myself as {}.",
        "Politically, this is where I stand: {}.",
    ),
    ("partyid", "pid", "party identification"): (
        "Asked about parties, I say: {}.",
        "As far as parties go, I am: {}.",
        "This is how I feel about parties: {}.",
    ),
    ("race", "ethnicity"): (
        "My race is {}.",
        "By race, I count myself as {}.",
        "For race, I tick: {}.",
    ),
    ("sex", "gender"): ("I am {}.", "I describe myself as {}.", "For gender, I tick: {}."),
    ("class", "income", "household income"): (
        "Financially, I put myself at: {}.",
        "As far as money goes, my group is: {}.",
        "For my finances, I tick: {}.",
    ),
    ("age",): ("I am {} years old.", "My age in years is {}.", "For age, I write: {}."),
}
"""By names or labels of a trait, how each paraphrase puts it; in the order of the chain."""


class SiliconChain(Format):
    """Ideology, party, race, gender, class and age, in that order, each in words of its own.

    All other facts follow, as "My ... is ...".
    """

    paraphrases: ClassVar = (
        Wording("My {label} is {value}."),
        Wording("If you ask about my {label}, I say: {value}."),
        Wording("For my {label}, I would write: {value}."),
    )
    between: ClassVar = " "

    def facts(self, participant: Participant, study: Study) -> list[Fact]:
        return sorted(super().facts(participant, study), key=_place)

    def say(self, fact: Fact) -> str:
        links = [*CHAIN.values()][_place(fact) :]
        return links[0][self.paraphrase].format(fact.inline) if links else super().say(fact)


def _place(fact: Fact) -> int:
    """Number of the fact's link of the chain; their number for one that has none."""
    called = {fact.name.lower(), fact.label.lower()}
    return next((n for n, names in enumerate(CHAIN) if called & set(names)), len(CHAIN))
