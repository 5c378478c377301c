"""The text a model reads: constant instruction and scale first, persona next, item last."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations
from string import ascii_uppercase
from typing import Literal

from geppetto._util.errors import GeppettoError
from geppetto._util.validation import Declared
from geppetto.personas.base import Persona
from geppetto.prompts.chat import ChatTemplate, Turn
from geppetto.studies import Item, Scale, Study

Answer = Literal["number", "label", "letter"]
"""What a model answers with; see `Layout`."""

ANSWERS: tuple[Answer, ...] = ("number", "label", "letter")
"""All of them, the one first that is chosen first."""

_NUMBER = re.compile(r"[+-]?[0-9]+([.][0-9]+)?")


class Layout(Declared):
    """How a survey item is put before a model.

    Attributes
    ----------
    answer
        What the model answers with: the option's "number", its "label" in words, or a "letter"
        that it has in the list of options, A for the first. Unless it is given, it is chosen for
        each scale: the number if its codes are numbers, else the label, or the letter if two
        options have the same words.
    order
        Whether options are listed in the order of the "codebook", or "reversed".

    Examples
    --------
    >>> from geppetto.studies import Scale
    >>> Layout(answer="letter").listed(Scale(options={1: "Never", 2: "Often"}))
    {'1': 'A', '2': 'B'}
    >>> Layout().answer_to(Scale(options={"n": "Never", "o": "Often"}))
    'label'
    """

    answer: Answer = "number"
    order: Literal["codebook", "reversed"] = "codebook"

    def answer_to(self, scale: Scale) -> Answer:
        """What a model answers with on a scale.

        Raises
        ------
        GeppettoError
            If options cannot be told apart so.
        """
        fits = [answer for answer in ANSWERS if not _unfit(answer, scale)]
        if "answer" not in self.model_fields_set and fits:
            return fits[0]
        if why := _unfit(self.answer, scale):
            raise GeppettoError(
                f"`layout: {{answer: {self.answer}}}` does not fit a scale: {why}; "
                + (
                    f"leave it out, and {fits[0]} is chosen for this scale"
                    if fits
                    else "give each option its own words"
                )
            )
        return self.answer

    def listed(self, scale: Scale) -> dict[str, str]:
        """What the model may answer with, by code of the option, in the order of the list."""
        codes = list(scale.options) if self.order == "codebook" else [*reversed(scale.options)]
        match self.answer_to(scale):
            case "number":
                return {code: code for code in codes}
            case "label":
                return {code: scale.options[code] for code in codes}
            case "letter":
                return dict(zip(codes, ascii_uppercase, strict=False))


def _unfit(answer: Answer, scale: Scale) -> str:
    """Why a scale's options cannot be answered with this; empty if they can."""
    labels = list(scale.options.values())
    match answer:
        case "number":
            words = [code for code in scale.options if not _NUMBER.fullmatch(code)]
            return f"the code {words[0]!r} is no number" if words else ""
        case "label":
            twice = [label for label in labels if labels.count(label) > 1]
            return f"two options are called {twice[0]!r}" if twice else ""
        case "letter":
            many = len(labels) > len(ascii_uppercase)
            return f"{len(labels)} options are more than there are letters" if many else ""


def nested(answers: Sequence[str]) -> tuple[str, str] | None:
    """The first two answers of which one begins the other, the shorter first; None if none does.

    Examples
    --------
    >>> nested(["0", "1", "10"]), nested(["A", "B"])
    (('1', '10'), None)
    """
    pairs = permutations(answers, 2)
    return next((pair for pair in pairs if pair[1].startswith(pair[0])), None)


@dataclass(frozen=True)
class Prompt:
    """A text up to where the answer begins, and the answers that are legal there.

    Attributes
    ----------
    head
        The beginning of `text` that is the same for every participant and item.
    stem
        The beginning of `text` that is the same for every item of a participant.
    options
        The legal answers as they would continue `text`, by code.

    Examples
    --------
    >>> from geppetto.studies import load_study
    >>> bfi = load_study("bfi")
    >>> render(bfi, bfi.items["A1"], None, Layout(), None).options[0]
    ('1', '1')
    """

    text: str
    head: str
    stem: str
    options: tuple[tuple[str, str], ...]


def instruction(study: Study, item: Item, layout: Layout) -> str:
    """The study's instruction and the item's scale: the constant part of a prompt."""
    scale = study.scale(item)
    listed, answer = layout.listed(scale), layout.answer_to(scale)
    if answer == "label":
        return "\n".join([f"{study.codebook.instruction} Answer with one of:", *listed.values()])
    lines = [f"{study.codebook.instruction} Answer with a {answer}:"]
    lines += [f"{said} = {scale.options[code]}" for code, said in listed.items()]
    return "\n".join(lines)


def turns(study: Study, item: Item, persona: Persona | None, layout: Layout) -> list[Turn]:
    """The prompt as a chat's system turn and user turn, before any template."""
    said = study.codebook.asked(item)
    return _turns(*_contents(instruction(study, item, layout), said, persona))


def answer_cue(answer: Answer) -> str:
    """How an answer is begun for the model.

    A numbered answer follows a space that belongs to the prompt, since tokenizers split digits
    from the space before them; words and letters bring their own, since they are joined with it.
    """
    return "Answer: " if answer == "number" else "Answer:"


def render(
    study: Study,
    item: Item,
    persona: Persona | None,
    layout: Layout,
    template: ChatTemplate | None,
) -> Prompt:
    """The prompt for one item, in a chat's template or, without one, as plain text.

    Examples
    --------
    >>> from geppetto.personas import Persona
    >>> from geppetto.studies import load_study
    >>> bfi = load_study("bfi")
    >>> prompt = render(bfi, bfi.items["A1"], Persona("I am 34."), Layout(), None)
    >>> prompt.text.removeprefix(prompt.head)
    '\\n\\nI am 34.\\n\\nStatement: Am indifferent to the feelings of others.\\nAnswer: '
    """
    return Frame.of(study, item, layout).prompt(persona, template)


@dataclass(frozen=True)
class Frame:
    """What is the same in every prompt of an item, whoever is predicted.

    Attributes
    ----------
    instruction
        The study's instruction and the item's scale.
    statement
        The item.
    cue
        How the answer is begun for the model.
    options
        The legal answers as they would continue the prompt, by code.
    """

    instruction: str
    statement: str
    cue: str
    options: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, study: Study, item: Item, layout: Layout) -> Frame:
        scale = study.scale(item)
        answers, answer = layout.listed(scale), layout.answer_to(scale)
        space = "" if answer == "number" else " "
        return cls(
            instruction(study, item, layout),
            study.codebook.asked(item),
            answer_cue(answer),
            tuple((code, f"{space}{answers[code]}") for code in scale.options),
        )

    def prompt(self, persona: Persona | None, template: ChatTemplate | None) -> Prompt:
        """The prompt with a persona; see `render`."""
        text = self.text(persona, template)
        head = text[: text.index(self.instruction) + len(self.instruction)]
        stem = text[: text.rindex(self.statement)]
        return Prompt(text, head, stem, self.options)

    def text(self, persona: Persona | None, template: ChatTemplate | None) -> str:
        """The text of the prompt with a persona."""
        system, user = _contents(self.instruction, self.statement, persona)
        if template is None:
            return f"{system}\n\n{user}\n{self.cue}"
        return template.render(_turns(system, user)) + self.cue


def _contents(system: str, user: str, persona: Persona | None) -> tuple[str, str]:
    """What the system turn and the user turn say."""
    if persona is None:
        return system, user
    if persona.placement == "system":
        return f"{system}\n\n{persona.text}", user
    return system, f"{persona.text}\n\n{user}"


def _turns(system: str, user: str) -> list[Turn]:
    return [Turn(role="system", content=system), Turn(role="user", content=user)]
