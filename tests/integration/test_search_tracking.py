"""Searches in MLflow: a run a search, a child a trial, its confirmation and the winner's prompt."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import mlflow
import numpy as np
import pandas as pd
import pytest
import typer.testing
from mlflow import MlflowClient
from mlflow.entities import Run
from optuna.trial import TrialState

import geppetto
from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.cli import app
from geppetto.personas.visibility import blocks, persona, view
from geppetto.search import run as searching
from geppetto.search import tracking as searches
from geppetto.search.confirm import Confirmation
from geppetto.search.optimise import open_study, optimise
from geppetto.search.prepare import PreparedSearch
from geppetto.search.scoring import BatchScores, Candidate, InfeasibleError
from geppetto.tracking import mlflow_runs
from invented_search import QUICK, Invented, Stopping, only_end, prepared
from workspaces import ROOT, with_store

FILE = """
question: Which is best?
study: bfi
participants: {sample: 16, seed: 1, complete: true}
items: [A1, C1]
models: [fake]
arms: [shuffled, own]
analysis: {draws: 200}
search: {strategies: [interview: {answers: null, scores: null}], trials: 2, batch: 4}
"""


@pytest.fixture(scope="module")
def quick() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("GEPPETTO_ANSWERS", raising=False)
        patch.setattr(mlflow_runs, "finish", only_end)
        patch.setattr("geppetto.experiment.results.baseline_answers", lambda table, *_: table[:0])
        yield patch


@pytest.fixture
def place(tmp_path: Path, empty_store: Path, quick: pytest.MonkeyPatch) -> Path:
    return with_store(tmp_path, empty_store)


class Some:
    """Scores as invented; biographies cannot be scored."""

    def __call__(self, candidate: Candidate, people: Sequence[str]) -> BatchScores:
        if candidate.strategy.name == "biography":
            raise InfeasibleError("it does not please")
        return Invented()(candidate, people)


def made(place: Path, scorer: Any = None, **search: Any) -> tuple[PreparedSearch, Confirmation]:
    """A search that is confirmed by a fake model."""
    asked = prepared(place, model=FakeModel(), also=QUICK, **search)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(PreparedSearch, "scorer", lambda *_: scorer or Invented())
        return asked, searching.search(asked)


class Logged:
    """What the store of a workspace holds of its one search."""

    def __init__(self, place: Path) -> None:
        self.client = MlflowClient(f"sqlite:///{place}/mlruns/mlflow.db")
        experiment = self.client.get_experiment_by_name("invented")
        assert experiment is not None
        self.runs = self.client.search_runs([experiment.experiment_id])
        (self.search,) = [run for run in self.runs if "mlflow.parentRunId" not in run.data.tags]
        below = self.below(self.search)
        self.trials = {
            int(run.data.tags[searches.TRIAL]): run
            for run in below
            if searches.TRIAL in run.data.tags
        }
        self.confirmations = [run for run in below if searches.TRIAL not in run.data.tags]
        assert len(below) == len(self.trials) + len(self.confirmations)

    def below(self, parent: Run) -> list[Run]:
        of = parent.info.run_id
        return [run for run in self.runs if run.data.tags.get("mlflow.parentRunId") == of]

    def history(self, run: Run, metric: str) -> list[tuple[int, float]]:
        points = self.client.get_metric_history(run.info.run_id, metric)
        return [(point.step, point.value) for point in points]

    def text(self, name: str) -> str:
        uri = f"{self.search.info.artifact_uri}/{name}"
        return str(mlflow.artifacts.load_text(uri))

    def prompts(self, name: str = "invented-winner") -> list[Any]:
        return list(self.client.search_prompt_versions(name))

    def everything(self) -> list[Any]:
        """All that a further run must leave as it is."""
        return [
            (
                run.info.run_id,
                run.info.status,
                run.info.end_time,
                run.data.tags,
                {name: self.history(run, name) for name in run.data.metrics},
            )
            for run in self.runs
        ] + [len(self.prompts())]


@pytest.fixture(scope="module")
def searched(
    tmp_path_factory: pytest.TempPathFactory, empty_store: Path, quick: pytest.MonkeyPatch
) -> tuple[Path, PreparedSearch, Confirmation]:
    folder = with_store(tmp_path_factory.mktemp("searched"), empty_store)
    return folder, *made(folder, Some(), trials=14, prune=0.02, layout=["answer"])


Searched = tuple[Path, PreparedSearch, Confirmation]


def test_a_search_is_a_run_that_says_what_came_out(searched: Searched) -> None:
    folder, asked, confirmation = searched
    logged, found = Logged(folder), confirmation.search
    run = logged.search
    assert run.info.run_name == "search invented" and run.info.status == "FINISHED"
    params = {
        "study": "bfi",
        "model": "fake",
        "people_searched": "20",
        "people_kept": "20",
        "candidates": str(asked.space.size),
        "objective": "nll",
        "sampler": "tpe",
        "prune": "0.02",
        "seed": "0",
    }
    assert params.items() <= run.data.params.items()
    metrics = run.data.metrics
    assert metrics["search_score"] == pytest.approx(confirmation.searched)
    assert metrics["test_score"] == pytest.approx(confirmation.confirmed.value)
    assert metrics["optimism"] == pytest.approx(metrics["test_score"] - metrics["search_score"])
    assert metrics["trials"] == 14 and metrics["looks"] == 1
    assert metrics["complete"] == len(found.scores["nll"])
    weights = {f"importance/{name}": weight for name, weight in found.importances.items()}
    logged_weights = {name: metrics[name] for name in metrics if name.startswith("importance/")}
    assert logged_weights == pytest.approx(weights)
    tags = run.data.tags
    assert tags["geppetto.conclusion"] == confirmation.conclusion
    assert confirmation.conclusion.endswith(confirmation.sentences[-1])
    assert all(sentence in tags["mlflow.note.content"] for sentence in confirmation.sentences)
    assert found.winner.strategy.label in tags["geppetto.winner"]
    files = {each.path for each in logged.client.list_artifacts(run.info.run_id)}
    assert files - {"importances.png"} == {
        "settings.yaml",
        "people.json",
        "trials.csv",
        "scores_nll.csv",
        "trials.png",
        "winner.txt",
    }
    people = json.loads(logged.text("people.json"))
    assert people == {"search": list(found.search), "test": list(found.test)}
    scores = pd.read_csv(f"{run.info.artifact_uri}/scores_nll.csv", index_col=0)
    assert scores.to_numpy() == pytest.approx(found.scores["nll"].to_numpy())


def test_every_trial_is_a_child_with_everybodys_scores(searched: Searched) -> None:
    folder, asked, confirmation = searched
    logged, found = Logged(folder), confirmation.search
    study = open_study(asked)
    assert sorted(logged.trials) == found.trials["number"].tolist() == list(range(14))
    places = list(asked.study.people)
    states = set()
    for row in found.trials.to_dict("records"):
        run, trial = logged.trials[row["number"]], study.trials[row["number"]]
        states.add(row["state"])
        of_strategy = f"{trial.params['strategy']}."
        expected = {n.removeprefix(of_strategy): str(value) for n, value in trial.params.items()}
        answer = row["parameters"]["layout"]["answer"]
        label = row["strategy"] + ("" if answer == "number" else f" · answer {answer}")
        assert run.data.params == {**expected, "state": row["state"]}
        assert run.info.run_name == f"{row['number']}: {label}"
        assert run.data.tags["geppetto.state"] == row["state"]
        assert run.data.tags["geppetto.reason"] == row["reason"]
        assert run.info.status == ("FINISHED" if row["state"] == "complete" else "KILLED")
        assert run.data.metrics["people"] == row["people"]
        for work in ("asked", "reused", "computed", "seconds"):
            assert run.data.metrics.get(f"work/{work}", 0) == row[work]
        assert run.info.end_time - run.info.start_time >= 1000 * row["seconds"]
        if row["state"] == "infeasible":
            assert "nll" not in run.data.metrics
            continue
        assert run.data.metrics["nll"] == pytest.approx(row["nll"])
        history = dict(logged.history(run, "participants/nll"))
        assert len(history) == row["people"]
        if row["state"] == "complete":
            of_trial = found.scores["nll"].loc[row["number"]]
            assert history == {places.index(name): score for name, score in of_trial.items()}
        else:
            assert np.mean(list(history.values())) == pytest.approx(row["nll"])
    assert states == {"complete", "pruned", "infeasible"}


def test_the_confirmation_is_below_the_search(searched: Searched) -> None:
    folder, _, confirmation = searched
    logged = Logged(folder)
    (run,) = logged.confirmations
    assert run.info.run_name == "confirmation" and run.info.status == "FINISHED"
    assert run.data.params["participants"] == str(len(confirmation.search.test))
    assert run.data.params["strategies"] == "winner"


def test_the_winners_prompt_is_registered_and_shows_nobody(searched: Searched) -> None:
    folder, asked, confirmation = searched
    logged = Logged(folder)
    (version,) = logged.prompts()
    prompt = logged.client.get_prompt_version("invented-winner", 1)
    assert prompt is not None and prompt.version == version.version == 1
    assert prompt.template == logged.text("winner.txt")
    winner = confirmation.search.winner
    assert prompt.tags["strategy"] == winner.strategy.label
    assert json.loads(prompt.tags["layout"])["answer"] == winner.layout.answer
    assert prompt.tags["run"] == logged.search.info.run_id
    searched_on = {name: asked.study.people[name] for name in asked.split.search}
    without_others = replace(asked, study=replace(asked.study, people=searched_on))
    assert searches.winning_prompt(without_others, confirmation.search) == prompt.template
    rule, item = winner.strategy.rule, asked.items[0]
    block = next(b for b in blocks(rule, asked.study, asked.items) if item in b.predicted)
    for person in searched_on.values():
        own = persona(rule, view(rule, person, asked.study, block), asked.study, block)
        assert own is not None and own.text not in prompt.template


def test_the_same_search_again_logs_nothing(searched: Searched) -> None:
    folder, _, before = searched
    logged = Logged(folder).everything()
    _, again = made(folder, Some(), trials=14, prune=0.02, layout=["answer"])
    assert again.sentences == before.sentences
    assert Logged(folder).everything() == logged


def test_more_trials_go_on_in_the_same_run(place: Path) -> None:
    _, few = made(place, trials=1, prune=None)
    before = Logged(place)
    _, more = made(place, trials=2, prune=None)
    _, most = made(place, trials=4, prune=None)
    after = Logged(place)
    assert before.search.info.run_id == after.search.info.run_id
    assert after.search.info.status == "FINISHED" and sorted(after.trials) == list(range(4))
    assert after.trials[0].info.run_id == before.trials[0].info.run_id
    assert after.history(after.search, "trials") == [(0, 1.0), (0, 2.0), (0, 4.0)]
    assert after.search.data.metrics["search_score"] == pytest.approx(most.searched)
    assert "trials: 4" in after.text("settings.yaml")
    winners = [each.search.winner.strategy.label for each in (few, more, most)]
    assert winners[0] != winners[1] == winners[2]
    assert len(after.confirmations) == len(after.prompts()) == 2
    assert [few.looks, more.looks, most.looks] == [1, 4, 4]
    assert after.search.data.metrics["looks"] == 4
    assert most.search.importances == {}  # of four trials


class DyingError(BaseException):
    pass


@pytest.mark.parametrize("moment", ["create_run", "set_terminated"])
def test_a_trial_that_ended_unlogged_is_logged_by_the_next_process(
    moment: str, place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = getattr(MlflowClient, moment)
    calls = 0

    def dying(client: MlflowClient, *args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 3:
            raise DyingError
        return original(client, *args, **kwargs)

    monkeypatch.setattr(MlflowClient, moment, dying)
    with pytest.raises(DyingError):
        made(place, trials=4)
    assert len(Logged(place).trials) == (1 if moment == "create_run" else 3)
    made(place, trials=4)
    logged = Logged(place)
    assert sorted(logged.trials) == list(range(4))
    assert {run.info.status for run in logged.trials.values()} <= {"FINISHED", "KILLED"}


def test_a_search_that_died_after_its_confirmation_is_finished_by_the_next_process(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:

        def dying(*_: object) -> None:
            raise DyingError

        patch.setattr(searches, "_register", dying)
        with pytest.raises(DyingError):
            made(place, trials=2)
    logged = Logged(place)
    assert logged.confirmations[0].info.status == "FINISHED"
    assert logged.search.info.status == "RUNNING"
    made(place, trials=2)
    logged = Logged(place)
    assert len(logged.confirmations) == len(logged.prompts()) == 1
    assert logged.search.info.status == "FINISHED"


def test_a_search_of_which_a_part_cannot_be_logged_is_shown_and_logged_again(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("geppetto.search.figures.trials", Mock(side_effect=ValueError("no ink")))
        patch.setattr(searches, "_register", Mock(side_effect=ValueError("no ink")))
        _, confirmation = made(place, trials=2)
    assert confirmation.failures == ("trials.png, the winner's prompt failed: ValueError: no ink",)
    logged = Logged(place)
    assert logged.search.info.status == "FAILED" and "test_score" in logged.search.data.metrics
    assert not made(place, trials=2)[1].failures
    logged = Logged(place)
    assert logged.search.info.status == "FINISHED" and len(logged.prompts()) == 1


def test_a_notebook_finds_what_the_command_finds(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geppetto.search.prepare.open_scorer", lambda *_: FakeModel())
    (place / "x.yaml").write_text(FILE)
    confirmation = geppetto.run_search(place / "x.yaml", place)
    assert isinstance(confirmation, Confirmation) and len(confirmation.search.trials) == 2
    monkeypatch.chdir(place)
    shown = typer.testing.CliRunner().invoke(app, ["search", "x.yaml"])
    told = " ".join(shown.output.split())
    assert all(" ".join(each.split()) in told for each in confirmation.sentences)
    with pytest.raises(GeppettoError, match=r"x\.yaml: this file has no search; run"):
        (place / "x.yaml").write_text(FILE[: FILE.index("search:")] + "strategies: [interview]")
        geppetto.run_search(place / "x.yaml", place)


def test_two_processes_share_a_search_and_log_every_trial_once(place: Path) -> None:
    script = str(ROOT / "tests" / "helpers" / "invented_search.py")
    command = [sys.executable, script, str(place), "0.05", "6", "confirmed"]
    processes = [subprocess.Popen(command) for _ in range(2)]
    assert [process.wait() for process in processes] == [0, 0]
    logged = Logged(place)
    finished = {run.data.params["state"] for run in logged.trials.values()}
    assert len(logged.trials) == 6 and finished <= {"complete", "pruned"}
    assert len(logged.confirmations) == len(logged.prompts()) == 1
    search = prepared(place, model=FakeModel(), also=QUICK, trials=6)
    trials = open_study(search).trials
    counted = [trial for trial in trials if trial.state is not TrialState.FAIL]
    assert sorted(trial.user_attrs["place"] for trial in counted) == list(range(6))
    assert len({trial.user_attrs["process"] for trial in counted}) == 2
    assert len(optimise(search, Stopping(0)).trials) == 6
