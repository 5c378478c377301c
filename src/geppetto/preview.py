"""What a strategy makes a model read of some people, without asking any model."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from geppetto.errors import GeppettoError, unknown
from geppetto.models.base import LanguageModel
from geppetto.personas.known import blocks, persona, view
from geppetto.personas.library import load_strategy
from geppetto.personas.strategy import Persona, PersonaStrategy, Placement
from geppetto.prompts.layout import Layout, answer_cue, render, turns
from geppetto.studies import Item, Participant, Study, load_study

PLACE = "‹persona›"
"""What stands for anybody's persona in what everybody reads."""
DRAWN, SEED = 3, 0
"""How many people are shown if none are named, and the seed that they are drawn with."""


@dataclass(frozen=True)
class Passage:
    """A text that a model reads, with a title that it does not."""

    title: str
    text: str


@dataclass(frozen=True)
class Length:
    """How long a text is. Tokens are a model's, so they are None without one."""

    words: int
    characters: int
    tokens: int | None

    def __str__(self) -> str:
        if self.tokens is not None:
            return f"{self.tokens:,} tokens"
        return f"{self.words:,} words, {self.characters:,} characters"


@dataclass(frozen=True)
class Reading:
    """What a model reads of one participant.

    Attributes
    ----------
    persona
        What the strategy writes of them.
    passages
        Everything, exactly. Without a model: plain text, which base models read, and the turns
        that a chat template is filled with. With one: the very text that it reads.
    persona_length, prompt_length
        Of the persona, and of everything. A persona's tokens are those that a prompt has more
        than without it.
    """

    persona: str
    passages: tuple[Passage, ...]
    persona_length: Length
    prompt_length: Length


@dataclass(frozen=True)
class Preview:
    """What a strategy makes a model read of some people before it predicts one item.

    Attributes
    ----------
    strategy, study, item
        Their names.
    model
        Name of the model, if one was given.
    placement
        Where the strategy places its personas.
    drawn_from
        How many people those who are shown were drawn from; None if they were named.
    frame
        What is the same for everybody: the instruction, the scale and the item, with `PLACE` where
        the persona stands.
    people
        By participant id; None if nothing is known of them that the strategy could show.
    """

    strategy: str
    study: str
    item: str
    model: str | None
    placement: Placement
    drawn_from: int | None
    frame: Passage
    people: Mapping[str, Reading | None]


def preview(
    strategy: str,
    parameters: Mapping[str, Any],
    study_name: str,
    workspace: Path,
    *,
    participants: Sequence[str] = (),
    item_name: str | None = None,
    layout: Mapping[str, Any] | None = None,
    model_name: str | None = None,
) -> Preview:
    """What is read for one item, of participants who are named or else drawn.

    Norms and relations between items, where a strategy uses them, are those of everybody who is
    not shown.

    Raises
    ------
    GeppettoError
        If a name is unknown, a setting does not fit, or nothing is known of any of the
        participants that the strategy could show.
    """
    study = load_study(study_name, workspace)
    rule = load_strategy(strategy, parameters, workspace)
    for trait in rule.traits or ():
        study.trait(trait)
    item_name = item_name or next(iter(study.items))
    if item_name not in study.items:
        raise unknown("item", item_name, study.items, f"study {study.name}")
    people = _named(study, participants) if participants else _drawn(study)
    asked = _Asked(study, study.items[item_name], _layout(layout or {}), _model(model_name))
    readings = dict(_readings(rule, people, asked))
    if not any(readings.values()):
        raise GeppettoError(_nothing_known(strategy, rule, study, list(readings)))
    return Preview(
        strategy=strategy,
        study=study.name,
        item=item_name,
        model=asked.model.identity.name if asked.model else None,
        placement=rule.placement,
        drawn_from=None if participants else len(study.people),
        frame=asked.passage(Persona(PLACE, rule.placement)),
        people=readings,
    )


@dataclass(frozen=True)
class _Asked:
    """One item as it is put before a model, or before any."""

    study: Study
    item: Item
    layout: Layout
    model: LanguageModel | None

    def passage(self, own: Persona | None) -> Passage:
        """All of a prompt as one text."""
        title = self.model.identity.name if self.model else "base models: plain text"
        template = self.model.template if self.model else None
        return Passage(title, render(self.study, self.item, own, self.layout, template).text)

    def reading(self, own: Persona) -> Reading:
        """What is read with a persona."""
        whole = self.passage(own)
        if self.model is None:
            passages = (
                whole,
                *(
                    Passage(f"chat models: {turn.role} turn", turn.content)
                    for turn in turns(self.study, self.item, own, self.layout)
                ),
                Passage("chat models: beginning of the answer", answer_cue(self.layout)),
            )
            return Reading(own.text, passages, _length(own.text), _length(whole.text))
        tokens = len(self.model.tokenize(whole.text))
        added = tokens - len(self.model.tokenize(self.passage(None).text))
        title = f"{whole.title}, {tokens:,} tokens, {added:,} of them the persona's"
        return Reading(
            own.text,
            (Passage(title, whole.text),),
            _length(own.text, added),
            _length(whole.text, tokens),
        )


def _readings(
    rule: PersonaStrategy, people: Sequence[Participant], asked: _Asked
) -> Iterator[tuple[str, Reading | None]]:
    """What is read of each participant, from what a prediction of the item may know."""
    study = asked.study.with_reference(people)
    split = blocks(rule, study, list(study.items))
    block = next(block for block in split if asked.item.name in block.predicted)
    for person in people:
        own = persona(rule, view(rule, person, study, block), study, block)
        yield person.id, asked.reading(own) if own else None


def _length(text: str, tokens: int | None = None) -> Length:
    return Length(len(text.split()), len(text), tokens)


def _named(study: Study, participants: Sequence[str]) -> list[Participant]:
    for name in participants:
        if participants.count(name) > 1:
            raise GeppettoError(f"participant {name!r} is given twice; keep one of them")
    return [study.participant(name) for name in participants]


def _drawn(study: Study) -> list[Participant]:
    """The people whom an experiment takes that has `participants: {sample: 3}`."""
    ids = sorted(study.people)
    drawn = random.Random(SEED).sample(ids, min(DRAWN, len(ids)))
    return [person for person in study.people.values() if person.id in drawn]


def _layout(given: Mapping[str, Any]) -> Layout:
    for name in given:
        if name not in Layout.model_fields:
            raise unknown("setting", name, Layout.model_fields, "the layout")
    try:
        return Layout.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        raise GeppettoError(
            f"layout: {first['loc'][0]} is {first['input']!r}; {first['msg'].lower()}"
        ) from error


def _model(name: str | None) -> LanguageModel | None:
    if name is None:
        return None
    from geppetto.experiment import ModelSpec, open_model

    return open_model(ModelSpec.model_validate(name))


def _nothing_known(
    strategy: str, rule: PersonaStrategy, study: Study, people: Sequence[str]
) -> str:
    who = f"participant {people[0]}" if len(people) == 1 else f"participants {', '.join(people)}"
    told = f"nothing is known of {who} that {strategy} could show"
    if not study.traits and "answers" in type(rule).model_fields:
        told += f"; study {study.name} has no traits, so show answers: --set answers={{}}"
    return told
