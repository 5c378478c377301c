"""What a strategy makes a model read, without asking any model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from geppetto.errors import GeppettoError, unknown
from geppetto.personas.known import blocks, persona, view
from geppetto.personas.library import load_strategy
from geppetto.prompts.layout import Layout, answer_cue, render, turns
from geppetto.studies import load_study


def preview(
    strategy: str,
    settings: Sequence[str],
    study_name: str,
    participant_id: str,
    item_name: str | None,
    model_name: str | None,
    workspace: Path,
) -> Iterator[tuple[str, str]]:
    """The prompt for one item of one participant, as titled texts.

    Without a model: as plain text, which base models read, and as the turns that a chat template
    is filled with. With one: the very text that the model reads, and how many tokens it has.

    Raises
    ------
    GeppettoError
        If a name is unknown, or nothing is known of the participant that the strategy shows.
    """
    study = load_study(study_name, workspace)
    rule = load_strategy(strategy, dict(map(_setting, settings)), workspace)
    for trait in rule.traits or ():
        study.trait(trait)
    person = study.participant(participant_id)
    item_name = item_name or next(iter(study.items))
    if item_name not in study.items:
        raise unknown("item", item_name, study.items, f"study {study.name}")
    item = study.items[item_name]
    block = next(b for b in blocks(rule, study, list(study.items)) if item_name in b.predicted)
    study = study.with_reference([person])
    own = persona(rule, view(rule, person, study, block), study, block)
    if own is None:
        raise GeppettoError(
            f"nothing is known of participant {participant_id} that {strategy} could show"
        )
    layout = Layout()
    if model_name is None:
        yield "base models: plain text", render(study, item, own, layout, None).text
        for turn in turns(study, item, own, layout):
            yield f"chat models: {turn.role} turn", turn.content
        yield "chat models: beginning of the answer", answer_cue(layout)
        return
    from geppetto.experiment import ModelSpec, open_model

    model = open_model(ModelSpec.model_validate(model_name))
    text = render(study, item, own, layout, model.template).text
    yield f"{model.identity.name}, {len(model.tokenize(text))} tokens", text


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    if not equals:
        raise GeppettoError(f"--set {text}: write it as name=value, for example --set k=5")
    try:
        return name, yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise GeppettoError(f"--set {text}: {value!r} is not a YAML value") from error
