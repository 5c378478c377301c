"""A persona strategy: how what is known of a participant becomes a text."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from geppetto.studies import Participant, Study

Placement = Literal["task", "system"]


@dataclass(frozen=True)
class Persona:
    """What a model is told about who it is, and where it is told.

    Attributes
    ----------
    text
        The persona, without surrounding blank lines.
    placement
        "task" puts it before the item; "system" at the end of a chat's system turn. Plain text
        has no turns, so there both stand between instruction and item.
    """

    text: str
    placement: Placement = "task"


class PersonaStrategy(BaseModel, ABC):
    """Base of all strategies: subclass it in a file of `personas/`, one file, one strategy.

    The typed fields of a subclass are its parameters, set by name in an experiment file.
    `write` is given a participant of whom nothing is known but what the strategy may use: the
    chosen traits and, if `reads_responses`, responses to items that are not being predicted. The
    study that it is given has a codebook and no people.

    Attributes
    ----------
    traits
        Names of the traits the persona shows; None shows every known one.
    placement
        Where the persona stands, see `Persona`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    reads_responses: ClassVar[bool] = False

    traits: tuple[str, ...] | None = Field(None, strict=False)
    placement: Placement = "task"

    @abstractmethod
    def write(self, participant: Participant, study: Study) -> str:
        """The persona's text for one participant; empty if nothing usable is known."""
