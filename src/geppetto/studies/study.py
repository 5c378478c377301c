"""What people did: a study, its participants and their responses."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from geppetto._util.errors import GeppettoError, unknown
from geppetto.studies.codebook import Codebook, Item, Scale
from geppetto.studies.reference import Reference
from geppetto.studies.sessions.session import Session
from geppetto.studies.trait import Trait, TraitValue


@dataclass(frozen=True)
class Participant:
    """One person: what is known of them, and what they responded.

    Attributes
    ----------
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
    session
        What they did in order, in a study of sessions; None in a survey.

    Examples
    --------
    >>> from geppetto.studies import load_study
    >>> person = load_study("bfi").participant("61618")
    >>> person.traits["gender"], person.responses["A1"]
    ('Female', '2')
    """

    id: str
    traits: Mapping[str, TraitValue]
    responses: Mapping[str, str]
    retest: Mapping[str, str] = field(default_factory=dict)
    cluster: str | None = None
    weight: float = 1.0
    session: Session | None = None

    def seen_through(self, traits: Iterable[str], items: Iterable[str]) -> Participant:
        """The same person of whom only these traits and the responses to these items are known."""
        return replace(
            self,
            traits={name: self.traits[name] for name in traits if name in self.traits},
            responses={name: self.responses[name] for name in items if name in self.responses},
            retest={},
            session=None,
        )

    @property
    def known(self) -> frozenset[str]:
        """Names of everything known of this person."""
        return frozenset(self.traits) | frozenset(self.responses)

    @property
    def done(self) -> str:
        """Everything they did, as text: their responses by item, and their session."""
        return repr((sorted(self.responses.items()), self.session and self.session.text))


@dataclass(frozen=True)
class Study:
    """One data set of real people, by their ids, in the order of the data.

    Attributes
    ----------
    excluded
        How many people of the data each exclusion removed, after those before it.
    missing
        How many cells of each column hold each missing code; "" is an empty cell.
    reference
        How people who take no part in an experiment responded; None if nobody was left out.
    asked
        The items that a persona is written for, where a strategy is given the study.
    notes
        What was decided when the data were read and cannot be seen in them.

    Examples
    --------
    >>> from geppetto.studies import load_study
    >>> bfi = load_study("bfi")
    >>> len(bfi.people), bfi.trait("age").question
    (2552, 'How old are you?')
    """

    codebook: Codebook
    people: Mapping[str, Participant]
    excluded: Mapping[str, int]
    missing: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    reference: Reference | None = None
    asked: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return self.codebook.name

    @property
    def has_sessions(self) -> bool:
        """Whether participants have behavioural sessions, and no responses to items."""
        return self.codebook.layout == "sessions"

    @cached_property
    def items(self) -> dict[str, Item]:
        return {item.name: item for item in self.codebook.items}

    @cached_property
    def traits(self) -> dict[str, Trait]:
        return {trait.name: trait for trait in self.codebook.traits}

    def scale(self, item: Item) -> Scale:
        return self.codebook.scales[item.scale]

    def participant(self, participant_id: str) -> Participant:
        """One participant by id; a GeppettoError if the study has none of it."""
        if participant_id in self.people:
            return self.people[participant_id]
        some = ", ".join(list(self.people)[:3])
        out = "".join(f"; people {reason} are not used" for reason in self.excluded)
        raise GeppettoError(
            f"unknown participant {participant_id!r} in study {self.name}; ids look like "
            f"{some}{out}"
        )

    def trait(self, name: str) -> Trait:
        """One trait of the codebook by name; a GeppettoError if the study has none of it."""
        if name not in self.traits:
            raise unknown("trait", name, self.traits, f"study {self.name}")
        return self.traits[name]

    @cached_property
    def without_people(self) -> Study:
        """The codebook alone: all that a strategy is told of a study."""
        return replace(self, people={}, excluded={}, missing={}, notes=())

    def with_reference(self, people: Iterable[Participant]) -> Study:
        """The study with what everybody but these people tells about responses in general."""
        taking_part = {person.id for person in people}
        others = [person for person in self.people.values() if person.id not in taking_part]
        return replace(self, reference=Reference.of(self, others))

    @cached_property
    def prints(self) -> Mapping[str, str]:
        """By what each person is known again, whatever they or the study are called, by id.

        A hex digest of everything they did; where others of the study did just the same, of their
        traits too. So a trait that is added to the codebook hides nobody, and people of whom all
        of this is the same count as one.
        """
        done = {name: person.done for name, person in self.people.items()}
        alike = Counter(done.values())
        content = {
            name: (done[name], sorted(person.traits.items()) if alike[done[name]] > 1 else None)
            for name, person in self.people.items()
        }
        return {
            name: hashlib.sha256(f"geppetto person {one!r}".encode()).hexdigest()
            for name, one in content.items()
        }

    def leaks(self, trait: str, item: str) -> bool:
        """Whether a trait gives the response to an item away, so must not help to predict it."""
        return item in self.trait(trait).computed_from

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
        """Hex digest of the codebook and of everything known of everyone.

        Which file it was read from does not matter.
        """
        codebook = self.codebook.model_dump_json(exclude={"data"}, exclude_defaults=True)
        digest = hashlib.sha256(codebook.encode())
        for person in self.people.values():
            content = (
                person.id,
                sorted(person.traits.items()),
                sorted(person.responses.items()),
                sorted(person.retest.items()),
                person.cluster,
                person.weight,
            )
            digest.update(repr(content).encode())
            if person.session is not None:
                digest.update(person.session.text.encode())
                digest.update(repr((person.session.spans, person.session.trials)).encode())
        return digest.hexdigest()
