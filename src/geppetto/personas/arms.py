"""Arms: whose persona the model is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, field_validator

from geppetto._util.errors import GeppettoError
from geppetto._util.validation import Declared, refuse_repeated
from geppetto.personas.base import PersonaStrategy
from geppetto.personas.donors import Donors, Known, Likeness, derangements, in_a_row
from geppetto.personas.visibility import shown
from geppetto.studies import Participant, Study, Trait

HUMAN = "You are an ordinary person who takes part in a study, not an AI model."
"""What the arm `human` says of everybody."""

SESSION_DONORS = 4
"""Strangers who stand in for each participant of sessions unless a number is stated: so many that
what a persona costs whoever it is shown for can be told from whom it was shown for, and intervals
of information are at most a quarter too wide; see `quality_where_shown`."""


class Arm(Declared):
    """One rung of the ladder."""

    model_config = ConfigDict(strict=True)

    name: ClassVar[str]

    def check(self, label: str, strategy: PersonaStrategy, study: Study) -> None:
        """Refuse a strategy, called `label` in tables, for which this arm would mean nothing.

        The GeppettoError says why, and what to change.
        """


class NoPersona(Arm):
    """The task alone."""

    name: ClassVar[str] = "none"


class Filler(Arm):
    """A neutral text that has as many tokens as the participant's own persona."""

    name: ClassVar[str] = "filler"


class Human(Arm):
    """The same for everybody: an ordinary person, where the strategy places its personas."""

    name: ClassVar[str] = "human"


class Average(Arm):
    """What the strategy writes of the sample's average participant.

    It shows what the participant's own persona shows and nothing else: each trait's most frequent
    or mean value, and the typical response to each item that the strategy may know. The
    participant is one of those who are averaged; see `geppetto.personas.average`.
    """

    name: ClassVar[str] = "average"


class Strangers(Arm):
    """Personas of participants of other clusters, of whom the same things are known.

    Attributes
    ----------
    donors
        How many strangers stand in for each participant; their answers are averaged. See
        `in_sessions` for the default there.
    """

    donors: int = Field(1, ge=1)
    seed: int = 0


class Shuffled(Strangers):
    """Personas of strangers who are drawn at random."""

    name: ClassVar[str] = "shuffled"

    def draw(self, people: Mapping[str, Participant], known: Known) -> Donors:
        """Donor ids of each participant, by id; see `derangements`."""
        clusters = {name: person.cluster for name, person in people.items()}
        return derangements(known, self.donors, self.seed, clusters)


def in_sessions(arm: Arm) -> Arm:
    """The arm as it is in sessions: `Shuffled` has `SESSION_DONORS` unless it states how many."""
    if isinstance(arm, Shuffled) and "donors" not in arm.model_fields_set:
        return arm.model_copy(update={"donors": SESSION_DONORS})
    return arm


class Matched(Strangers):
    """Personas of strangers with the same demographics, from the whole study.

    What own saves over them is what is known of the person beyond the groups that they belong to.
    They are the demographics that the strategy shows, or all of the study's if it shows none.
    Whom nobody is like has no match: they are left out of this arm, and of no other.

    Attributes
    ----------
    donors
        The most strangers that stand in for each participant; their answers are averaged.
    caliper
        How far a numeric demographic may differ, in its unit, by the trait's name; by default what
        the codebook says of the trait, and where it says nothing, not at all. What is left of the
        difference may still be in what own saves.
    """

    name: ClassVar[str] = "matched"
    caliper: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field({})

    def check(self, label: str, strategy: PersonaStrategy, study: Study) -> None:
        if not demographics(study):
            raise GeppettoError(
                f"arm 'matched': study {study.name} has no trait that is a demographic, so there "
                "is nothing to match strangers on; remove the arm"
            )
        on = matched_on(strategy, study)
        for name in self.caliper:
            if not study.trait(name).is_number:
                raise GeppettoError(
                    f"arm 'matched': caliper: {name} is no number, and matched strangers always "
                    "have the same; take it out of the caliper"
                )
            if study.trait(name) not in on:
                raise GeppettoError(
                    f"arm 'matched': caliper: strangers are not matched on {name} for {label}; "
                    f"take it out of the caliper (they are on {in_a_row([t.name for t in on])})"
                )
        if strategy.reads_responses or any(
            not study.trait(name).demographic for name in shown(strategy, study)
        ):
            return
        others = [trait.name for trait in study.codebook.traits if not trait.demographic]
        instead = f"let it show a trait that is none ({', '.join(others)}), " if others else ""
        raise GeppettoError(
            f"arm 'matched': {label} shows nothing but demographics, which a matched stranger "
            f"shares; {instead}use a strategy that reads responses, or remove the arm"
        )

    def likeness(self, strategy: PersonaStrategy, study: Study) -> Likeness:
        """In what a stranger is like the participant whose persona the strategy writes."""
        on = matched_on(strategy, study)
        within = {trait.name: self.caliper.get(trait.name, trait.caliper) for trait in on}
        calipers = {name: far for name, far in within.items() if far is not None}
        return Likeness(tuple(trait.name for trait in on if trait.name not in calipers), calipers)


class Own(Arm):
    """The participant's own persona."""

    name: ClassVar[str] = "own"


class Knockout(Arm):
    """The participant's own persona without one trait: a condition a trait.

    The traits are left out one at a time; None takes each one that the strategy shows.
    """

    name: ClassVar[str] = "knockout"
    traits: tuple[str, ...] | None = Field(None, min_length=1, strict=False)

    @field_validator("traits")
    @classmethod
    def _distinct(cls, traits: tuple[str, ...] | None) -> tuple[str, ...] | None:
        refuse_repeated(traits or ())
        return traits

    def check(self, label: str, strategy: PersonaStrategy, study: Study) -> None:
        known = shown(strategy, study)
        if not known:
            raise GeppettoError(
                f"arm 'knockout': {label} shows no trait that could be left out; remove the arm, "
                "or the strategy"
            )
        if len(known) == 1 and not strategy.reads_responses:
            raise GeppettoError(
                f"arm 'knockout': {label} shows nothing but {known[0]}, without which no persona "
                "would be left; let it show another trait, or remove the arm"
            )
        for name in self.traits or ():
            if study.trait(name).name not in known:
                raise GeppettoError(
                    f"arm 'knockout': {label} does not show {name}; let it show that trait, or "
                    f"take it out of the arm's traits (it shows {', '.join(known)})"
                )

    def left_out(self, strategy: PersonaStrategy, study: Study) -> tuple[str, ...]:
        """Names of the traits that are left out of a strategy's personas, one at a time."""
        return shown(strategy, study) if self.traits is None else self.traits

    @staticmethod
    def label(trait: str) -> str:
        return f"without {trait}"


ARMS: dict[str, type[Arm]] = {
    arm.name: arm for arm in (NoPersona, Filler, Human, Average, Shuffled, Matched, Own, Knockout)
}


def demographics(study: Study) -> list[Trait]:
    """The traits that say which groups a participant belongs to."""
    return [trait for trait in study.codebook.traits if trait.demographic]


def matched_on(strategy: PersonaStrategy, study: Study) -> list[Trait]:
    """The demographics that a strategy shows, or all of the study's if it shows none."""
    every = demographics(study)
    return [trait for trait in every if trait.name in shown(strategy, study)] or every
