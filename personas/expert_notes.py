"""Notes of four experts on a person, of whom each question asks one (Park et al. 2024)."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from geppetto.personas.content import Answers, trait_facts
from geppetto.personas.generated import GeneratedStrategy, Inputs
from geppetto.studies import Participant, Study

if TYPE_CHECKING:
    import dspy

EXPERTS = {
    "psychologist": "a psychologist, who sees character, motives and emotions",
    "economist": "a behavioural economist, who sees how people decide, save, risk and share",
    "political scientist": "a political scientist, who sees ideology, allegiances and trust",
    "demographer": "a demographer, who sees where and how people live, and what their group does",
}
Expert = Literal["psychologist", "economist", "political scientist", "demographer"]


class ExpertNotes(GeneratedStrategy):
    """The traits, then what one expert notes of the person after reading their other answers.

    Four experts write their notes once for each half of the items, without being told the
    question. Who is asked is chosen for each question once, by reading the question alone.
    """

    reads_responses: ClassVar[bool] = True
    one_item_a_persona: ClassVar[bool] = True
    paraphrases: ClassVar = (
        "You are {expert}. Read what is known of a person and how they answered a survey. Note "
        "five to ten observations on them, one a line, in the second person (you ...). Infer what "
        "your field lets you see; quote no question and no answer.",
        "As {expert}, list five to ten things that you would note of the person with these facts "
        "and answers, a line each, addressed to them as you. Leave out the questions and answers "
        "themselves.",
    )

    def inputs(self, participant: Participant, study: Study) -> dict[str, dict[str, Inputs]]:
        answers = list(Answers(choose="all", answer="label").known(participant, study))
        if not answers or not study.asked:
            return {}
        record: dict[str, Inputs] = {
            "facts": [f"{f.label}: {f.value}" for f in trait_facts(participant, study, None)],
            "answers": [f"{fact.question} {fact.value}" for fact in answers],
        }
        (item,) = study.asked
        return {"route": {"question": study.items[item].text}, **dict.fromkeys(EXPERTS, record)}

    def composed(
        self, texts: Mapping[str, tuple[str, ...]], participant: Participant, study: Study
    ) -> str:
        facts = [f"Your {f.label} is {f.inline}." for f in trait_facts(participant, study, None)]
        (expert,) = texts["route"]
        (notes,) = texts[expert]
        noted = f"What a {expert} noted of you:\n{notes}"
        return f"{' '.join(facts)}\n\n{noted}" if facts else noted

    def modules(self) -> "dict[str, dspy.Module]":
        import dspy

        class Note(dspy.Signature):
            facts: list[str] = dspy.InputField()
            answers: list[str] = dspy.InputField(desc="each question with the person's answer")
            notes: str = dspy.OutputField()

        class Route(dspy.Signature):
            """Choose the expert whose notes on a person would help most to say how that person
            answers a question."""

            question: str = dspy.InputField()
            expert: Expert = dspy.OutputField()

        class Notes(dspy.Module):
            def __init__(self, instruction: str) -> None:
                super().__init__()
                self.note = dspy.Predict(Note.with_instructions(instruction))

            def forward(self, facts: list[str], answers: list[str]) -> dspy.Prediction:
                return dspy.Prediction(texts=[self.note(facts=facts, answers=answers).notes])

        class Router(dspy.Module):
            def __init__(self) -> None:
                super().__init__()
                self.route = dspy.Predict(Route)

            def forward(self, question: str) -> dspy.Prediction:
                return dspy.Prediction(texts=[self.route(question=question).expert])

        notes = {
            name: Notes(self.wording.format(expert=expert)) for name, expert in EXPERTS.items()
        }
        return {"route": Router(), **notes}
