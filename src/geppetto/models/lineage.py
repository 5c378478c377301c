"""Where a model comes from, and which models are a pair: before and after post-training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from geppetto._util.errors import GeppettoError, unknown

SAME_SIZE = 1.1
"""Models whose numbers of parameters differ by less than this factor are of one size."""

CHAT_TEMPLATE, PLAIN_TEXT = "its chat template", "plain text"
"""What a model may read the task as."""

_BILLIONS = {"M": 1e-3, "B": 1.0, "T": 1e3}


class Lineage(BaseModel):
    """Where a model comes from, as its makers tell.

    Attributes
    ----------
    family
        What its makers call this and its sister models: "Qwen".
    generation
        Which of the family's generations it is of: "2.5".
    parameters
        How many parameters it has, in millions, billions or trillions: "135M", "1.7B".
    released
        Day of its release.
    training
        "base" if it was trained to continue text and no further.
    base
        Name of the model of this experiment that it was trained from; None if that takes no part.
    other_size
        Whether the base has another number of parameters, so that a difference between the two is
        not one of post-training alone. It is refused unless it is said.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    family: str = Field(min_length=1)
    generation: str = Field(min_length=1)
    parameters: str = Field(pattern=r"^(\d*[1-9]\d*(\.\d+)?|\d+\.\d*[1-9]\d*)[MBT]$")
    released: date
    training: Literal["base", "post-trained"]
    base: str | None = None
    other_size: bool = Field(False, strict=True)

    @model_validator(mode="after")
    def _only_what_was_trained_further_has_a_base(self) -> Self:
        if self.base is not None and self.training == "base":
            raise ValueError("a base model has no base; remove it, or say training: post-trained")
        if self.base is None and self.other_size:
            raise ValueError("other_size is said of a model and its base; name the base")
        return self

    @property
    def billions(self) -> float:
        """Number of parameters, in billions."""
        return float(self.parameters[:-1]) * _BILLIONS[self.parameters[-1]]

    @property
    def label(self) -> str:
        """Family and generation."""
        return f"{self.family} {self.generation}"


@dataclass(frozen=True)
class Pair:
    """A post-trained model and the base model that it was trained from.

    Attributes
    ----------
    post, base
        Names of the two models.
    lineage, base_lineage
        Where each comes from.
    read
        What each read the task as, if that is known: `CHAT_TEMPLATE` or `PLAIN_TEXT`.
    """

    post: str
    base: str
    lineage: Lineage
    base_lineage: Lineage
    read: tuple[str, str] = ("", "")

    @property
    def same_size(self) -> bool:
        sizes = self.lineage.billions, self.base_lineage.billions
        return max(sizes) < SAME_SIZE * min(sizes)

    @property
    def note(self) -> str:
        """In what else than post-training the two differ; empty if in nothing that is known."""
        differ = []
        if not self.same_size:
            differ.append(f"size ({self.lineage.parameters}, {self.base_lineage.parameters})")
        if self.lineage.family != self.base_lineage.family:
            differ.append(f"family ({self.lineage.label}, {self.base_lineage.label})")
        elif self.lineage.generation != self.base_lineage.generation:
            differ.append(f"generation ({self.lineage.label}, {self.base_lineage.label})")
        if self.read[0] != self.read[1]:
            differ.append(f"what they read ({', '.join(self.read)})")
        if not differ:
            return ""
        return f"{self.post} and {self.base} differ in {' and '.join(differ)} too"


def pairs(lineages: Mapping[str, Lineage]) -> list[Pair]:
    """The pairs among the models of an experiment, in the order of the post-trained ones.

    A post-trained model that names no base is in no pair.

    Parameters
    ----------
    lineages
        By the name of the model; models without a lineage are not in it.

    Raises
    ------
    GeppettoError
        If a base is not among the models or no base model, or has another size and that is not
        said, or that is said and is not so.
    """
    found = []
    for name, lineage in lineages.items():
        if lineage.base is None:
            continue
        if lineage.base not in lineages:
            raise unknown("base", lineage.base, set(lineages) - {name}, f"the lineage of {name}")
        pair = Pair(name, lineage.base, lineage, lineages[lineage.base])
        if pair.base_lineage.training != "base":
            raise GeppettoError(
                f"the lineage of {name}: its base {pair.base} is post-trained; name the model that "
                "both were trained from"
            )
        sizes = f"{name} has {lineage.parameters} parameters and its base {pair.base} has "
        sizes += pair.base_lineage.parameters
        if not pair.same_size and not lineage.other_size:
            raise GeppettoError(
                f"the lineage of {name}: {sizes}, so their difference is not one of post-training "
                "alone; name another base, or say other_size: true"
            )
        if pair.same_size and lineage.other_size:
            raise GeppettoError(f"the lineage of {name}: {sizes}; remove other_size")
        found.append(pair)
    return found
