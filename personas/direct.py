"""The participant addressed in the second person (Lutz et al. 2025, direct format)."""

from typing import ClassVar

from geppetto.personas import Format, Wording


class Direct(Format):
    """One sentence: "You are a person whose ..."."""

    paraphrases: ClassVar = (
        Wording("whose {label} is {value}", "You are a person ", "."),
        Wording("whose {label} is {value}", "Act as a person ", "."),
        Wording("whose {label} is {value}", "Be somebody ", "."),
    )
    between: ClassVar = ", "
    before_last: ClassVar = " and "
