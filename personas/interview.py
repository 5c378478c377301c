"""Bare interview turns, one per fact: the persona format of Psych-201 (Binz et al. 2026)."""

from typing import ClassVar, Literal

from geppetto.personas import Fact, Format, Wording

AS_ASKED = ("{}", "Please answer this: {}", "My next question: {}")
"""How each paraphrase puts a question of the codebook."""


class Interview(Format):
    """An interviewer asks for each fact and the interviewee states it.

    With `question: label` every question reads "What is your <trait>?", as published; with
    `question: codebook` it is the question that the study's participants were asked.
    """

    paraphrases: ClassVar = (
        Wording("Interviewer: What is your {label}?\nInterviewee: {Value}"),
        Wording("Interviewer: Please tell me your {label}.\nInterviewee: {Value}"),
        Wording("Interviewer: And your {label}?\nInterviewee: {Value}"),
    )
    between: ClassVar = "\n\n"

    question: Literal["label", "codebook"] = "label"

    def say(self, fact: Fact) -> str:
        if self.question == "codebook":
            asked = AS_ASKED[self.paraphrase].format(fact.question)
            return f"Interviewer: {asked}\nInterviewee: {fact.value}"
        return super().say(fact)
