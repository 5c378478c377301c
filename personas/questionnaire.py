"""A questionnaire that is already filled in (Santurkar et al. 2023, QA)."""

from string import ascii_uppercase
from typing import ClassVar

from geppetto.personas import Fact, Format, Wording


class Questionnaire(Format):
    """Each fact as a question with lettered options, of which one has been chosen.

    What has no list of options, such as an age, is asked for and answered in words.
    """

    paraphrases: ClassVar = (
        Wording("Question: {question}\n{options}Answer: {chosen}"),
        Wording("Q. {question}\n{options}Your answer: {chosen}"),
        Wording("Please choose. {question}\n{options}Chosen: {chosen}"),
    )
    between: ClassVar = "\n\n"

    def say(self, fact: Fact) -> str:
        letters = dict(zip(fact.choices, ascii_uppercase, strict=False))
        options = "".join(f"({letter}) {choice}\n" for choice, letter in letters.items())
        chosen = f"({letters[fact.value]}) {fact.value}" if fact.choices else fact.value
        return self.wording.fact.format(question=fact.question, options=options, chosen=chosen)
