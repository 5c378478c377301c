"""The participant addressed in the second person (Lutz et al. 2025, direct format)."""

from typing import ClassVar

from geppetto.personas import Format, Wording


class Direct(Format):
    """One sentence: "You are a person whose ..."."""

    paraphrases: ClassVar = (
        Wording("whose {label} is {value}", "You are a person ", "."),
        Wording("who gives their {label} as {value}", "Act as somebody ", "."),
        Wording("with {value} as their {label}", "Respond as a person ", "."),
    )
    between: ClassVar = ", "
    before_last: ClassVar = " and "
