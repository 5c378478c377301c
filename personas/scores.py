"""What the participant scores on what the items measure (Serapio-García et al. 2023)."""

from typing import ClassVar

from pydantic import Field

from geppetto.personas import Format, Scores, Wording


class ConstructScores(Scores, Format):
    """Scores from the items that are not being predicted, as numbers or in words.

    `shown_as` says whether a score is a raw number, a percentile, a verbal band or an adjective
    with an intensity; see `Scores`.
    """

    paraphrases: ClassVar = (
        Wording("{Label}: {Value}", "Results of your personality test:\n"),
        Wording("Your {label} is {value}.", "This is how a questionnaire describes you.\n"),
        Wording("- {label}: {Value}", "Answer as somebody with this profile:\n"),
    )

    traits: tuple[str, ...] | None = Field((), strict=False)  # it shows none unless told to
    scores: None = None  # they are its own fields

    @property
    def contents(self) -> tuple[Scores]:
        return (self,)
