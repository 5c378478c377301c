"""Optimising a writer's instruction: the measure is own NLL, and a better one is found."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.local import answer
from geppetto.answers.store import AnswerStore
from geppetto.answers.table import answers_table
from geppetto.elicitation.option_likelihood import units
from geppetto.models.requests import Completion, Request
from geppetto.personas.arms import NoPersona, Own
from geppetto.personas.base import Persona
from geppetto.personas.library import load_strategy
from geppetto.personas.visibility import persona
from geppetto.planning.build import make_plan
from geppetto.planning.elicited import by_likelihood
from geppetto.planning.plan import Strategy
from geppetto.prompts.survey import Layout
from geppetto.search.optimisers import Optimiser
from geppetto.search.worth import Worth, cases
from instructed import SexModel, optimised, prepared, says, sexes, text_models
from speaking import ScriptedModel


def test_what_personas_are_worth_is_what_own_saves_over_none(tmp_path: Path) -> None:
    study, model, items = sexes(), FakeModel(), ["q1", "q2"]
    store = AnswerStore.at(tmp_path / "answers.db")
    rule = load_strategy("biography", {}, tmp_path)
    worth = Worth(study, Layout(), model, store)
    saved: list[float] = []
    for case in cases(rule, study, list(study.people), items):
        own = persona(rule, case.seen, study, case.block)
        assert own is not None
        saved += worth.saved(own, case.person, items).values()

    people = list(study.people.values())
    arms = [Own(), NoPersona()]
    plan = make_plan(
        study, people, items, [Strategy("b", "b", rule)], arms, Layout(), [by_likelihood(model)]
    )
    for _ in answer(model, list(units(plan.prompts["fake"], model)), store):
        pass
    table = answers_table(plan, store.get(plan.prompts["fake"]), study, "e")
    nll = -table.groupby("arm")["log_prob_of_options"].mean()
    assert np.isclose(np.mean(saved), nll["none"] - nll["own"], atol=1e-9)
    assert abs(np.mean(saved)) > 1e-4


def test_nothing_is_won_by_making_strangers_worse(tmp_path: Path) -> None:
    """Facts that are used too strongly cost, though strangers' personas then cost still more."""
    study, store = sexes(), AnswerStore.at(tmp_path / "answers.db")
    person = study.people["p00"]
    other = replace(study, people={"p00": replace(person, responses={"q1": "3"})})
    for lies, surely in ((study, 0.875), (other, -1.204)):
        worth = Worth(lies, Layout(), SexModel(), store)
        saved = worth.saved(Persona("Male", "task"), lies.people["p00"], ["q1", "q2"])
        assert list(saved) == list(lies.people["p00"].responses)  # none for an item without one
        assert saved["q1"] == pytest.approx(surely, abs=1e-3)
    rule = load_strategy("biography", {}, tmp_path)
    assert [case.person.id for case in cases(rule, other, ["p00"], ["q1"])] == ["p00"]
    assert cases(rule, other, ["p00"], ["q2"]) == []


def test_nobody_but_search_people_is_looked_at(workspace: Path) -> None:
    search, asked = prepared(workspace), text_models()
    optimised(workspace, "bootstrap", asked, calls=4, search=search)
    writer = asked["scripted"]
    assert isinstance(writer, ScriptedModel)
    read = "".join(turn.content for each in writer.requests for turn in each.turns)
    ages = {
        name: f"- age: {person.traits['age']:g}\n" for name, person in search.study.people.items()
    }
    assert any(ages[name] in read for name in search.split.search)
    assert not any(ages[name] in read for name in search.split.test)


@pytest.mark.parametrize("optimiser", ["gepa", "mipro"])
def test_a_reflector_reads_no_answer_that_is_predicted(
    workspace: Path, optimiser: Optimiser
) -> None:
    asked = text_models()
    optimised(workspace, optimiser, asked, calls=20)
    thinker = asked["thinker"]
    assert isinstance(thinker, ScriptedModel)
    read = "".join(turn.content for each in thinker.requests for turn in each.turns)
    assert read
    assert "Participant(" not in read and "Case(" not in read


def test_a_text_that_was_cut_off_is_worth_nothing(workspace: Path) -> None:
    cut = ScriptedModel(lambda *_: "A man. Male", finish="length")
    found = optimised(workspace, "bootstrap", {**text_models(), "scripted": cut}, calls=1)
    assert (found.failed_before, found.before) == (found.cases, 0)
    assert not found.optimistic and "optimistic" not in found.sentence
    assert "counts as 0" in found.sentence


@pytest.mark.parametrize("optimiser", ["gepa", "mipro"])
def test_an_optimiser_whose_requests_fail_ends_at_once_and_compiles_nothing(
    workspace: Path, optimiser: Optimiser
) -> None:
    @dataclass
    class Mute(ScriptedModel):
        async def completion(self, request: Request) -> Completion:
            self.requests.append(request)
            return Completion(finish="error", error="the line is dead")

    mute = Mute(says)
    with pytest.raises(GeppettoError, match=r"the line is dead.*run it again"):
        optimised(workspace, optimiser, {**text_models(), "thinker": mute}, calls=30)
    assert len(mute.requests) == 1
    assert not (workspace / "programs").exists()


def test_another_wording_cannot_be_optimised(workspace: Path) -> None:
    asked = text_models()
    with pytest.raises(GeppettoError, match="leave paraphrase out"):
        optimised(workspace, "gepa", asked, calls=30, paraphrase=1)
    writer = asked["scripted"]
    assert isinstance(writer, ScriptedModel)
    assert not writer.requests
