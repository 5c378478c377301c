"""Facts as named categories within a sentence (Lutz et al. 2025, structured priming)."""

from typing import ClassVar

from geppetto.personas import Format, Wording


class Categories(Format):
    """One sentence in which each fact is a category with its value in quotation marks."""

    paraphrases: ClassVar = (
        Wording("{label} '{Value}'", "You are a person of ", "."),
        Wording("{label} '{Value}'", "Act as a person of ", "."),
        Wording("{label}: '{Value}'", "You belong to these categories: ", "."),
    )
    between: ClassVar = ", "
    before_last: ClassVar = " and "
