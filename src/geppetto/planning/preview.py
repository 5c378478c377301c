"""What a strategy makes a model read of some people, without asking any model."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from geppetto._util.errors import GeppettoError, unknown
from geppetto.personas.base import Persona, PersonaStrategy, Placement
from geppetto.personas.visibility import Block, blocks, persona, view
from geppetto.planning.prompt_preview import Length, Passage, Reading
from geppetto.prompts.survey import Layout, answer_cue, render, turns
from geppetto.studies import Item, Participant, Study, load_study

if TYPE_CHECKING:
    from geppetto.models.base import Scorer
    from geppetto.planning.session_preview import SessionReader

PLACE = "‹persona›"
"""What stands for anybody's persona in what everybody reads."""
DRAWN, SEED = 3, 0
"""How many people are shown if none are named, and the seed that they are drawn with."""


@dataclass(frozen=True)
class Preview:
    """What a strategy makes a model read of some people before it predicts one item or session.

    Attributes
    ----------
    strategy, study, item
        Their names; no item in a study of sessions.
    model
        Name of the model, if one was given.
    placement
        Where the strategy places its personas.
    drawn_from
        How many people those who are shown were drawn from; None if they were named.
    frame
        What is the same for everybody: the instruction, the scale and the item, with `PLACE` where
        the persona stands. Of sessions, the beginning of the first one.
    people
        By participant id; None if nothing is known of them that the strategy could show.
    """

    strategy: str
    study: str
    item: str | None
    model: str | None
    placement: Placement
    drawn_from: int | None
    frame: Passage
    people: Mapping[str, Reading | None]


def preview(  # noqa: PLR0913  options of a command, by name
    strategy: str,
    rule: PersonaStrategy,
    study_name: str,
    workspace: Path,
    *,
    participants: Sequence[str] = (),
    item_name: str | None = None,
    layout: Mapping[str, Any] | None = None,
    model_name: str | None = None,
) -> Preview:
    """What is read for one item or of a session, of participants who are named or else drawn.

    Norms and relations between items, where a strategy uses them, are those of everybody who is
    not shown.

    Raises
    ------
    GeppettoError
        If a name is unknown, a setting does not fit, or nothing is known of any of the
        participants that the strategy could show.
    """
    study = load_study(study_name, workspace)
    for trait in rule.traits or ():
        study.trait(trait)
    people = _named(study, participants) if participants else _drawn(study)
    study = study.with_reference(people)
    model = _model(model_name)
    wanted: _SurveyReader | SessionReader
    if study.has_sessions:
        from geppetto.planning.session_preview import SessionReader

        _refuse_settings_of_surveys(study, item_name, layout)
        wanted = SessionReader(model)
    else:
        item_name = item_name or next(iter(study.items))
        if item_name not in study.items:
            raise unknown("item", item_name, study.items, f"study {study.name}")
        wanted = _SurveyReader(study, study.items[item_name], _layout(layout or {}), model)
    block = wanted.block(rule, study)
    readings = {
        person.id: wanted.reading(person, own)
        if (own := persona(rule, view(rule, person, study, block), study, block))
        else None
        for person in people
    }
    if not any(readings.values()):
        raise GeppettoError(_nothing_known(strategy, rule, study, list(readings)))
    return Preview(
        strategy=strategy,
        study=study.name,
        item=item_name,
        model=model.identity.name if model else None,
        placement=rule.placement,
        drawn_from=None if participants else len(study.people),
        frame=wanted.frame(people[0], Persona(PLACE, rule.placement)),
        people=readings,
    )


@dataclass(frozen=True)
class _SurveyReader:
    """One item as it is put before a model, or before any."""

    study: Study
    item: Item
    layout: Layout
    model: Scorer | None

    def block(self, rule: PersonaStrategy, study: Study) -> Block:
        """What a prediction of the item may know."""
        split = blocks(rule, study, list(study.items))
        return next(block for block in split if self.item.name in block.predicted)

    def frame(self, _: Participant, place: Persona) -> Passage:
        """What is the same for everybody."""
        return self.passage(place)

    def passage(self, own: Persona | None) -> Passage:
        """All of a prompt as one text."""
        title = self.model.identity.name if self.model else "base models: plain text"
        template = self.model.template if self.model else None
        return Passage(title, render(self.study, self.item, own, self.layout, template).text)

    def reading(self, _: Participant, own: Persona) -> Reading:
        """What is read with a persona."""
        whole = self.passage(own)
        if self.model is None:
            answer = self.layout.answer_to(self.study.scale(self.item))
            passages = (
                whole,
                *(
                    Passage(f"chat models: {turn.role} turn", turn.content)
                    for turn in turns(self.study, self.item, own, self.layout)
                ),
                Passage("chat models: beginning of the answer", answer_cue(answer)),
            )
            return Reading(own.text, passages, Length.of(own.text), Length.of(whole.text))
        tokens = len(self.model.tokenize(whole.text))
        added = tokens - len(self.model.tokenize(self.passage(None).text))
        title = f"{whole.title}, {tokens:,} tokens, {added:,} of them the persona's"
        return Reading(
            own.text,
            (Passage(title, whole.text),),
            Length.of(own.text, added),
            Length.of(whole.text, tokens),
        )


def _refuse_settings_of_surveys(
    study: Study, item: str | None, layout: Mapping[str, Any] | None
) -> None:
    for option, value in (("--item", item), ("--layout", layout)):
        if value:
            raise GeppettoError(
                f"{option}: {study.name} has sessions, which share no items; remove it"
            )


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


def _layout(settings: Mapping[str, Any]) -> Layout:
    for name in settings:
        if name not in Layout.model_fields:
            raise unknown("setting", name, Layout.model_fields, "the layout")
    try:
        return Layout.model_validate(settings)
    except ValidationError as error:
        first = error.errors()[0]
        raise GeppettoError(
            f"layout: {first['loc'][0]} is {first['input']!r}; {first['msg'].lower()}"
        ) from error


def _model(name: str | None) -> Scorer | None:
    if name is None:
        return None
    from geppetto.models.spec import ModelSpec, open_scorer

    return open_scorer(ModelSpec.model_validate(name))


def _nothing_known(
    strategy: str, rule: PersonaStrategy, study: Study, people: Sequence[str]
) -> str:
    who = f"participant {people[0]}" if len(people) == 1 else f"participants {', '.join(people)}"
    message = f"nothing is known of {who} that {strategy} could show"
    if not study.traits and "answers" in type(rule).model_fields:
        message += f"; study {study.name} has no traits, so show answers: --set answers={{}}"
    return message
