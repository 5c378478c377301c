"""A questionnaire that is already filled in (Santurkar et al. 2023, QA)."""

from string import ascii_uppercase
from typing import ClassVar

from geppetto.personas import Fact, Format, Wording


class Questionnaire(Format):
    """Each fact as a question with lettered options, of which one has been chosen.

    What has no list of options, such as an age, or a longer one than there are letters, is asked
    for and answered in words.
    """

    paraphrases: ClassVar = (
        Wording("Question: {question}\n{options}Answer: {chosen}"),
        Wording("Q. {question}\n{options}Your answer: {chosen}"),
        Wording("{question}\n{options}You put: {chosen}"),
    )
    between: ClassVar = "\n\n"

    def say(self, fact: Fact) -> str:
        lettered = len(fact.choices) <= len(ascii_uppercase)
        choices = fact.choices if lettered else ()
        letters = dict(zip(choices, ascii_uppercase, strict=False))
        options = "".join(f"({letter}) {choice}\n" for choice, letter in letters.items())
        chosen = f"({letters[fact.value]}) {fact.value}" if letters else fact.value
        return self.wording.fact.format(question=fact.question, options=options, chosen=chosen)
