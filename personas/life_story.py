"""A life story that a language model makes up around known traits (Moon et al. 2024, Anthology)."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from geppetto.personas.chosen import chosen
from geppetto.personas.content import trait_facts
from geppetto.personas.generated import GeneratedStrategy, Inputs
from geppetto.studies import Participant, Study

if TYPE_CHECKING:
    import dspy


class LifeStory(GeneratedStrategy):
    """A first-person story that agrees with every trait that is known.

    Each trait is asked for again, by somebody who reads nothing but the story. Where they answer
    otherwise, or cannot tell, the story is revised, `revisions` times at most. A story that still
    disagrees is not used, and its participant takes no part in any arm.
    """

    paraphrases: ClassVar = (
        "Write the life story of a person of whom these facts are true, in the first person and "
        "in about 200 words: where they grew up, what happened to them, what matters to them. "
        "State every fact, and nothing that contradicts one. Mention no survey.",
        "Tell, as if you were this person, who you are and how you came to be so, in about 200 "
        "words. Each of the facts must be stated and none may be contradicted. Do not speak of "
        "questionnaires.",
    )

    revisions: int = Field(1, ge=0, le=3)

    def inputs(self, participant: Participant, study: Study) -> dict[str, dict[str, Inputs]]:
        facts = list(trait_facts(participant, study, None))
        if not facts:
            return {}
        names = [fact.label for fact in facts]
        values = [fact.value for fact in facts]
        choices = [list(fact.choices) for fact in facts]
        return {"story": {"names": names, "values": values, "choices": choices}}

    def modules(self) -> "dict[str, dspy.Module]":
        import dspy

        class Tell(dspy.Signature):
            facts: list[str] = dspy.InputField()
            story: str = dspy.OutputField()

        class Infer(dspy.Signature):
            """Read a story and say what it tells of one thing. Choose one of the choices, word for
            word, or give a number if there are none. If the story does not tell, answer: not said.
            """

            story: str = dspy.InputField()
            asked: str = dspy.InputField(desc="what to tell of the person")
            choices: list[str] = dspy.InputField(desc="what it can be; empty for a number")
            answer: str = dspy.OutputField()

        class Revise(dspy.Signature):
            """Rewrite a story so that it states these facts, which it contradicts or leaves out.
            Keep everything else as it is."""

            story: str = dspy.InputField()
            facts: list[str] = dspy.InputField()
            revised: str = dspy.OutputField()

        revisions, instruction = self.revisions, self.wording

        class Story(dspy.Module):
            def __init__(self) -> None:
                super().__init__()
                self.tell = dspy.Predict(Tell.with_instructions(instruction))
                self.infer = dspy.Predict(Infer)
                self.revise = dspy.Predict(Revise)

            def forward(
                self, names: list[str], values: list[str], choices: list[list[str]]
            ) -> dspy.Prediction:
                facts = [f"{name}: {value}" for name, value in zip(names, values, strict=True)]
                story = self.tell(facts=facts).story
                for revision in range(revisions + 1):
                    wrong = [
                        number
                        for number, name in enumerate(names)
                        if not agrees(
                            self.infer(story=story, asked=name, choices=choices[number]).answer,
                            values[number],
                            choices[number],
                        )
                    ]
                    if not wrong or revision == revisions:
                        break
                    story = self.revise(story=story, facts=[facts[n] for n in wrong]).revised
                unlike = ", ".join(names[number] for number in wrong)
                failed = f"whose story does not agree with their {unlike}" if wrong else ""
                return dspy.Prediction(texts=[story], failed=failed)

        return {"story": Story()}


def agrees(answer: str, value: str, choices: Sequence[str]) -> bool:
    """Whether an answer names a value and no other: a choice, or a number that rounds to it."""
    if choices:
        return chosen(answer, choices) == value
    try:
        number = round(float(value))
    except ValueError:
        return chosen(answer, [value]) == value
    return {round(float(each)) for each in re.findall(r"-?\d+(?:\.\d+)?", answer)} == {number}
