"""Facts as named categories within a sentence (Lutz et al. 2025, structured priming)."""

from typing import ClassVar

from geppetto.personas import Format, Wording


class Categories(Format):
    """One sentence in which each fact is a category with its value in quotation marks."""

    paraphrases: ClassVar = (
        Wording("{label} '{Value}'", "You are a person with ", "."),
        Wording("'{Value}' for {label}", "Act as a person who is put down as ", "."),
        Wording("{label} = '{Value}'", "These categories describe you: ", "."),
    )
    between: ClassVar = ", "
    before_last: ClassVar = " and "
