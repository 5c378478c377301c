"""The text a model reads: constant instruction and scale first, persona next, item last."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_uppercase
from typing import Literal

from geppetto._util.errors import GeppettoError
from geppetto._util.validation import Declared
from geppetto.personas.base import Persona
from geppetto.prompts.chat import ChatTemplate, Turn
from geppetto.studies import Item, Scale, Study


class Layout(Declared):
    """How a survey item is put before a model.

    Attributes
    ----------
    answer
        What the model answers with: the option's "number", its "label" in words, or a "letter"
        that it has in the list of options, A for the first.
    order
        Whether options are listed in the order of the "codebook", or "reversed".

    Examples
    --------
    >>> from geppetto.studies import Scale
    >>> Layout(answer="letter").listed(Scale(options={1: "Never", 2: "Often"}))
    {'1': 'A', '2': 'B'}
    """

    answer: Literal["number", "label", "letter"] = "number"
    order: Literal["codebook", "reversed"] = "codebook"

    def listed(self, scale: Scale) -> dict[str, str]:
        """What the model may answer with, by code of the option, in the order of the list."""
        codes = list(scale.options) if self.order == "codebook" else [*reversed(scale.options)]
        match self.answer:
            case "number":
                return {code: code for code in codes}
            case "label":
                return {code: scale.options[code] for code in codes}
            case "letter":
                return dict(zip(codes, ascii_uppercase, strict=False))


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
    """The study's instruction and the item's scale: the constant part of a prompt.

    A GeppettoError is raised if an item has more options than there are letters for them.
    """
    scale = study.scale(item)
    listed = layout.listed(scale)
    if layout.answer == "label":
        return "\n".join([f"{study.codebook.instruction} Answer with one of:", *listed.values()])
    if len(listed) < len(scale.options):
        raise GeppettoError(
            f"item {item.name} has {len(scale.options)} options, more than there are letters; use "
            "`layout: {answer: number}`"
        )
    lines = [f"{study.codebook.instruction} Answer with a {layout.answer}:"]
    lines += [f"{answer} = {scale.options[code]}" for code, answer in listed.items()]
    return "\n".join(lines)


def turns(study: Study, item: Item, persona: Persona | None, layout: Layout) -> list[Turn]:
    """The prompt as a chat's system turn and user turn, before any template."""
    return _turns(*_contents(instruction(study, item, layout), _statement(item), persona))


def answer_cue(layout: Layout) -> str:
    """How the answer is begun for the model.

    A numbered answer follows a space that belongs to the prompt, since tokenizers split digits
    from the space before them; words and letters bring their own, since they are joined with it.
    """
    return "Answer: " if layout.answer == "number" else "Answer:"


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
        answers = layout.listed(scale)
        space = "" if layout.answer == "number" else " "
        return cls(
            instruction(study, item, layout),
            _statement(item),
            answer_cue(layout),
            tuple((code, f"{space}{answers[code]}") for code in scale.options),
        )

    def prompt(self, persona: Persona | None, template: ChatTemplate | None) -> Prompt:
        """The prompt with a persona; see `render`."""
        system, user = _contents(self.instruction, self.statement, persona)
        if template is None:
            text = f"{system}\n\n{user}\n{self.cue}"
        else:
            text = template.render(_turns(system, user)) + self.cue
        head = text[: text.index(self.instruction) + len(self.instruction)]
        stem = text[: text.rindex(self.statement)]
        return Prompt(text, head, stem, self.options)


def _statement(item: Item) -> str:
    return f"Statement: {item.text}"


def _contents(system: str, user: str, persona: Persona | None) -> tuple[str, str]:
    """What the system turn and the user turn say."""
    if persona is None:
        return system, user
    if persona.placement == "system":
        return f"{system}\n\n{persona.text}", user
    return system, f"{persona.text}\n\n{user}"


def _turns(system: str, user: str) -> list[Turn]:
    return [Turn(role="system", content=system), Turn(role="user", content=user)]
