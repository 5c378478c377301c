"""Other answers of the same person (Hwang et al. 2023): the positive control."""

from typing import ClassVar

from pydantic import Field

from geppetto.personas import Answers, Content, Format, Wording


class KnownAnswers(Answers, Format):
    """Up to `k` items that are not being predicted, each with the participant's own answer.

    They are drawn from `seed`, or are those most `related` to the item, or `all`; see `Answers`.
    A person's answers to similar items are the best that is known of them, so an instrument that
    finds no information here could not find any elsewhere. Use the same `answer` as the
    experiment's layout does.
    """

    paraphrases: ClassVar = (
        Wording("Statement: {question}\nAnswer: {Value}"),
        Wording("You were asked: {question}\nYou answered: {Value}"),
        Wording("Earlier question: {question}\nYour answer to it: {Value}"),
    )
    between: ClassVar = "\n\n"

    traits: tuple[str, ...] | None = Field((), strict=False)  # it shows none unless told to
    answers: None = None  # they are its own fields

    @property
    def contents(self) -> tuple[Content, ...]:
        return (self.scores, self) if self.scores else (self,)
