"""Sentences about the participant (Argyle et al. 2023; Santurkar et al. 2023, BIO)."""

from typing import ClassVar, Literal

from geppetto.personas import Format, Wording

VOICES = {
    "first": {
        "whose": "my",
        "Whose": "My",
        "whom": "myself",
        "who": "I am",
        "says": "I say",
    },
    "second": {
        "whose": "your",
        "Whose": "Your",
        "whom": "you",
        "who": "you are",
        "says": "you say",
    },
    "third": {
        "whose": "their",
        "Whose": "Their",
        "whom": "the person who answers",
        "who": "this person is",
        "says": "they say",
    },
}


class Biography(Format):
    """One line of introduction, then a sentence for each fact, in the chosen grammatical person."""

    paraphrases: ClassVar = (
        Wording("{Whose} {label} is {value}.", "Below is a short description of {whom}. "),
        Wording("As for {whose} {label}, {says}: {value}.", "Here are some facts about {whom}. "),
        Wording("{Whose} {label}: {value}.", "This is who {who}. "),
    )
    between: ClassVar = " "

    voice: Literal["first", "second", "third"] = "first"

    @property
    def words(self) -> dict[str, str]:
        return VOICES[self.voice]
