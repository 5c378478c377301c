"""From an optimiser's program to its confirmation and its artifact."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import Mock

import pytest
from mlflow import MlflowClient

import geppetto
from geppetto._util.errors import GeppettoError
from geppetto._util.named import Named
from geppetto.answers.store import AnswerStore
from geppetto.experiment.persona_writers import Writers
from geppetto.experiment.prepare import strategies_of
from geppetto.personas.arms import Own
from geppetto.personas.generated import GeneratedStrategy
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.assignment import PersonaCache
from geppetto.planning.build import make_plan
from geppetto.planning.config import Experiment
from geppetto.planning.elicited import by_likelihood
from geppetto.planning.plan import Strategy
from geppetto.prompts.survey import Layout
from geppetto.search import run_optimise
from geppetto.search.prepare import PreparedSearch
from geppetto.search.run_optimise import Improvement, improve
from geppetto.search.scoring import Candidate, InfeasibleError
from instructed import NAMED, prepared, profile, text_models


def test_a_compiled_program_is_confirmed_on_test_people_and_logged(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = confirmable(ready)
    monkeypatch.setattr(Writers, "_open", lambda _, name: text_models()[name])
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
    costs = found.results.metrics().query("arm == 'own'").set_index("strategy")["nll"]
    assert effect.nats.value == pytest.approx(costs[own] - costs["winner"])
    assert found.optimised.after > found.optimised.before == 0
    assert effect.participants == len(search.split.test)
    assert found.results.analysis.looks == found.gain.verdict.looks
    assert "people who took no part" in found.gain.sentence
    assert "the strategy's own instruction" in found.gain.sentence
    assert "optimistic" in found.optimised.sentence
    program = found.compiled.parameters["program"]
    assert re.fullmatch(r"programs/i-written_profile-mipro-[0-9a-f]{8}\.json", program)
    client = MlflowClient(f"sqlite:///{ready}/mlruns/mlflow.db")
    run = client.get_run(found.tracked.run_id)
    assert run.data.metrics["gain"] == pytest.approx(effect.nats.value)
    assert run.data.metrics["search_people/after_optimistic"] == found.optimised.after
    assert found.gain.sentence in run.data.tags["mlflow.note.content"]
    assert found.dropped == {} and found.sentence == found.gain.sentence
    artifacts = client.list_artifacts(found.tracked.run_id, "program")
    assert [each.path for each in artifacts] == [program.replace("programs", "program")]
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_artifact", Mock(side_effect=AssertionError))
        run_optimise._log(found, ready, shows_people=False)
    again = pasted(ready, found.compiled.in_yaml)
    assert again.compiled == found.optimised.state.read_text("utf-8")
    assert again.model_dump() == rule.model_dump() | {"program": program}
    (with_training,) = again.trained_on
    assert (with_training.study, with_training.people) == (search.study.name, search.split.search)
    people, asked = list(search.study.people.values()), [Strategy("w", "w", again)]
    (everybody,) = search.writers.complete(
        lambda: [
            make_plan(
                search.study,
                people,
                search.items,
                asked,
                [Own()],
                Layout(),
                [by_likelihood(search.model)],
            )
        ]
    )
    assert set(everybody.participants) == set(search.split.test)
    why = dict.fromkeys(search.split.search, "whose answers the program of w was made from")
    assert everybody.dropped == why
    scorer = search.scorer(AnswerStore.at(ready / "answers.db"))
    tested, (learnt, *_) = list(search.split.test), search.split.search
    refused = f"of {len(tested) + 1} people: 1 whose .*program of w .*; take other `participants`"
    with pytest.raises(InfeasibleError, match=refused):
        scorer(Candidate(asked[0], Layout()), [*tested, learnt])
    assert set(scorer(Candidate(asked[0], Layout()), tested).scores) == set(tested)
    other = search.study.codebook.model_copy(update={"name": "others"})
    elsewhere = PersonaCache(replace(search.study, codebook=other), asked[0], search.items, [again])
    assert elsewhere.trained_on == frozenset() and not profile(ready).trained_on


def test_only_what_a_model_writes_can_be_optimised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geppetto.search.prepare.search_of_file", lambda *_: prepared(tmp_path))
    with pytest.raises(GeppettoError, match="interview writes its personas itself"):
        geppetto.optimise(tmp_path / "i.yaml", "interview", {}, tmp_path)
    with pytest.raises(GeppettoError, match="unknown optimiser 'gpea'; did you mean 'gepa'"):
        misspelt: Any = "gpea"
        geppetto.optimise(tmp_path / "i.yaml", "interview", {}, tmp_path, optimiser=misspelt)


def test_test_people_who_are_left_out_are_told_beside_the_gain() -> None:
    told: Any = SimpleNamespace(
        gain=SimpleNamespace(sentence="better."),
        dropped={"p1": "of whom nothing is", "p2": "of whom nothing is"},
    )
    sentence: Any = Improvement.sentence
    assert sentence.fget(told) == (
        "better. It says nothing of 2 test people: 2 of whom nothing is."
    )


def test_an_optimiser_that_changes_nothing_is_not_confirmed(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Writers, "_open", lambda _, name: text_models()[name])
    search, rule = confirmable(ready), profile(ready)
    with pytest.raises(GeppettoError, match=r"nothing better.* within 2 calls"):
        improve(search, "written_profile", rule, "bootstrap", reflector="thinker", calls=2)


def confirmable(workspace: Path) -> PreparedSearch:
    search = prepared(workspace)
    arms = tuple(map(Named.model_validate, ("none", "shuffled", "own")))
    update = {"arms": arms, "analysis": Analysis(draws=200)}
    return replace(search, experiment=search.experiment.model_copy(update=update))


def pasted(workspace: Path, line: str) -> GeneratedStrategy:
    """The strategy of an experiment file that names it as the command says."""
    file = workspace / "experiments" / "pasted.yaml"
    file.parent.mkdir(exist_ok=True)
    models = json.dumps([spec.model_dump(include={"name", "model"}) for spec in NAMED])
    file.write_text(
        f'question: "?"\nstudy: bfi\nmodels: {models}\narms: [own]\nstrategies:\n  - {line}\n'
    )
    (strategy,) = strategies_of(Experiment.from_file(file), workspace)
    assert isinstance(strategy.rule, GeneratedStrategy)
    return strategy.rule
