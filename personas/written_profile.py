"""A profile that a language model writes from a person's answers (Liu et al. 2025)."""

from typing import TYPE_CHECKING, ClassVar

from geppetto.personas.content import Answers, trait_facts
from geppetto.personas.generated import GeneratedStrategy, Inputs
from geppetto.studies import Participant, Study

if TYPE_CHECKING:
    import dspy


class WrittenProfile(GeneratedStrategy):
    """What a reader of all traits, and all answers to other items, says of the person.

    The model that predicts sees the summary and none of the answers, so the difference to
    `full_record` is what summarising costs or saves.
    """

    reads_responses: ClassVar[bool] = True
    paraphrases: ClassVar = (
        "Read what is known of a person and how they answered a survey. Describe the person in "
        "the second person (you ...), in about 150 words: character, values, attitudes, habits, "
        "and how strongly they hold or show each. Describe what lies behind the answers; quote "
        "no question and no answer.",
        "From the facts and survey answers of one person, write a portrait of some 150 words that "
        "speaks to them as you. Say what they are like, what they care about and how firmly, and "
        "do not repeat any question or answer.",
    )

    def inputs(self, participant: Participant, study: Study) -> dict[str, dict[str, Inputs]]:
        answers = Answers(choose="all", answer="label").known(participant, study)
        told: dict[str, Inputs] = {
            "facts": [f"{f.label}: {f.value}" for f in trait_facts(participant, study, None)],
            "answers": [f"{fact.question} {fact.value}" for fact in answers],
        }
        return {"profile": told} if told["answers"] else {}

    def modules(self) -> "dict[str, dspy.Module]":
        import dspy

        class Describe(dspy.Signature):
            facts: list[str] = dspy.InputField()
            answers: list[str] = dspy.InputField(desc="each question with the person's answer")
            profile: str = dspy.OutputField()

        instruction = self.wording

        class Profile(dspy.Module):
            def __init__(self) -> None:
                super().__init__()
                self.describe = dspy.Predict(Describe.with_instructions(instruction))

            def forward(self, facts: list[str], answers: list[str]) -> dspy.Prediction:
                return dspy.Prediction(texts=[self.describe(facts=facts, answers=answers).profile])

        return {"profile": Profile()}
