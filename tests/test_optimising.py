"""From an optimiser's program to its confirmation and its artifact."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from mlflow import MlflowClient

from geppetto.commissioning import Writers
from geppetto.errors import GeppettoError
from geppetto.evaluation.analysis import Analysis
from geppetto.experiment import Experiment, strategies_of
from geppetto.named import Named
from geppetto.optimising import improve
from geppetto.personas.written import WrittenStrategy
from geppetto.search.prepare import PreparedSearch
from instructed import NAMED, prepared, profile, speakers


def test_a_compiled_program_is_confirmed_on_test_people_and_logged(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = confirmable(ready)
    monkeypatch.setattr(Writers, "_open", lambda _, name: speakers()[name])
    rule = profile(ready, temperature=0.5, traits=["sex", "age"], longest=64)
    found = improve(search, "written_profile", rule, "mipro", reflector="thinker", calls=40)
    assert set(found.results.answers["participant"]) == set(search.split.test)
    informations = {
        verdict.effect.strategy: verdict.effect.nats.value
        for verdict in found.results.verdicts()
        if verdict.confirmatory
    }
    own = "written_profile(traits=('sex', 'age'), writer=scripted, temperature=0.5, longest=64)"
    assert set(informations) == {"winner", own}
    assert informations["winner"] > 0.3
    effect = found.gain.verdict.effect
    assert effect.nats.value == pytest.approx(informations["winner"] - informations[own])
    assert effect.participants == len(search.split.test)
    assert found.results.analysis.looks == found.gain.verdict.looks
    assert "of people who took no part" in found.gain.sentence
    assert "optimistic" in found.optimised.sentence
    program = found.compiled.parameters["program"]
    assert re.fullmatch(r"programs/i-written_profile-mipro-[0-9a-f]{8}\.json", program)
    client = MlflowClient(f"sqlite:///{ready}/mlruns/mlflow.db")
    run = client.get_run(found.tracked.run_id)
    assert run.data.metrics["gain"] == pytest.approx(effect.nats.value)
    assert run.data.metrics["search_people/after_optimistic"] == found.optimised.after
    assert found.gain.sentence in run.data.tags["mlflow.note.content"]
    artifacts = client.list_artifacts(found.tracked.run_id, "program")
    assert [each.path for each in artifacts] == [program.replace("programs", "program")]
    again = pasted(ready, found.compiled.in_yaml)
    assert again.compiled == found.optimised.state.read_text("utf-8")
    assert again.model_dump() == rule.model_dump() | {"program": program}


def test_an_optimiser_that_changes_nothing_is_not_confirmed(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Writers, "_open", lambda _, name: speakers()[name])
    search, rule = confirmable(ready), profile(ready)
    with pytest.raises(GeppettoError, match=r"nothing better.* within 2 calls"):
        improve(search, "written_profile", rule, "bootstrap", reflector="thinker", calls=2)


def confirmable(workspace: Path) -> PreparedSearch:
    search = prepared(workspace)
    arms = tuple(map(Named.model_validate, ("none", "shuffled", "own")))
    update = {"arms": arms, "analysis": Analysis(draws=200)}
    return replace(search, experiment=search.experiment.model_copy(update=update))


def pasted(workspace: Path, line: str) -> WrittenStrategy:
    """The strategy of an experiment file that names it as the command says."""
    file = workspace / "experiments" / "pasted.yaml"
    file.parent.mkdir(exist_ok=True)
    models = json.dumps([spec.model_dump(include={"name", "model"}) for spec in NAMED])
    file.write_text(
        f'question: "?"\nstudy: bfi\nmodels: {models}\narms: [own]\nstrategies:\n  - {line}\n'
    )
    (strategy,) = strategies_of(Experiment.from_file(file), workspace)
    assert isinstance(strategy.rule, WrittenStrategy)
    return strategy.rule
