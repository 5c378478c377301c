"""The plan: which cells every arm answers, with which prompts, before anything is asked."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from geppetto.elicitation.option_likelihood import request_id
from geppetto.errors import GeppettoError
from geppetto.models.base import LanguageModel
from geppetto.personas.arms import Arm, Filler, NoPersona, Own, Shuffled, derangements
from geppetto.personas.filler import filler
from geppetto.personas.known import Block, blocks, persona, view
from geppetto.personas.strategy import Persona, PersonaStrategy
from geppetto.prompts.layout import Layout, Prompt, render
from geppetto.studies import Participant, Study

NO_STRATEGY = "none"
"""Name of the strategy of the arm without a persona."""


class Condition(NamedTuple):
    """What a model is asked with: everything about an answer but the participant and the item."""

    model: str
    strategy: str
    arm: str

    @property
    def label(self) -> str:
        """The condition in one line, without saying "none" twice."""
        return " · ".join(dict.fromkeys(self))


@dataclass(frozen=True)
class Strategy:
    """A strategy by the name of its file, and under the label that it has in tables."""

    name: str
    label: str
    rule: PersonaStrategy


@dataclass(frozen=True)
class PlannedAnswer:
    """One cell under one condition, and the request that answers it."""

    participant: str
    item: str
    response: str
    model: str
    strategy: str
    arm: str
    donor: str
    request: str
    pool: int = 0

    @property
    def condition(self) -> Condition:
        return Condition(self.model, self.strategy, self.arm)


@dataclass(frozen=True)
class Plan:
    """Everything that will be asked, and of whom nothing can be asked and why.

    Attributes
    ----------
    answers
        Every cell under every condition; all conditions have the same cells.
    prompts
        The distinct prompts of each model, by model name and request id.
    dropped
        Why a participant is left out of every arm, by participant id.
    """

    answers: tuple[PlannedAnswer, ...]
    prompts: Mapping[str, Mapping[str, Prompt]]
    dropped: Mapping[str, str]

    @cached_property
    def participants(self) -> list[str]:
        return list(dict.fromkeys(answer.participant for answer in self.answers))

    @cached_property
    def cells(self) -> int:
        return len({(answer.participant, answer.item) for answer in self.answers})

    @cached_property
    def conditions(self) -> list[Condition]:
        return list(dict.fromkeys(answer.condition for answer in self.answers))

    @cached_property
    def identical_strangers(self) -> dict[str, float]:
        """Share of a strategy's shuffled answers whose prompt is the participant's own prompt.

        A stranger of whom the same is known can have the very same persona; that answer says
        nothing on information and pulls its mean towards zero.
        """
        own = {
            (a.model, a.strategy, a.participant, a.item): a.request
            for a in self.answers
            if a.arm == Own.name
        }
        same: dict[str, list[bool]] = {}
        for a in self.answers:
            if a.arm == Shuffled.name and own:
                mine = own[a.model, a.strategy, a.participant, a.item]
                same.setdefault(a.strategy, []).append(a.request == mine)
        return {strategy: sum(found) / len(found) for strategy, found in same.items()}

    @cached_property
    def sha256(self) -> str:
        """Hex digest of all that is asked: cells, conditions, donors and prompts."""
        digest = hashlib.sha256()
        for answer in self.answers:
            digest.update(repr(answer).encode())
        return digest.hexdigest()


def make_plan(
    study: Study,
    participants: Sequence[Participant],
    items: Sequence[str],
    strategies: Sequence[Strategy],
    arms: Sequence[Arm],
    layout: Layout,
    models: Sequence[LanguageModel],
) -> Plan:
    """Plan the same cells for every condition.

    A participant for whom one of the arms cannot be made (nothing is known that a strategy
    shows, or nobody can be their donor) is left out of all of them, and the plan says why.

    Raises
    ------
    GeppettoError
        If fewer than two people are left.
    """
    writers = [_Writer(study, strategy, items) for strategy in strategies]
    kept, donors, dropped = _matched(participants, items, writers, arms)
    if len(kept) < 2:
        reasons = "; ".join(f"{count:,} {why}" for why, count in Counter(dropped.values()).items())
        raise GeppettoError(
            f"{len(kept)} participants are left to compare arms on, and intervals need at least "
            f"two: {reasons or 'the sample has no more'}"
        )
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
                    answers += _arm(desk, writer, arm, kept, donors)
        prompts[model.identity.name] = desk.prompts
    return Plan(tuple(answers), prompts, dropped)


class _Writer:
    """A strategy and the personas it has written in this plan."""

    def __init__(self, study: Study, strategy: Strategy, items: Sequence[str]) -> None:
        self.label = strategy.label
        self.blocks = blocks(strategy.rule, study, items)
        self._rule = strategy.rule
        self._study = study
        self._written: dict[tuple[str, Block], Persona | None] = {}

    def known(self, participant: Participant) -> frozenset[str]:
        """What is known of a participant in any block."""
        return frozenset().union(
            *(view(self._rule, participant, self._study, block).known for block in self.blocks)
        )

    def persona(self, participant: Participant, block: Block) -> Persona | None:
        key = (participant.id, block)
        if key not in self._written:
            seen = view(self._rule, participant, self._study, block)
            self._written[key] = persona(self._rule, seen, self._study)
        return self._written[key]


def _matched(
    participants: Sequence[Participant],
    items: Sequence[str],
    writers: Sequence[_Writer],
    arms: Sequence[Arm],
) -> tuple[list[Participant], dict[tuple[str, Arm], dict[str, tuple[str, ...]]], dict[str, str]]:
    """Participants for whom every arm can be made, their donors, and why the others are out."""
    dropped = {
        person.id: "without a response to any of the items"
        for person in participants
        if not person.responses.keys() & set(items)
    }
    for writer in writers:
        for person in participants:
            if not all(writer.persona(person, block) for block in writer.blocks):
                dropped[person.id] = f"without anything that {writer.label} could show"
    shuffled = [arm for arm in arms if isinstance(arm, Shuffled)]
    while True:
        kept = [person for person in participants if person.id not in dropped]
        donors: dict[tuple[str, Arm], dict[str, tuple[str, ...]]] = {}
        for writer in writers:
            known = {person.id: writer.known(person) for person in kept}
            for arm in shuffled:
                drawn = derangements(known, arm.donors, arm.seed)
                donors[writer.label, arm] = drawn
                for person in kept:
                    if person.id not in drawn:
                        dropped[person.id] = (
                            f"without {arm.donors} donor(s) of whom the same is known "
                            f"({writer.label})"
                        )
        if all(person.id not in dropped for person in kept):
            return kept, donors, dropped


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


def _arm(
    desk: _Desk,
    writer: _Writer,
    arm: Arm,
    kept: Sequence[Participant],
    donors: Mapping[tuple[str, Arm], Mapping[str, tuple[str, ...]]],
) -> list[PlannedAnswer]:
    """Plan one arm of one strategy for one model."""
    people = {person.id: person for person in kept}
    planned: list[PlannedAnswer] = []
    for person in kept:
        for block in writer.blocks:
            own = writer.persona(person, block)
            assert own is not None
            if isinstance(arm, Own):
                planned += desk.ask(person, block.predicted, own, writer.label, arm.name)
            elif isinstance(arm, Filler):
                text = desk.filler_like(own, block.predicted[0])
                planned += desk.ask(person, block.predicted, text, writer.label, arm.name)
            elif isinstance(arm, Shuffled):
                for donor in donors[writer.label, arm][person.id]:
                    theirs = writer.persona(people[donor], block)
                    planned += desk.ask(
                        person, block.predicted, theirs, writer.label, arm.name, donor
                    )
    return planned
