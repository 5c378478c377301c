"""Somebody to think of (Lutz et al. 2025, third-person format; Hwang et al. 2023)."""

from typing import ClassVar

from geppetto.personas import Format, Wording


class ThirdPerson(Format):
    """The model is asked to think of a person and to say how they would respond."""

    paraphrases: ClassVar = (
        Wording(
            "whose {label} is {value}",
            "Think of a person ",
            ". How would this person respond?",
        ),
        Wording(
            "who reports that their {label} is {value}",
            "Imagine somebody ",
            ". Give the response that they would give.",
        ),
        Wording(
            "with {value} as their {label}",
            "Suppose that there is a person ",
            ". What would they answer?",
        ),
    )
    between: ClassVar = ", "
    before_last: ClassVar = " and "
