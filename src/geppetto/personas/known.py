"""What a strategy may know when it is asked to predict an item."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from geppetto.errors import GeppettoError
from geppetto.personas.library import errors_of
from geppetto.personas.strategy import Persona, PersonaStrategy
from geppetto.studies import Participant, Study

FOLDS = 2
"""Parts that the items are split into for strategies that read responses."""


@dataclass(frozen=True)
class Block:
    """Items that are predicted from one persona, and the items it may know responses to."""

    predicted: tuple[str, ...]
    known: tuple[str, ...]


def blocks(strategy: PersonaStrategy | None, study: Study, items: Sequence[str]) -> list[Block]:
    """Split the predicted items so that no persona knows a response it has to predict.

    A strategy that reads no responses predicts all items from one persona. One that does
    predicts every second item from the responses to the others and the other way round, so that
    every item is predicted once, from two personas that share their computation.
    """
    if strategy is None or not strategy.reads_responses:
        return [Block(tuple(items), ())]
    everything = list(study.items)
    split = []
    for fold in range(FOLDS):
        held_out = set(everything[fold::FOLDS])
        predicted = tuple(item for item in items if item in held_out)
        if predicted:
            split.append(Block(predicted, tuple(i for i in everything if i not in held_out)))
    return split


def shown(strategy: PersonaStrategy, study: Study) -> tuple[str, ...]:
    """Names of the traits that a strategy may know of participants."""
    return tuple(study.traits) if strategy.traits is None else strategy.traits


def view(
    strategy: PersonaStrategy,
    participant: Participant,
    study: Study,
    block: Block,
    without: str | None = None,
) -> Participant:
    """The participant as the strategy may see them for this block, possibly without a trait."""
    chosen = [name for name in shown(strategy, study) if name != without]
    return participant.seen_through(chosen, block.known)


def persona(strategy: PersonaStrategy, seen: Participant, study: Study) -> Persona | None:
    """The persona of a participant as seen by `view`; None if nothing usable is known.

    Raises
    ------
    GeppettoError
        If the strategy fails or returns something else than a text; names its file and line.
    """
    path = Path(inspect.getfile(type(strategy)))
    with errors_of(path):
        text = strategy.write(seen, study.without_people)
    if not isinstance(text, str):
        raise GeppettoError(
            f"{path}: write() must return a text, but returned {type(text).__name__} "
            f"for participant {seen.id}"
        )
    return Persona(text.strip(), strategy.placement) if text.strip() else None
