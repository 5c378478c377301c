"""What people did: a study, its codebook, its participants and their responses."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

from pydantic import BaseModel, ConfigDict

from geppetto.errors import GeppettoError, unknown

TraitValue = str | float


class Trait(BaseModel):
    """Something known of participants, as the codebook describes it.

    Attributes
    ----------
    name
        The column of the data.
    label
        What it is called in running text: "highest level of education".
    question
        How a participant was, or could be, asked for it.
    values
        Meaning of each code of a categorical trait; None for a numeric one.
    demographic
        Whether it says which groups a participant belongs to (age, gender, education), and not
        what they think or are like (a score, a diagnosis, a party). The arm `matched` looks for
        strangers with the same demographics.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    label: str
    question: str
    values: dict[str, str] | None = None
    demographic: bool = True

    def text(self, value: TraitValue) -> str:
        """A participant's value in words, or a number without needless decimals."""
        return value if isinstance(value, str) else f"{value:g}"


class Scale(BaseModel):
    """The legal responses to an item, in order, each with its meaning."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    options: dict[str, str]
    ordinal: bool = True


class Item(BaseModel):
    """A question asked of many."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    text: str
    scale: str
    measures: str = ""
    key: Literal[-1, 1] = 1


class Exclusion(BaseModel):
    """People who are in the published table but are not used, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    trait: str
    below: float
    reason: str


class Source(BaseModel):
    """Where a study comes from and what may be done with it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    origin: str
    licence: str
    citation: str


class Codebook(BaseModel):
    """Everything about a study but the people."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    title: str
    source: Source
    instruction: str
    participant_column: str
    cluster_column: str | None = None
    weight_column: str | None = None
    traits: tuple[Trait, ...]
    scales: dict[str, Scale]
    items: tuple[Item, ...]
    exclusions: tuple[Exclusion, ...] = ()
    notes: str = ""


@dataclass(frozen=True)
class Participant:
    """One person: what is known of them, and what they responded.

    Attributes
    ----------
    id
        Unique within the study.
    traits
        Known traits only; a missing one is absent.
    responses
        Code of the response to each answered item; an unanswered item is absent.
    retest
        The same of a second occasion, where the study has one. Nothing but ceilings reads it.
    cluster
        The group that the person was studied in (a game, a class), if the study has such groups.
    weight
        How many people of the population the person stands for, relative to others.
    """

    id: str
    traits: Mapping[str, TraitValue]
    responses: Mapping[str, str]
    retest: Mapping[str, str] = field(default_factory=dict)
    cluster: str | None = None
    weight: float = 1.0

    def seen_through(self, traits: Iterable[str], items: Iterable[str]) -> Participant:
        """The same person of whom only these traits and the responses to these items are known."""
        return replace(
            self,
            traits={name: self.traits[name] for name in traits if name in self.traits},
            responses={name: self.responses[name] for name in items if name in self.responses},
            retest={},
        )

    @property
    def known(self) -> frozenset[str]:
        """Names of everything known of this person."""
        return frozenset(self.traits) | frozenset(self.responses)


@dataclass(frozen=True)
class Study:
    """One data set of real people.

    Attributes
    ----------
    codebook
        Its items, scales and traits.
    people
        Participants by id, in the order of the data.
    excluded
        How many people of the published table each exclusion removed.
    """

    codebook: Codebook
    people: Mapping[str, Participant]
    excluded: Mapping[str, int]

    @property
    def name(self) -> str:
        return self.codebook.name

    @cached_property
    def items(self) -> dict[str, Item]:
        return {item.name: item for item in self.codebook.items}

    @cached_property
    def traits(self) -> dict[str, Trait]:
        return {trait.name: trait for trait in self.codebook.traits}

    def scale(self, item: Item) -> Scale:
        return self.codebook.scales[item.scale]

    def participant(self, participant_id: str) -> Participant:
        """One participant by id.

        Raises
        ------
        GeppettoError
            If the study has no such participant, or it was excluded.
        """
        try:
            return self.people[participant_id]
        except KeyError:
            some = ", ".join(list(self.people)[:3])
            out = "".join(f"; people {reason} are not used" for reason in self.excluded)
            raise GeppettoError(
                f"unknown participant {participant_id!r} in study {self.name}; ids look like "
                f"{some}{out}"
            ) from None

    def trait(self, name: str) -> Trait:
        """One trait of the codebook by name.

        Raises
        ------
        GeppettoError
            If the study has no such trait.
        """
        try:
            return self.traits[name]
        except KeyError:
            raise unknown("trait", name, self.traits, f"study {self.name}") from None

    @cached_property
    def without_people(self) -> Study:
        """The codebook alone: all that a strategy is told of a study."""
        return replace(self, people={})

    def known_traits(self, participant: Participant) -> list[tuple[Trait, str]]:
        """Each trait known of a participant and its value in words, in the codebook's order."""
        return [
            (trait, trait.text(participant.traits[trait.name]))
            for trait in self.codebook.traits
            if trait.name in participant.traits
        ]

    def known_responses(self, participant: Participant) -> list[tuple[Item, str]]:
        """Each item with a known response and the response's code, in the codebook's order."""
        return [
            (item, participant.responses[item.name])
            for item in self.codebook.items
            if item.name in participant.responses
        ]

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the codebook and of everyone's traits and responses."""
        digest = hashlib.sha256(self.codebook.model_dump_json().encode())
        for person in self.people.values():
            digest.update(
                repr(
                    (
                        person.id,
                        sorted(person.traits.items()),
                        sorted(person.responses.items()),
                        sorted(person.retest.items()),
                        person.cluster,
                        person.weight,
                    )
                ).encode()
            )
        return digest.hexdigest()
