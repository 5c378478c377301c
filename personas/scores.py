"""What the participant scores on what the items measure (Serapio-García et al. 2023)."""

from typing import ClassVar

from pydantic import Field

from geppetto.personas import Content, Format, Scores, Wording


class ConstructScores(Scores, Format):
    """Scores from the items that are not being predicted, as numbers or in words.

    `shown_as` says whether a score is a raw number, a percentile, a verbal band or an adjective
    with an intensity; see `Scores`.
    """

    paraphrases: ClassVar = (
        Wording("{Label}: {Value}", "A questionnaire says this about you:\n"),
        Wording("Your {label} is {value}.", "This is known from what you filled in:\n"),
        Wording("- {label}: {Value}", "Answer as somebody of whom this is known:\n"),
    )

    traits: tuple[str, ...] | None = Field((), strict=False)  # it shows none unless told to
    scores: None = None  # they are its own fields

    @property
    def contents(self) -> tuple[Content, ...]:
        return (self, self.answers) if self.answers else (self,)
