"""Known answers, each with the reason that a language model finds (Joshi et al. 2025, PB&J)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from geppetto.personas.content import Answers, Fact, trait_facts
from geppetto.personas.generated import GeneratedStrategy, Inputs
from geppetto.studies import Participant, Study

if TYPE_CHECKING:
    import dspy

SCAFFOLDS = {
    "none": "what the person may have lived through, need and believe",
    "big_five": "the Big Five: openness, conscientiousness, extraversion, agreeableness and "
    "neuroticism",
    "values": "Schwartz's basic values: self-direction, stimulation, hedonism, achievement, power, "
    "security, conformity, tradition, benevolence and universalism",
    "primals": "primal world beliefs: whether the world is safe or dangerous, enticing or dull, "
    "alive or mechanical",
}
"""In which terms a reason is given."""


class Reasons(GeneratedStrategy):
    """The traits, then up to `k` answers to other items, each with why this person gave it.

    The answers are drawn from a fixed seed, as those of `known_answers`; so the difference to that
    strategy is what the reasons add.
    """

    reads_responses: ClassVar[bool] = True
    paraphrases: ClassVar = (
        "A person answered a survey question. Say in one or two sentences, in the second person "
        "(you ...), why they may have given this answer, in the terms that are given. Be specific "
        "to this person.",
        "Explain this answer to the person who gave it, in at most two sentences and as you: what "
        "in them, in the terms that are given, led to it?",
    )

    k: int = Field(8, ge=1, le=50)
    scaffold: Literal["none", "big_five", "values", "primals"] = "big_five"

    def inputs(self, participant: Participant, study: Study) -> dict[str, dict[str, Inputs]]:
        known = self._known(participant, study)
        if not known:
            return {}
        facts = [f"{f.label}: {f.value}" for f in trait_facts(participant, study, None)]
        answers = [[fact.question, fact.value] for fact in known]
        return {"reasons": {"facts": facts, "answers": answers}}

    def composed(
        self, texts: Mapping[str, tuple[str, ...]], participant: Participant, study: Study
    ) -> str:
        facts = [f"Your {f.label} is {f.inline}." for f in trait_facts(participant, study, None)]
        answers = [
            f"You were asked: {fact.question}\nYou answered: {fact.value}\nYour reason: {reason}"
            for fact, reason in zip(self._known(participant, study), texts["reasons"], strict=True)
        ]
        return "\n\n".join([*([" ".join(facts)] if facts else []), *answers])

    def modules(self) -> "dict[str, dspy.Module]":
        import dspy

        class Explain(dspy.Signature):
            facts: list[str] = dspy.InputField()
            question: str = dspy.InputField()
            answer: str = dspy.InputField()
            terms: str = dspy.InputField()
            reason: str = dspy.OutputField()

        instruction, terms = self.wording, SCAFFOLDS[self.scaffold]

        class Explained(dspy.Module):
            def __init__(self) -> None:
                super().__init__()
                self.explain = dspy.Predict(Explain.with_instructions(instruction))

            def forward(self, facts: list[str], answers: list[list[str]]) -> dspy.Prediction:
                return dspy.Prediction(
                    texts=[
                        self.explain(
                            facts=facts, question=question, answer=answer, terms=terms
                        ).reason
                        for question, answer in answers
                    ]
                )

        return {"reasons": Explained()}

    def _known(self, participant: Participant, study: Study) -> list[Fact]:
        return list(Answers(k=self.k, answer="label").known(participant, study))
