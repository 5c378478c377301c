"""A paragraph that is headed as the model's own profile (Hu & Collier 2024)."""

from typing import ClassVar

from geppetto.personas import Format, Wording


class Profile(Format):
    """Sentences in the second person under a heading."""

    paraphrases: ClassVar = (
        Wording("Your {label} is {value}.", "**Your Profile**\n"),
        Wording("You have told us that your {label} is {value}.", "**About You**\n"),
        Wording("Your {label}: {value}.", "**Who You Are**\n"),
    )
    between: ClassVar = " "
