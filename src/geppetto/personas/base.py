"""A persona strategy: how what is known of a participant becomes a text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from geppetto._util.validation import Declared
from geppetto.studies import Participant, Study

if TYPE_CHECKING:
    from geppetto.personas.generated import GenerationRequest

Placement = Literal["task", "system"]


@dataclass(frozen=True)
class Persona:
    """What a model is told about who it is, without surrounding blank lines, and where it is told.

    The placement "task" is before the item, "system" at the end of a chat's system turn. Plain text
    has no turns, so there both stand between instruction and item.

    Examples
    --------
    >>> Persona("You are 34 years old.").placement
    'task'
    """

    text: str
    placement: Placement = "task"


class PersonaStrategy(Declared, ABC):
    """Base of all strategies: subclass it in a file of `personas/`, one file, one strategy.

    The typed fields of a subclass are its parameters, set by name in an experiment file, and its
    search space. `write` is given a participant of whom nothing is known but what the strategy may
    use: the chosen traits and, if it `reads_responses`, responses to items that are not being
    predicted. The study that it is given has a codebook and no people.

    Attributes
    ----------
    reads_responses
        Whether a subclass is given responses to items that are not being predicted.
    one_item_at_a_time
        Whether it then writes a persona for each item, which may know all other responses. If
        not, every second item shares one that knows the responses to the items between them.
    one_item_a_persona
        Whether a persona is made for each item although it knows no more than those of other
        items do.
    paraphrases
        What a subclass says in different words, one entry a wording; `wording` is the chosen one.
    traits
        Names of the traits the persona shows; None shows every known one.
    paraphrase
        Number of the wording, from 0.

    Examples
    --------
    >>> from geppetto.studies import load_study
    >>> class Age(PersonaStrategy):
    ...     def write(self, participant, study):
    ...         return f"You are {participant.traits['age']:g} years old."
    >>> bfi = load_study("bfi")
    >>> Age().write(bfi.participant("61623"), bfi)
    'You are 21 years old.'
    """

    model_config = ConfigDict(strict=True, validate_default=True)

    reads_responses: ClassVar[bool] = False
    one_item_at_a_time: ClassVar[bool] = False
    one_item_a_persona: ClassVar[bool] = False
    paraphrases: ClassVar[tuple[Any, ...]] = (None,)

    traits: tuple[str, ...] | None = Field(None, strict=False)
    placement: Placement = "task"
    paraphrase: int = Field(0, ge=0)

    @property
    def wording(self) -> Any:
        """The entry of `paraphrases` that was chosen."""
        return self.paraphrases[self.paraphrase]

    @abstractmethod
    def write(self, participant: Participant, study: Study) -> str:
        """The persona's text for one participant; empty if nothing usable is known."""

    def pending(self, participant: Participant, study: Study) -> tuple[GenerationRequest, ...]:
        """What a language model has still to write before this can; nothing by default."""
        return ()

    def in_workspace(self, workspace: Path) -> Self:
        """The strategy with what it needs of a workspace, which is nothing unless it says so."""
        return self

    @model_validator(mode="after")
    def _has_that_wording(self) -> Self:
        if self.paraphrase >= len(self.paraphrases):
            raise ValueError(
                f"paraphrase {self.paraphrase} does not exist; this strategy has "
                f"{len(self.paraphrases)} wording(s), numbered from 0"
            )
        return self
