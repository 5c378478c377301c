"""Planning: whose persona stands in which prompt, the same cells for every condition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from geppetto.elicitation.option_likelihood import request_id
from geppetto.errors import GeppettoError
from geppetto.models.base import LanguageModel
from geppetto.personas.arms import (
    HUMAN,
    Arm,
    Average,
    Filler,
    Human,
    Knockout,
    Matched,
    NoPersona,
    Strangers,
    demographics,
)
from geppetto.personas.average import average, averaged
from geppetto.personas.donors import MatchQuality, groups, match_quality
from geppetto.personas.filler import filler
from geppetto.personas.known import Block, blocks, persona, shown, view
from geppetto.personas.strategy import Persona, PersonaStrategy
from geppetto.plan import NO_STRATEGY, Plan, PlannedAnswer, Strategy
from geppetto.prompts.layout import Layout, Prompt, render
from geppetto.studies import Participant, Study


def make_plan(
    study: Study,
    participants: Sequence[Participant],
    items: Sequence[str],
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    layout: Layout,
    models: Sequence[LanguageModel],
    paraphrases: int = 1,
) -> Plan:
    """Plan the same cells for every condition.

    With several `paraphrases` every strategy writes its personas in its first so many wordings,
    and every arm but `none` and `human`, which have one, answers each cell in each of them, with
    the same strangers.

    A participant for whom one of the arms cannot be made (nothing is known that a strategy
    shows, or nobody can be their donor) is left out of all of them, and the plan says why. A
    trait that was computed from an item is not shown where that item is predicted. The order in
    which the study's participants are given makes no difference.

    Raises
    ------
    GeppettoError
        If an arm means nothing for one of the strategies, a strategy has fewer wordings, or fewer
        than two people are left.
    """
    for strategy in strategies:
        for arm in arms:
            arm.check(strategy.label, strategy.rule, study)
    places = {name: place for place, name in enumerate(study.people)}
    participants = sorted(participants, key=lambda person: places[person.id])
    writers = [
        _Writer(study, strategy, items, _wordings(strategy, paraphrases)) for strategy in strategies
    ]
    kept, dropped = _eligible(study, participants, items, writers, arms)
    if len(kept) < 2:
        reasons = "; ".join(f"{count:,} {why}" for why, count in Counter(dropped.values()).items())
        raise GeppettoError(
            f"{len(kept)} participants are left to compare arms on, and intervals need at least "
            f"two: {reasons or 'the sample has no more'}"
        )
    sample = _Sample.of(study, kept, writers, arms)
    answers: list[PlannedAnswer] = []
    prompts: dict[str, dict[str, Prompt]] = {}
    for model in models:
        desk = _Desk(study, layout, model)
        if any(isinstance(arm, NoPersona) for arm in arms):
            for person in kept:
                answers += desk.ask(person, items, None, NO_STRATEGY, NoPersona.name)
        for writer in writers:
            for arm in arms:
                if not isinstance(arm, NoPersona):
                    answers += _arm(desk, writer, arm, sample)
        prompts[model.identity.name] = desk.prompts
    withheld = {
        (writer.label, trait): tuple(item for item in items if study.leaks(trait, item))
        for writer in writers
        for trait in shown(writer.rule, study)
        if any(study.leaks(trait, item) for item in items)
    }
    return Plan(tuple(answers), prompts, dropped, sample.matches(study), withheld)


def _wordings(strategy: Strategy, paraphrases: int) -> list[PersonaStrategy]:
    """A strategy in each of its first so many wordings; the chosen one alone if that is one.

    Raises
    ------
    GeppettoError
        If it has fewer, or one was chosen although several are compared.
    """
    rule = strategy.rule
    if paraphrases == 1:
        return [rule]
    if "paraphrase" in rule.model_fields_set:
        raise GeppettoError(
            f"paraphrases: {paraphrases} compares the first {paraphrases} wordings of every "
            f"strategy, but {strategy.label} chooses one; remove its parameter `paraphrase`, or "
            "set `paraphrases: 1`"
        )
    if paraphrases > len(rule.paraphrases):
        raise GeppettoError(
            f"paraphrases: {strategy.label} has {len(rule.paraphrases)} wording(s), not "
            f"{paraphrases}; write more into its `paraphrases`, ask for fewer, or remove it"
        )
    return [rule.model_copy(update={"paraphrase": number}) for number in range(paraphrases)]


class _Writer:
    """A strategy in its wordings and the personas it has written in this plan, each once."""

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
        self.blocks = blocks(strategy.rule, study, items)
        self._study = study
        self._written: dict[tuple[object, ...], Persona | None] = {}

    def known(self, participant: Participant) -> frozenset[str]:
        """What is known of a participant in any block."""
        return frozenset().union(
            *(view(self.rule, participant, self._study, block).known for block in self.blocks)
        )

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
        seen = view(rule, participant, self._study, block, without)
        known = (tuple(seen.traits.items()), tuple(seen.responses.items()))
        key = (rule.paraphrase, seen.id, block.predicted, *known)
        if key not in self._written:
            self._written[key] = persona(rule, seen, self._study, block)
        return self._written[key]


@dataclass(frozen=True)
class _Sample:
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
    """

    people: Mapping[str, Participant]
    mean: Participant
    pools: Mapping[str, Mapping[str, int]]
    donors: Mapping[tuple[str, str], Mapping[str, tuple[str, ...]]]

    @classmethod
    def of(
        cls,
        study: Study,
        kept: Sequence[Participant],
        writers: Sequence[_Writer],
        arms: Sequence[Arm],
    ) -> _Sample:
        people = {person.id: person for person in kept}
        pools, donors = {}, {}
        for writer in writers:
            known = {person.id: writer.known(person) for person in kept}
            pools[writer.label] = {
                name: number for number, group in enumerate(groups(known)) for name in group
            }
            for arm in arms:
                if isinstance(arm, Strangers):
                    donors[writer.label, arm.name] = arm.draw(people, known, study)
        return cls(people, average(kept, study), pools, donors)

    def matches(self, study: Study) -> dict[str, MatchQuality]:
        """How good the matches are, by the label of the strategy."""
        return {
            label: match_quality(drawn, self.people, demographics(study))
            for (label, arm), drawn in self.donors.items()
            if arm == Matched.name
        }


def _eligible(
    study: Study,
    participants: Sequence[Participant],
    items: Sequence[str],
    writers: Sequence[_Writer],
    arms: Sequence[Arm],
) -> tuple[list[Participant], dict[str, str]]:
    """Participants for whom every arm can be made, and why the others are out."""
    dropped = {
        person.id: "without a response to any of the items"
        for person in participants
        if not person.responses.keys() & set(items)
    }
    for writer in writers:
        left_out = [t for arm in arms if isinstance(arm, Knockout) for t in writer.left_out(arm)]
        for person in participants:
            if not writer.describes(person):
                dropped[person.id] = f"without anything that {writer.label} could show"
                continue
            for trait in left_out:
                if not writer.describes(person, trait):
                    dropped[person.id] = f"without anything but {trait} that {writer.label} shows"
    while True:
        kept = [person for person in participants if person.id not in dropped]
        mean = average(kept, study)
        for writer in writers:
            known = {person.id: writer.known(person) for person in kept}
            for arm in arms:
                if isinstance(arm, Strangers):
                    for group in groups(known):
                        if len(group) <= arm.donors:
                            why = f"without {arm.donors} donor(s) of whom the same is known"
                            dropped |= dict.fromkeys(group, f"{why} ({writer.label})")
                elif isinstance(arm, Average):
                    for person in kept:
                        if not writer.describes(averaged(person, mean)):
                            dropped[person.id] = (
                                f"for whom {writer.label} writes nothing of their average"
                            )
        if all(person.id not in dropped for person in kept):
            return kept, dropped


class _Desk:
    """Where prompts for one model are rendered, each distinct one once."""

    def __init__(self, study: Study, layout: Layout, model: LanguageModel) -> None:
        self._study = study
        self._layout = layout
        self._model = model
        self._rendered: dict[tuple[str, Persona | None], tuple[str, Prompt]] = {}
        self._fillers: dict[tuple[str, str, int], str] = {}

    @property
    def prompts(self) -> dict[str, Prompt]:
        return dict(self._rendered.values())

    def ask(
        self,
        participant: Participant,
        items: Sequence[str],
        given: Persona | None,
        strategy: str,
        arm: str,
        donor: str = "",
        pool: int = 0,
        block: int = 0,
        paraphrase: int = 0,
    ) -> list[PlannedAnswer]:
        """Plan a participant's answered items under one persona."""
        return [
            PlannedAnswer(
                participant=participant.id,
                item=item,
                response=participant.responses[item],
                model=self._model.identity.name,
                strategy=strategy,
                arm=arm,
                donor=donor,
                request=self._request(item, given),
                pool=pool,
                block=block,
                paraphrase=paraphrase,
            )
            for item in items
            if item in participant.responses
        ]

    def filler_like(self, given: Persona, item: str) -> Persona:
        """Neutral text that makes a prompt exactly as long as this persona makes it."""

        def count(text: str) -> int:
            return len(
                self._model.tokenize(self._prompt(item, Persona(text, given.placement)).text)
            )

        key = (given.placement, item, count(given.text))
        if key not in self._fillers:
            self._fillers[key] = filler(given.text, count)
        return Persona(self._fillers[key], given.placement)

    def _prompt(self, item: str, given: Persona | None) -> Prompt:
        return render(
            self._study, self._study.items[item], given, self._layout, self._model.template
        )

    def _request(self, item: str, given: Persona | None) -> str:
        key = (item, given)
        if key not in self._rendered:
            if given and self._model.template and self._model.has_control_tokens(given.text):
                raise GeppettoError(
                    f"a persona holds text that {self._model.identity.name} reads as the end of a "
                    f"turn or another control token: {given.text[:60]!r}; change the strategy"
                )
            prompt = self._prompt(item, given)
            self._rendered[key] = request_id(prompt, self._model.identity), prompt
        return self._rendered[key][0]


def _arm(desk: _Desk, writer: _Writer, arm: Arm, sample: _Sample) -> Iterator[PlannedAnswer]:
    """Plan one arm of one strategy for one model."""
    wordings = writer.wordings[:1] if isinstance(arm, Human) else writer.wordings
    for person in sample.people.values():
        pool = sample.pools[writer.label][person.id]
        for number, block in enumerate(writer.blocks):
            for rule in wordings:
                for text, label, donor in _given(desk, writer, arm, sample, person, block, rule):
                    yield from desk.ask(
                        person,
                        block.predicted,
                        text,
                        writer.label,
                        label,
                        donor,
                        pool,
                        number,
                        0 if isinstance(arm, Human) else rule.paraphrase,
                    )


def _given(
    desk: _Desk,
    writer: _Writer,
    arm: Arm,
    sample: _Sample,
    person: Participant,
    block: Block,
    rule: PersonaStrategy,
) -> list[tuple[Persona, str, str]]:
    """What a participant is given in an arm in one wording, under which name, and whose it is."""
    own = writer.persona(rule, person, block)
    match arm:
        case Filler():
            return [(desk.filler_like(own, block.predicted[0]), arm.name, "")]
        case Human():
            return [(Persona(HUMAN, own.placement), arm.name, "")]
        case Average():
            mean = averaged(person, sample.mean)
            return [(writer.persona(rule, mean, block), arm.name, "")]
        case Knockout():
            return [
                (writer.persona(rule, person, block, trait), arm.label(trait), "")
                for trait in writer.left_out(arm)
            ]
        case Strangers():
            return [
                (writer.persona(rule, sample.people[donor], block), arm.name, donor)
                for donor in sample.donors[writer.label, arm.name][person.id]
            ]
    return [(own, arm.name, "")]
