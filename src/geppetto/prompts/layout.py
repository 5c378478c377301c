"""The text a model reads: constant instruction and scale first, persona next, item last."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict

from geppetto.personas.strategy import Persona
from geppetto.prompts.chat import ChatTemplate, Turn
from geppetto.studies import Item, Study


class Layout(BaseModel):
    """How a survey item is put before a model.

    Attributes
    ----------
    answer
        What the model answers with: the option's "number", or its "label" in words.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    answer: Literal["number", "label"] = "number"


@dataclass(frozen=True)
class Prompt:
    """A text up to where the answer begins, and the answers that are legal there.

    Attributes
    ----------
    text
        Everything the model reads.
    head
        The beginning of `text` that is the same for every participant and item.
    stem
        The beginning of `text` that is the same for every item of a participant.
    options
        The legal answers as they would continue `text`, by code.
    """

    text: str
    head: str
    stem: str
    options: tuple[tuple[str, str], ...]


def instruction(study: Study, item: Item, layout: Layout) -> str:
    """The study's instruction and the item's scale: the constant part of a prompt."""
    scale = study.scale(item).options
    if layout.answer == "number":
        lines = [f"{study.codebook.instruction} Answer with a number:"]
        lines += [f"{code} = {label}" for code, label in scale.items()]
    else:
        lines = [f"{study.codebook.instruction} Answer with one of:", *scale.values()]
    return "\n".join(lines)


def turns(study: Study, item: Item, persona: Persona | None, layout: Layout) -> list[Turn]:
    """The prompt as a chat's system turn and user turn, before any template."""
    system = instruction(study, item, layout)
    user = f"Statement: {item.text}"
    if persona is not None and persona.placement == "system":
        system = f"{system}\n\n{persona.text}"
    elif persona is not None:
        user = f"{persona.text}\n\n{user}"
    return [Turn(role="system", content=system), Turn(role="user", content=user)]


def answer_cue(layout: Layout) -> str:
    """How the answer is begun for the model.

    A numbered answer follows a space that belongs to the prompt, since tokenizers split digits
    from the space before them; an answer in words brings its own space, since they join those.
    """
    return "Answer: " if layout.answer == "number" else "Answer:"


def render(
    study: Study,
    item: Item,
    persona: Persona | None,
    layout: Layout,
    template: ChatTemplate | None,
) -> Prompt:
    """The prompt for one item, in a chat's template or, without one, as plain text."""
    said = turns(study, item, persona, layout)
    if template is None:
        text = "\n\n".join(turn.content for turn in said) + "\n"
    else:
        text = template.render(said)
    text += answer_cue(layout)
    constant = instruction(study, item, layout)
    head = text[: text.index(constant) + len(constant)]
    stem = text[: text.rindex(f"Statement: {item.text}")]
    options = tuple(
        (code, code if layout.answer == "number" else f" {label}")
        for code, label in study.scale(item).options.items()
    )
    return Prompt(text, head, stem, options)
