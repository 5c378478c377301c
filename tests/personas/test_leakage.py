"""No persona knows a response that it is to predict, whatever the strategy is told to say."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import chain
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from geppetto._util.errors import GeppettoError
from geppetto.personas import Format, PersonaStrategy
from geppetto.personas.library import load_strategy, strategy_class
from geppetto.personas.visibility import Block, blocks, persona, view
from geppetto.studies import Codebook, Participant, Study, load_study
from workspaces import ROOT
from written import STRATEGIES, Parameters

COMPUTED = {
    "bfi": {"education": ["N3", "O1"], "age": ["A1"]},
    "gss_spending": {"polviews": ["natarms", "natfare"], "educ": ["nateduc"], "sex": ["natchld"]},
}
"""Traits that are taken to be computed from items here, as no bundled study has any."""

quick = settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])


@cache
def taking_part(name: str) -> tuple[Study, list[Participant]]:
    """A study with traits that give items away and norms of others, and those who take part."""
    study = load_study(name)
    codebook = study.codebook.model_dump(exclude_defaults=True)
    for trait in codebook["traits"]:
        trait["computed_from"] = COMPUTED[name].get(trait["name"], [])
    study = replace(study, codebook=Codebook.model_validate(codebook))
    people = list(study.people.values())[::40]
    return study.with_reference(people), people


def parameters_of(draw: st.DrawFn, model: type[BaseModel], study: Study) -> Parameters:
    """Some value for every parameter of a strategy, or of what it says."""
    found: Parameters = {}
    for name, field in model.model_fields.items():
        kinds = get_args(field.annotation)
        nested = [
            k
            for k in (field.annotation, *kinds)
            if isinstance(k, type) and issubclass(k, BaseModel)
        ]
        if name == "traits":
            found[name] = draw(
                st.none() | st.lists(st.sampled_from(list(study.traits)), unique=True)
            )
        elif name == "paraphrase":
            assert issubclass(model, PersonaStrategy)
            found[name] = draw(st.integers(0, len(model.paraphrases) - 1))
        elif nested:
            if field.default is not None or draw(st.booleans()):
                found[name] = parameters_of(draw, nested[0], study)
        elif kinds:
            found[name] = draw(st.sampled_from(kinds))
        elif field.annotation is int:
            found[name] = draw(st.integers(1, 30))
        else:
            assert field.annotation is type(None), f"{name}: how is it to be drawn?"
    return found


@st.composite
def told(draw: st.DrawFn, study_name: str) -> tuple[PersonaStrategy, Participant, Study]:
    """Any strategy with any parameters, and a participant of a study."""
    study, people = taking_part(study_name)
    name = draw(st.sampled_from(STRATEGIES))
    asked = parameters_of(draw, strategy_class(name, ROOT), study)
    return load_strategy(name, asked, ROOT), draw(st.sampled_from(people)), study


def other(draw: st.DrawFn, now: Any, values: list[Any]) -> Any:
    """Another value, or None for none."""
    return draw(st.sampled_from([value for value in [*values, None] if value != now]))


def without_none(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def with_other_secrets(
    draw: st.DrawFn, person: Participant, study: Study, block: Block
) -> Participant:
    """The same person, of whom everything that a block must not know is different."""
    responses: dict[str, Any] = dict(person.responses)
    for item in block.predicted:
        options = list(study.scale(study.items[item]).options)
        responses[item] = other(draw, person.responses.get(item), options)
    traits: dict[str, Any] = dict(person.traits)
    for trait in study.codebook.traits:
        if set(trait.computed_from) & set(block.predicted):
            values = list(trait.values.values()) if trait.values else [1.0, 2.0, 99.0]
            traits[trait.name] = other(draw, person.traits.get(trait.name), values)
    retest = {item: next(iter(study.scale(study.items[item]).options)) for item in study.items}
    return replace(
        person, responses=without_none(responses), traits=without_none(traits), retest=retest
    )


def said(strategy: PersonaStrategy, person: Participant, study: Study, block: Block) -> str:
    """The persona's text, or why there is none."""
    try:
        written = persona(strategy, view(strategy, person, study, block), study, block)
    except GeppettoError as error:
        return f"refused: {error}"
    return "" if written is None else written.text


@pytest.mark.parametrize("study_name", COMPUTED)
def test_a_persona_does_not_depend_on_what_it_is_to_predict(study_name: str) -> None:
    visible_study = {"text": 0}

    @quick
    @given(st.data())
    def holds(data: st.DataObject) -> None:
        strategy, person, study = data.draw(told(study_name))
        split = blocks(strategy, study, list(study.items))
        assert sorted(chain.from_iterable(b.predicted for b in split)) == sorted(study.items)
        block = data.draw(st.sampled_from([b for b in split if b.predicted]))
        changed = data.draw(st.composite(with_other_secrets)(person, study, block))
        text = said(strategy, person, study, block)
        assert said(strategy, changed, study, block) == text
        for item in block.predicted:
            assert study.items[item].text.removesuffix(".") not in text
        visible_study["text"] += bool(text) and not text.startswith("refused")

    holds()
    assert visible_study["text"] > 15  # many are refused: gss_spending has no scores


@pytest.mark.parametrize("choose", ["random", "related", "all"])
@pytest.mark.parametrize("name", [n for n in STRATEGIES if n != "name_cue"])
def test_personas_do_depend_on_the_answers_that_they_may_know(name: str, choose: str) -> None:
    study, people = taking_part("gss_spending")
    person = next(p for p in people if len(p.responses) == len(study.items))
    answers = {"choose": choose, "k": 5}
    asked = answers if name == "known_answers" else {"answers": answers, "traits": []}
    if name == "scores":
        study, people = taking_part("bfi")
        person = next(p for p in people if len(p.responses) == len(study.items))
    strategy = load_strategy(name, asked, ROOT)
    block = blocks(strategy, study, list(study.items))[0]
    options = {item: list(study.scale(study.items[item]).options) for item in study.items}
    moved = {
        item: options[item][options[item].index(code) - 1]
        for item, code in person.responses.items()
        if item in block.known
    }
    changed = replace(person, responses={**person.responses, **moved})
    assert said(strategy, changed, study, block) != said(strategy, person, study, block)
    assert isinstance(strategy, Format)
    facts = strategy.facts(
        view(strategy, person, study, block),
        replace(study.without_people, asked=block.predicted),
    )
    shown = {fact.name for fact in facts} & set(study.items)
    assert len(shown) == (len(block.known) if choose == "all" else 5)
    assert not shown & set(block.predicted)


@settings(max_examples=8, phases=[Phase.generate])  # shrinking takes minutes
@given(st.data())
def test_nobody_who_takes_part_is_learnt_from(data: st.DataObject) -> None:
    study = load_study("bfi")
    people = data.draw(st.lists(st.sampled_from(list(study.people.values())), min_size=2))
    changed = {
        person.id: replace(
            person, responses={item: data.draw(st.sampled_from("123456")) for item in study.items}
        )
        for person in people
    }
    one = study.with_reference(people)
    two = replace(study, people={**study.people, **changed}).with_reference(people)
    assert one.reference is not None and two.reference is not None
    assert one.reference.people == len(study.people) - len({person.id for person in people})
    assert np.array_equal(one.reference.mean, two.reference.mean)
    assert np.array_equal(one.reference.covariance, two.reference.covariance)
    for asked in ({"scores": {"shown_as": "percentile"}}, {"answers": {"choose": "related"}}):
        strategy = load_strategy("portrait", asked, ROOT)
        block = blocks(strategy, study, list(study.items))[0]
        assert said(strategy, people[0], one, block) == said(strategy, people[0], two, block)


def test_people_who_take_no_part_are_learnt_from() -> None:
    study = load_study("bfi")
    first, second, *_ = study.people.values()
    changed = replace(second, responses=dict.fromkeys(study.items, "6"))
    other_people = replace(study, people={**study.people, second.id: changed})
    one, two = study.with_reference([first]), other_people.with_reference([first])
    assert one.reference is not None and two.reference is not None
    assert not np.array_equal(one.reference.mean, two.reference.mean)


def test_a_participant_of_whom_too_much_is_seen_is_refused() -> None:
    study, _ = taking_part("bfi")
    person = study.participant("61623")
    strategy = load_strategy("interview", {}, ROOT)
    block = next(b for b in blocks(strategy, study, list(study.items)) if "N3" in b.predicted)
    assert block.hidden == {"education"}
    seen = view(strategy, person, study, block)
    assert persona(strategy, seen, study, block) is not None
    also = set(study.trait("education").computed_from)
    first = min(also.intersection(block.predicted))
    for more, item in (
        (replace(seen, responses={"N3": "2"}), "N3"),
        (replace(seen, traits={**seen.traits, "education": "Some college"}), first),
    ):
        told = f"the response to {item} must not be known when it is predicted"
        with pytest.raises(ValueError, match=told):
            persona(strategy, more, study, block)
    with pytest.raises(ValueError, match="a second response must not be known"):
        persona(strategy, replace(seen, retest={"A1": "2"}), study, block)
