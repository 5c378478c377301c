"""Optimising a writer's instruction: the measure is information, and a better one is found."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mlflow import MlflowClient

from conftest import FakeModel
from geppetto.answers.store import AnswerStore
from geppetto.answers.table import answers_table
from geppetto.asking import answer
from geppetto.elicitation.option_likelihood import units
from geppetto.errors import GeppettoError
from geppetto.evaluation.analysis import Analysis
from geppetto.experiment import Experiment
from geppetto.models.speaker import Reply, Request, Speaker
from geppetto.named import Named
from geppetto.optimising import improve
from geppetto.personas.arms import Own, Shuffled
from geppetto.personas.known import persona
from geppetto.personas.library import load_strategy
from geppetto.personas.written import WrittenStrategy
from geppetto.plan import Strategy
from geppetto.planning import make_plan
from geppetto.prompts.chat import Turn
from geppetto.prompts.layout import Layout
from geppetto.search.exchange import Exchange, cases
from geppetto.search.instruction import Optimiser, optimise
from geppetto.search.prepare import PreparedSearch
from geppetto.search.space import Record, Space
from geppetto.search.split import split
from geppetto.studies import Study
from geppetto.studies.bundled import study_from_table
from invented import codebook
from speaking import ScriptedSpeaker, told

BETTER = "Name the sex of the person."


class SexModel(FakeModel):
    """Thinks that men say 1 and women 3, and knows nothing else."""

    def log_prob(self, path: bytes) -> float:  # type: ignore[override]
        likely = b"1" if b"Male" in path else b"3" if b"Female" in path else b""
        if path[-1:] not in b"123":
            return -1.0
        return float(np.log(1 / 3 if not likely else 0.8 if path[-1:] == likely else 0.1))


def sexes(people: int = 24) -> Study:
    """People of whom sex and age are known, and who all answer as `SexModel` thinks."""
    asked = codebook(
        name="sexes",
        traits=[
            {"name": "age", "label": "age", "question": "How old are you?"},
            {
                "name": "sex",
                "label": "sex",
                "question": "Which sex?",
                "values": {"1": "Male", "2": "Female"},
            },
        ],
        scales={"three": {"options": {"1": "No", "2": "Somewhat", "3": "Yes"}}},
        items=[{"name": f"q{n}", "text": f"I am {n}.", "scale": "three"} for n in (1, 2)],
    )
    rows = [
        (f"p{n:02}", str(20 + n), str(1 + n % 2), *(["1", "1"] if n % 2 == 0 else ["3", "3"]))
        for n in range(people)
    ]
    return study_from_table(asked, pd.DataFrame(rows, columns=["id", "age", "sex", "q1", "q2"]))


def prepared(workspace: Path) -> PreparedSearch:
    study = sexes()
    search = {"strategies": [{"written_profile": {"writer": "scripted"}}], "trials": 1}
    experiment = Experiment.model_validate(
        {"name": "i", "question": "?", "study": "sexes", "models": ["fake"], "search": search}
    )
    assert experiment.search is not None
    return PreparedSearch(
        experiment,
        experiment.search,
        workspace,
        study,
        tuple(study.items),
        SexModel(),
        Space({}, Record(())),
        split(list(study.people.values()), [], 0.5, 0),
        (),
    )


def says(name: str, turns: Sequence[Turn]) -> str:
    """A profile that names the sex only if its instruction asks for it, or a demonstration does."""
    if BETTER in turns[0].content or any("A sex:" in turn.content for turn in turns[:-1]):
        (sex,) = [fact for fact in json.loads(told(turns, "facts")) if fact.startswith("sex")]
        return f"A {sex}"
    return "A person."


def reflects(name: str, turns: Sequence[Turn]) -> str:
    """Has one idea, whatever is asked."""
    return BETTER


def speakers() -> dict[str, Speaker]:
    return {"scripted": ScriptedSpeaker(says), "thinker": ScriptedSpeaker(reflects, name="thinker")}


def profile(workspace: Path, **given: object) -> WrittenStrategy:
    rule = load_strategy("written_profile", {"writer": "scripted", **given}, workspace)
    assert isinstance(rule, WrittenStrategy)
    return rule


def test_the_mean_gain_over_people_is_the_information_of_the_arms(tmp_path: Path) -> None:
    study, model, items = sexes(), FakeModel(), ["q1", "q2"]
    store = AnswerStore.at(tmp_path / "answers.db")
    rule = load_strategy("biography", {}, tmp_path)
    exchange = Exchange(study, Layout(), model, store)
    gains: list[float] = []
    for case in cases(rule, study, list(study.people), items, seed=3):
        own = persona(rule, case.seen, study, case.block)
        assert own is not None
        gains += exchange.gains(own, case.person, case.stranger, items).values()

    people = list(study.people.values())
    arms = [Own(), Shuffled(seed=3)]
    plan = make_plan(study, people, items, [Strategy("b", "b", rule)], arms, Layout(), [model])
    for _ in answer(model, list(units(plan.prompts["fake"], model)), store):
        pass
    table = answers_table(plan, store.get(plan.prompts["fake"]), study, "e")
    nll = -table.groupby("arm")["log_prob_of_options"].mean()
    assert np.isclose(np.mean(gains), nll["shuffled"] - nll["own"], atol=1e-9)
    assert abs(np.mean(gains)) > 1e-4


@pytest.mark.parametrize("optimiser", ["gepa", "mipro"])
def test_an_instruction_that_tells_people_apart_is_found(
    workspace: Path, optimiser: Optimiser
) -> None:
    search, store = prepared(workspace), AnswerStore.at(workspace / "answers.db")
    found = optimise(
        search,
        profile(workspace),
        optimiser,
        speakers(),
        store,
        workspace / "programs" / "better.json",
        reflector="thinker",
        calls=40,
    )
    assert found.before == 0
    assert found.after > 0.3
    assert found.failed_before == found.failed_after == 0
    state = found.state.read_text("utf-8")
    assert BETTER in state and "api_key" not in state
    rule = profile(workspace, program="programs/better.json")
    assert rule.made_of != profile(workspace).made_of


def test_nobody_but_search_people_is_looked_at(workspace: Path) -> None:
    search, asked = prepared(workspace), speakers()
    optimise(
        search,
        profile(workspace),
        "bootstrap",
        asked,
        AnswerStore.at(workspace / "answers.db"),
        workspace / "b.json",
        reflector="thinker",
        calls=4,
    )
    writer = asked["scripted"]
    assert isinstance(writer, ScriptedSpeaker)
    read = "".join(turn.content for each in writer.requests for turn in each.turns)
    ages = {
        name: f'"age: {person.traits["age"]:g}"' for name, person in search.study.people.items()
    }
    assert any(ages[name] in read for name in search.split.search)
    assert not any(ages[name] in read for name in search.split.test)


def test_an_optimiser_whose_requests_fail_compiles_nothing(workspace: Path) -> None:
    @dataclass
    class Mute(ScriptedSpeaker):
        async def reply(self, request: Request) -> Reply:
            return Reply(finish="error", error="the line is dead")

    with pytest.raises(GeppettoError, match="the line is dead"):
        optimise(
            prepared(workspace),
            profile(workspace),
            "gepa",
            {**speakers(), "thinker": Mute(says)},
            AnswerStore.at(workspace / "answers.db"),
            workspace / "b.json",
            reflector="thinker",
            calls=30,
        )
    assert not (workspace / "b.json").exists()


def test_a_compiled_program_is_confirmed_on_test_people_and_logged(ready: Path) -> None:
    search = prepared(ready)
    search = replace(
        search,
        experiment=search.experiment.model_copy(
            update={
                "strategies": (Named.model_validate({"written_profile": {"writer": "scripted"}}),),
                "arms": tuple(map(Named.model_validate, ("none", "shuffled", "own"))),
                "analysis": Analysis(draws=200),
            }
        ),
    )
    found = improve(
        search,
        "written_profile",
        profile(ready),
        "mipro",
        speakers().__getitem__,
        reflector="thinker",
        calls=40,
    )
    assert set(found.results.answers["participant"]) == set(search.split.test)
    informations = {
        verdict.effect.strategy: verdict.effect.estimate.value
        for verdict in found.results.verdicts()
        if verdict.confirmatory
    }
    assert set(informations) == {"winner", "written_profile(writer=scripted)"}
    assert informations["winner"] > 0.3
    artifacts = MlflowClient(f"sqlite:///{ready}/mlruns/mlflow.db").list_artifacts(
        found.tracked.run_id, "program"
    )
    assert [each.path for each in artifacts] == ["program/i-written_profile-mipro.json"]
    again = profile(ready, program="programs/i-written_profile-mipro.json")
    assert again.compiled == found.optimised.state.read_text("utf-8")
