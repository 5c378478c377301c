"""What each participant is given in each arm: whose persona, in which wording."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from geppetto.personas.arms import (
    HUMAN,
    Arm,
    Average,
    Filler,
    Human,
    Knockout,
    Matched,
    NoPersona,
    Shuffled,
    Strangers,
)
from geppetto.personas.average import average, averaged
from geppetto.personas.base import Persona, PersonaStrategy
from geppetto.personas.donors import MatchQuality, groups, match_quality, matched
from geppetto.personas.generated import GeneratedStrategy, GenerationRequest
from geppetto.personas.visibility import Block, blocks, persona, view, visible_study
from geppetto.planning.plan import NO_STRATEGY, Strategy
from geppetto.studies import Participant, Study

PENDING = "not written yet"
"""What stands for a persona while a plan that cannot be completed is drafted."""


@dataclass(frozen=True)
class Assignment:
    """What a participant is given before they are predicted, whatever the model.

    Attributes
    ----------
    person
        Who is predicted.
    items
        Names of the items; none in a session, all of whose responses are predicted.
    persona
        What stands in the prompt; None for nothing.
    as_filler
        Whether neutral text of the persona's length stands there instead.
    strategy, arm, donor, pool, block, paraphrase
        See `geppetto.planning.plan.PlannedAnswer`.
    """

    person: Participant
    items: tuple[str, ...]
    persona: Persona | None = None
    as_filler: bool = False
    strategy: str = NO_STRATEGY
    arm: str = NoPersona.name
    donor: str = ""
    pool: int = 0
    block: int = 0
    paraphrase: int = 0


class PersonaCache:
    """A strategy in its wordings and the personas it has written in this plan, each once.

    Attributes
    ----------
    pending
        Texts that personas need and that are still to be written; until then `PENDING` stands in
        for those personas, so that everything which is missing is found in one go.
    requested
        Ids of the requests of all texts that a language model writes for it.
    """

    def __init__(
        self,
        study: Study,
        strategy: Strategy,
        items: Sequence[str],
        wordings: Sequence[PersonaStrategy],
    ) -> None:
        self.label = strategy.label
        self.rule = strategy.rule
        self.wordings = wordings
        whole = [Block((), ())]
        self.blocks = whole if study.has_sessions else blocks(strategy.rule, study, items)
        self._study = study
        self.pending: list[GenerationRequest] = []
        self.requested: set[str] = set()
        self._written: dict[tuple[object, ...], Persona | None] = {}
        self._of_study: dict[tuple[object, ...], Persona | None] = {}
        self._known: dict[str, frozenset[str]] = {}

    def known(self, participant: Participant) -> frozenset[str]:
        """What is known in any block of one of the study's people."""
        if participant.id not in self._known:
            views = (view(self.rule, participant, self._study, block) for block in self.blocks)
            self._known[participant.id] = frozenset().union(*(seen.known for seen in views))
        return self._known[participant.id]

    @property
    def trained_on(self) -> frozenset[str]:
        """Ids of the study's people whose answers a compiled program of it was made from."""
        if not isinstance(self.rule, GeneratedStrategy):
            return frozenset()
        mine = [each for each in self.rule.trained_on if each.study == self._study.name]
        return frozenset(name for each in mine for name in each.people)

    def left_out(self, arm: Knockout) -> tuple[str, ...]:
        """Names of the traits that this arm leaves out, one at a time."""
        return arm.left_out(self.rule, self._study)

    def describes(self, participant: Participant, without: str | None = None) -> bool:
        """Whether there is a persona for every block in every wording."""
        return all(
            self._write(rule, participant, block, without)
            for rule in self.wordings
            for block in self.blocks
        )

    def refused(self, participant: Participant, without: str | None = None) -> str:
        """Why what a language model wrote of a participant cannot be used; empty if it can."""
        for rule in self.wordings:
            for block in self.blocks:
                seen = view(rule, participant, self._study, block, without)
                if isinstance(rule, GeneratedStrategy) and not self._write(
                    rule, participant, block, without
                ):
                    return rule.refused(seen, visible_study(self._study, block))
        return ""

    def persona(
        self,
        rule: PersonaStrategy,
        participant: Participant,
        block: Block,
        without: str | None = None,
    ) -> Persona:
        """The persona, in one of the wordings, of somebody whom the strategy describes."""
        written = self._write(rule, participant, block, without)
        assert written is not None
        return written

    def _write(
        self, rule: PersonaStrategy, participant: Participant, block: Block, without: str | None
    ) -> Persona | None:
        is_of_study = self._study.people.get(participant.id) is participant
        place = (rule.paraphrase, participant.id, block.predicted, without)
        if is_of_study and place in self._of_study:
            return self._of_study[place]
        seen = view(rule, participant, self._study, block, without)
        known = (tuple(seen.traits.items()), tuple(seen.responses.items()))
        key = (rule.paraphrase, seen.id, block.predicted, *known)
        if key not in self._written:
            if isinstance(rule, GeneratedStrategy):
                generations = rule.generations(seen, visible_study(self._study, block))
                self.requested |= {each.id for each in generations.values()}
            if pending := rule.pending(seen, visible_study(self._study, block)):
                self.pending += pending
                self._written[key] = Persona(PENDING, rule.placement)
            else:
                self._written[key] = persona(rule, seen, self._study, block)
        if is_of_study:
            self._of_study[place] = self._written[key]
        return self._written[key]


@dataclass(frozen=True)
class Sample:
    """The participants of a plan and those who stand in for them.

    Attributes
    ----------
    people
        Participants by id.
    mean
        The average of them.
    pools
        Number of the group of equal knowledge that each participant is in, by participant id, by
        the label of the strategy.
    donors
        Donor ids by participant id, by the label of the strategy and the name of the arm.
    study
        Their study, whose other people can stand in for them in the arm `matched`.
    matches
        How good the matches are, by the label of the strategy.
    """

    people: Mapping[str, Participant]
    mean: Participant
    pools: Mapping[str, Mapping[str, int]]
    donors: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]
    study: Study
    matches: Mapping[str, MatchQuality]

    @classmethod
    def of(
        cls,
        study: Study,
        kept: Sequence[Participant],
        caches: Sequence[PersonaCache],
        arms: Sequence[Arm],
    ) -> Sample:
        people = {person.id: person for person in kept}
        trained_on = frozenset().union(*(cache.trained_on for cache in caches))
        pools, donors, matches = {}, {}, {}
        for cache in caches:
            known = {person.id: cache.known(person) for person in kept}
            pools[cache.label] = {
                name: number for number, group in enumerate(groups(known)) for name in group
            }
            for arm in arms:
                if isinstance(arm, Shuffled):
                    donors[cache.label, arm.name] = arm.draw(people, known)
                elif isinstance(arm, Matched):
                    everybody = {
                        name: cache.known(person)
                        for name, person in study.people.items()
                        if name not in trained_on
                    }
                    like = arm.likeness(cache.rule, study)
                    drawn = matched(
                        study.people,
                        everybody | known,
                        like,
                        arm.donors,
                        arm.seed,
                        of=people,
                        usable=cache.describes,
                    )
                    donors[cache.label, arm.name] = drawn
                    matches[cache.label] = match_quality(drawn, study.people, like, people)
        return cls(people, average(kept, study), pools, donors, study, matches)


def assignments(
    sample: Sample, caches: Sequence[PersonaCache], arms: Sequence[Arm], items: Sequence[str]
) -> Iterator[Assignment]:
    """Everything that anybody is given, condition by condition."""
    if any(isinstance(arm, NoPersona) for arm in arms):
        for person in sample.people.values():
            yield Assignment(person, tuple(items))
    for cache in caches:
        for arm in arms:
            if not isinstance(arm, NoPersona):
                yield from _in_arm(sample, cache, arm)


def _in_arm(sample: Sample, cache: PersonaCache, arm: Arm) -> Iterator[Assignment]:
    wordings = cache.wordings[:1] if isinstance(arm, Human) else cache.wordings
    for person in sample.people.values():
        for number, block in enumerate(cache.blocks):
            for rule in wordings:
                for text, label, donor in _personas(sample, cache, arm, person, block, rule):
                    yield Assignment(
                        person=person,
                        items=block.predicted,
                        persona=text,
                        as_filler=isinstance(arm, Filler),
                        strategy=cache.label,
                        arm=label,
                        donor=donor,
                        pool=sample.pools[cache.label][person.id],
                        block=number,
                        paraphrase=0 if isinstance(arm, Human) else rule.paraphrase,
                    )


def _personas(
    sample: Sample,
    cache: PersonaCache,
    arm: Arm,
    person: Participant,
    block: Block,
    rule: PersonaStrategy,
) -> list[tuple[Persona, str, str]]:
    """A participant's personas in an arm in one wording, under which name, and whose they are."""
    own = cache.persona(rule, person, block)
    match arm:
        case Human():
            return [(Persona(HUMAN, own.placement), arm.name, "")]
        case Average():
            mean = averaged(person, sample.mean)
            return [(cache.persona(rule, mean, block), arm.name, "")]
        case Knockout():
            return [
                (cache.persona(rule, person, block, trait), arm.label(trait), "")
                for trait in cache.left_out(arm)
            ]
        case Strangers():
            return [
                (cache.persona(rule, sample.study.people[donor], block), arm.name, donor)
                for donor in sample.donors[cache.label, arm.name].get(person.id, ())
            ]
    return [(own, arm.name, "")]
