"""Everything a participant has said before, and the wish to be consistent (Toubia et al. 2025)."""

from typing import ClassVar

from geppetto.personas import Answers, Format, Wording
from geppetto.personas.base import Placement


class FullRecord(Format):
    """All traits and all answers to items that are not being predicted, as one record."""

    paraphrases: ClassVar = (
        Wording(
            "Question: {question}\nAnswer: {Value}",
            "You are the person whose past answers to a survey are listed here. Answer the new "
            "question as that person would, consistent with the record.\n\n",
        ),
        Wording(
            "{question} You answered: {Value}",
            "Below is all that you have told us so far. Stay true to it in what you say next.\n\n",
        ),
        Wording(
            "- {question} [{Value}]",
            "Imagine that the replies in brackets are yours. Your next reply fits them.\n\n",
        ),
    )

    placement: Placement = "system"
    answers: Answers = Answers(choose="all", answer="label")
