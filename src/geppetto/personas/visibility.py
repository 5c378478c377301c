"""What a strategy may know when it is asked to predict an item."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from geppetto._util.characters import halves
from geppetto._util.errors import GeppettoError
from geppetto.personas.base import Persona, PersonaStrategy
from geppetto.personas.library import errors_of
from geppetto.studies import Participant, Study

FOLDS = 2
"""Parts that the items are split into for strategies that read responses."""


@dataclass(frozen=True)
class Block:
    """Items that are predicted from one persona, and what it may know.

    It may know responses to the `known` items, and must not know the `hidden` traits, which were
    computed from a predicted item.
    """

    predicted: tuple[str, ...]
    known: tuple[str, ...]
    hidden: frozenset[str] = frozenset()


def blocks(strategy: PersonaStrategy | None, study: Study, items: Sequence[str]) -> list[Block]:
    """Split the predicted items so that no persona knows a response it has to predict.

    A strategy that reads no responses predicts all items from one persona. One that does
    predicts every second item from the responses to the others and the other way round, so that
    every item is predicted once, from two personas that share their computation; or each item
    from the responses to all others, if it works `one_item_at_a_time`. With `one_item_a_persona`
    each item is then predicted from a persona of its own that knows no more. Items that give
    different traits away are in different blocks.
    """
    if strategy is None:
        return [Block(tuple(items), ())]
    return [
        Block(
            tuple(i for i in predicted if _disclosed(strategy, study, i) == hidden), known, hidden
        )
        for together, known in _parts(strategy, study, items)
        for predicted in ([(i,) for i in together] if strategy.one_item_a_persona else [together])
        for hidden in dict.fromkeys(_disclosed(strategy, study, item) for item in predicted)
    ]


def _parts(
    strategy: PersonaStrategy, study: Study, items: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Items that are predicted together, and those whose responses may be known."""
    everything = list(study.items)
    if not strategy.reads_responses:
        yield tuple(items), ()
    elif strategy.one_item_at_a_time:
        for item in items:
            yield (item,), tuple(other for other in everything if other != item)
    else:
        for fold in range(FOLDS):
            held_out = everything[fold::FOLDS]
            yield (
                tuple(item for item in items if item in held_out),
                tuple(item for item in everything if item not in held_out),
            )


def _disclosed(strategy: PersonaStrategy, study: Study, item: str) -> frozenset[str]:
    """The shown traits that were computed from an item."""
    return frozenset(trait for trait in shown(strategy, study) if study.leaks(trait, item))


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
    hidden = block.hidden | {without}
    chosen = [name for name in shown(strategy, study) if name not in hidden]
    return participant.seen_through(chosen, block.known)


def visible_study(study: Study, block: Block) -> Study:
    """The study as the strategy is told of it for this block."""
    return replace(study.without_people, asked=block.predicted)


def persona(
    strategy: PersonaStrategy, seen: Participant, study: Study, block: Block
) -> Persona | None:
    """The persona of a participant as seen by `view`; None if nothing usable is known.

    Raises
    ------
    GeppettoError
        If the strategy fails or returns something else than a text; names its file and line.
    ValueError
        If more is seen of the participant than may be known for this block.
    """
    _refuse_leaks(seen, study, block)
    path = Path(inspect.getfile(type(strategy)))
    with errors_of(path):
        text = strategy.write(seen, visible_study(study, block))
    if not isinstance(text, str):
        raise GeppettoError(
            f"{path}: write() must return a text, but returned {type(text).__name__} "
            f"for participant {seen.id}"
        )
    if broken := [*halves(text)]:
        raise GeppettoError(
            f"{path}: write() returned {broken[0]}, half of a character, as is left where an emoji "
            f"is cut in two, for participant {seen.id}; write whole characters"
        )
    return Persona(text.strip(), strategy.placement) if text.strip() else None


def _refuse_leaks(seen: Participant, study: Study, block: Block) -> None:
    """A last look before anything is written: nothing seen may tell a predicted response."""
    told = set(seen.responses).union(*(study.trait(name).computed_from for name in seen.traits))
    for item in sorted(told.intersection(block.predicted)):
        raise ValueError(f"the response to {item} must not be known when it is predicted")
    if seen.retest:
        raise ValueError("a second response must not be known when the first is predicted")
