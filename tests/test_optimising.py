"""From an optimiser's program to its confirmation and its artifact."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from mlflow import MlflowClient

import geppetto
from geppetto.commissioning import Writers
from geppetto.errors import GeppettoError
from geppetto.evaluation.analysis import Analysis
from geppetto.given import Writer
from geppetto.named import Named
from geppetto.optimising import Improvement
from geppetto.personas.arms import Own
from geppetto.plan import Strategy
from geppetto.planning import make_plan
from geppetto.prompts.layout import Layout
from instructed import prepared, profile, speakers


def test_a_compiled_program_is_confirmed_on_test_people_and_logged(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = prepared(ready)
    search = replace(
        search,
        experiment=search.experiment.model_copy(
            update={
                "arms": tuple(map(Named.model_validate, ("none", "shuffled", "own"))),
                "analysis": Analysis(draws=200),
            }
        ),
    )
    monkeypatch.setattr(Writers, "_open", lambda _, name: speakers()[name])
    monkeypatch.setattr("geppetto.search.prepare.search_of_file", lambda *_: search)
    found = geppetto.optimise(
        ready / "i.yaml",
        "written_profile",
        {"writer": "scripted"},
        ready,
        optimiser="mipro",
        reflector="thinker",
        calls=40,
    )
    assert set(found.results.answers["participant"]) == set(search.split.test)
    informations = {
        verdict.effect.strategy: verdict.effect.nats.value
        for verdict in found.results.verdicts()
        if verdict.confirmatory
    }
    own = "written_profile(writer=scripted)"
    assert set(informations) == {"winner", own}
    assert informations["winner"] > 0.3
    effect = found.gain.verdict.effect
    assert effect.nats.value == pytest.approx(informations["winner"] - informations[own])
    assert effect.participants == len(search.split.test)
    assert found.results.analysis.looks == found.gain.verdict.looks
    assert "of people who took no part" in found.gain.sentence
    assert "optimistic" in found.optimised.sentence
    assert found.compiled.parameters["program"] == "programs/i-written_profile-mipro.json"
    client = MlflowClient(f"sqlite:///{ready}/mlruns/mlflow.db")
    run = client.get_run(found.tracked.run_id)
    assert run.data.metrics["gain"] == pytest.approx(effect.nats.value)
    assert run.data.metrics["search_people/after_optimistic"] == found.optimised.after
    assert found.gain.sentence in run.data.tags["mlflow.note.content"]
    assert found.dropped == {} and found.sentence == found.gain.sentence
    artifacts = client.list_artifacts(found.tracked.run_id, "program")
    assert [each.path for each in artifacts] == ["program/i-written_profile-mipro.json"]
    again = profile(ready, program="programs/i-written_profile-mipro.json")
    assert again.compiled == found.optimised.state.read_text("utf-8")
    (taught,) = again.taught_by
    assert (taught.study, taught.people) == (search.study.name, search.split.search)
    people, asked = list(search.study.people.values()), [Strategy("w", "w", again)]
    everybody = search.writers.having_written(
        lambda: make_plan(
            search.study, people, search.items, asked, [Own()], Layout(), [search.model]
        )
    )
    assert set(everybody.participants) == set(search.split.test)
    why = dict.fromkeys(search.split.search, "whose answers the program of w was made from")
    assert everybody.dropped == why
    other = search.study.codebook.model_copy(update={"name": "others"})
    elsewhere = Writer(replace(search.study, codebook=other), asked[0], search.items, [again])
    assert elsewhere.taught_by == frozenset() and not profile(ready).taught_by


def test_only_what_a_model_writes_can_be_optimised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geppetto.search.prepare.search_of_file", lambda *_: prepared(tmp_path))
    with pytest.raises(GeppettoError, match="interview writes its personas itself"):
        geppetto.optimise(tmp_path / "i.yaml", "interview", {}, tmp_path)
    with pytest.raises(GeppettoError, match="unknown optimiser 'gpea'; did you mean 'gepa'"):
        geppetto.optimise(tmp_path / "i.yaml", "interview", {}, tmp_path, optimiser="gpea")  # type: ignore[arg-type]


def test_test_people_who_are_left_out_are_told_beside_the_gain() -> None:
    told: Any = SimpleNamespace(
        gain=SimpleNamespace(sentence="better."),
        dropped={"p1": "of whom nothing is", "p2": "of whom nothing is"},
    )
    sentence: Any = Improvement.sentence
    assert sentence.fget(told) == (
        "better. It says nothing of 2 test people: 2 of whom nothing is."
    )
