"""Experiments on sessions, from file to MLflow: with a real model, interrupted, and shared."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sql
from mlflow import MlflowClient
from mlflow.entities import Run
from pandas.testing import assert_frame_equal
from typer.testing import CliRunner

import geppetto
from conftest import CHATML, FakeModel
from geppetto.answers.store import AnswerStore
from geppetto.asking import answer, unanswered
from geppetto.cli import app
from geppetto.errors import GeppettoError
from geppetto.experiment import Experiment, prepare, prepare_each
from geppetto.prompts.chat import ChatTemplate
from geppetto.reports.terminal import Work
from geppetto.results import Results
from invented_sessions import bandit, sessions_file

MODEL = "smollm2-135m-instruct"
EXPERIMENT = """
question: Does it run?
study: [first.zip, second.jsonl]
models: [smollm2-135m-instruct]
strategies: [interview]
arms: [none, filler, shuffled, own]
session: {responses: 3, presentation: [text, turns], history: [0, 2, all]}
precision: fast
"""
PEOPLE, RESPONSES, READ_IN = 4, 3, 6


def workspace_in(folder: Path) -> Path:
    """A workspace with two studies and an experiment on both, and on the first of them."""
    folder.mkdir(exist_ok=True)
    sessions_file(folder / "first.zip", bandit(PEOPLE, 12))
    sessions_file(folder / "second.jsonl", bandit(PEOPLE, 12, seed=1))
    (folder / "both.yaml").write_text(EXPERIMENT)
    (folder / "one.yaml").write_text(EXPERIMENT.replace(", second.jsonl", ""))
    return folder


@pytest.fixture(scope="module", autouse=True)
def no_server() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("MLFLOW_TRACKING_URI", raising=False)
        environment.delenv("GEPPETTO_ANSWERS", raising=False)
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Results]]:
    """A workspace in which the experiment on both studies has been run, and what it found."""
    folder = workspace_in(tmp_path_factory.mktemp("sessions"))
    return folder, geppetto.run_each(folder / "both.yaml", folder)


def stored(workspace: Path) -> pd.DataFrame:
    """Every stored answer and when it was given, by request."""
    database = workspace / "mlruns" / "answers.db"
    if not database.exists():
        return pd.DataFrame(columns=["request"]).set_index("request")
    engine = sql.create_engine(f"sqlite:///{database}")
    with engine.connect() as connection:
        if not sql.inspect(connection).has_table("answers"):
            return pd.DataFrame(columns=["request"]).set_index("request")
        rows = pd.read_sql_query("SELECT * FROM answers ORDER BY request", connection)
    engine.dispose()
    return rows.set_index("request")


def runs(workspace: Path) -> tuple[MlflowClient, list[Run], list[Run]]:
    """The parents and the children of the experiment that was logged."""
    client = MlflowClient(f"sqlite:///{workspace}/mlruns/mlflow.db")
    every = client.search_runs([e.experiment_id for e in client.search_experiments()])
    parents = [run for run in every if "mlflow.parentRunId" not in run.data.tags]
    return client, parents, [run for run in every if run not in parents]


# A run with a real model


def test_every_condition_answers_every_response_in_every_presentation_and_history(
    finished: tuple[Path, list[Results]],
) -> None:
    for found in finished[1]:
        answers = found.answers[found.answers["model"] == MODEL]
        assert set(answers["status"]) == {"scored"}
        cells = answers.groupby(["arm", "presentation", "history"])[["participant", "item"]]
        assert cells.ngroups == 4 * READ_IN
        assert {len(some.drop_duplicates()) for _, some in cells} == {PEOPLE * RESPONSES}
        assert np.isfinite(answers["log_prob"]).all() and (answers["log_prob"] < 0).all()
        assert (answers["announcing"] < 0).all()


def test_histories_that_read_the_same_share_answers(finished: tuple[Path, list[Results]]) -> None:
    answers = finished[1][0].answers.query(f"model == '{MODEL}'")
    key = ["arm", "presentation", "participant", "item"]
    history = {name: some.set_index(key)["request"] for name, some in answers.groupby("history")}
    assert (history["2"] == history["all"]).all()
    same = history["0"] == history["all"]
    assert same[same.index.get_level_values("item") == "1"].all()
    assert not same[same.index.get_level_values("item") != "1"].any()


def test_a_second_run_asks_nothing_and_everything_is_printed(
    finished: tuple[Path, list[Results]], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = finished
    monkeypatch.chdir(workspace)
    before = stored(workspace)
    planned = CliRunner().invoke(app, ["plan", "both.yaml"], catch_exceptions=False)
    again = CliRunner().invoke(app, ["run", "both.yaml"], catch_exceptions=False)
    assert again.exit_code == planned.exit_code == 0
    for words in ("study first: 4 participants, 12 cells", "study second: 4 participants"):
        assert words in planned.output and words in again.output
    assert "not scored: 36 responses of 4 sessions, which come after the first 3" in again.output
    assert again.output.count("(logged before)") == 2
    assert not re.search(rf"{MODEL} +[1-9][0-9]* of", again.output)
    assert "nats saved a response by history: information" in again.output
    assert "all 2 studies together" in again.output
    assert_frame_equal(stored(workspace), before)


def test_the_run_is_in_mlflow(finished: tuple[Path, list[Results]]) -> None:
    client, parents, children = runs(finished[0])
    assert len(parents) == 2 and {run.info.status for run in (*parents, *children)} == {"FINISHED"}
    for parent, found in zip(
        sorted(parents, key=lambda run: run.info.start_time), finished[1], strict=True
    ):
        logged = client.download_artifacts(parent.info.run_id, "answers.parquet")
        table = pd.read_parquet(logged)
        assert table["request"].tolist() == found.answers["request"].tolist()
        (own,) = [
            run
            for run in children
            if run.data.tags["mlflow.parentRunId"] == parent.info.run_id
            and run.data.params["arm"] == "own"
        ]
        row = found.metrics().query("arm == 'own'").iloc[0]
        assert own.data.metrics["nll"] == pytest.approx(row["nll"])
        assert client.list_artifacts(own.info.run_id, "prompts")


def test_several_studies_are_not_one_result(
    finished: tuple[Path, list[Results]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geppetto.running.run", pytest.fail)
    with pytest.raises(GeppettoError, match="2 studies; run_each gives the results of every one"):
        geppetto.run(finished[0] / "both.yaml", finished[0])
    verdicts = geppetto.pool(finished[1])
    assert {verdict.confirmatory for verdict in verdicts} == {True, False}


# Progress and what a plan says of work


def test_the_plan_counts_what_is_asked_and_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = FakeModel(MODEL, template=ChatTemplate(source=CHATML))
    monkeypatch.setattr("geppetto.experiment.open_model", lambda *_: model)
    workspace = workspace_in(tmp_path)
    prepared = prepare(Experiment.from_file(workspace / "one.yaml").each[0], workspace)
    store = AnswerStore.of_workspace(workspace)
    (units,) = unanswered(prepared, store).values()
    work, planned = Work(units, None), prepared.plan
    requests = {answer.request for answer in planned.answers}
    assert work.answers == len(requests) == len(planned.texts(MODEL))
    done = [len(unit.ids) for unit, _ in answer(model, units, store)]
    assert sum(done) == work.answers and max(done) >= RESPONSES
    assert model.decoded == work.distinct_tokens < work.prompt_tokens
    answers = store.get(requests)
    assert work.prompt_tokens == sum(scores.prompt_tokens for scores in answers.values())
    assert unanswered(prepared, store) == {MODEL: []}


def test_models_are_opened_once_for_all_studies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its own weights in memory."""
    monkeypatch.setattr("geppetto.experiment.open_model", lambda *_: FakeModel(MODEL))
    workspace = workspace_in(tmp_path)
    text = (workspace / "both.yaml").read_text().replace("[text, turns]", "text")
    (workspace / "both.yaml").write_text(text)
    first, second = prepare_each(Experiment.from_file(workspace / "both.yaml"), workspace)
    assert first.study.name == "first" and second.study.name == "second"
    assert first.models[0] is second.models[0]


# Interrupted, and shared


def test_a_killed_experiment_on_sessions_ends_with_the_same_answers(
    finished: tuple[Path, list[Results]], tmp_path: Path
) -> None:
    workspace = workspace_in(tmp_path / "killed")
    command = [sys.executable, "-m", "geppetto", "run", "one.yaml"]
    process = subprocess.Popen(
        command, cwd=workspace, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    while len(stored(workspace)) < 30:
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    interrupted = stored(workspace)
    prepared = prepare(Experiment.from_file(workspace / "one.yaml").each[0], workspace)
    store = AnswerStore.of_workspace(workspace)
    (missing,) = unanswered(prepared, store).values()
    assert list(answer(prepared.models[0], missing, store))
    everything = stored(workspace)
    assert 30 <= len(interrupted) < len(everything)
    assert_frame_equal(everything.loc[interrupted.index], interrupted)
    uninterrupted = stored(finished[0]).loc[everything.index].drop(columns="answered")
    assert_frame_equal(everything.drop(columns="answered"), uninterrupted)
    planned = {planned.request for planned in prepared.plan.answers}
    assert planned == set(everything.index)


# The command line


def test_an_archive_is_shown_and_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(workspace_in(tmp_path))
    shown = CliRunner().invoke(app, ["studies", "show", "first.zip"], catch_exceptions=False)
    checked = CliRunner().invoke(app, ["studies", "check", "first.zip"], catch_exceptions=False)
    assert shown.exit_code == checked.exit_code == 0
    assert "4 people in the data" in shown.output
    assert "responses of a person: 12 to 12, median 12; 48 in all" in shown.output
    assert "first trial" in shown.output


def test_a_search_of_sessions_is_refused_with_what_to_do(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)
    (workspace / "search.yaml").write_text(
        "question: Which?\nstudy: first.zip\nmodels: [smollm2-135m-instruct]\n"
        "search: {strategies: [interview], trials: 4, batch: 2}\n"
    )
    with pytest.raises(GeppettoError, match=r"search\.yaml: search: first has sessions.*compare"):
        geppetto.run_search(workspace / "search.yaml", workspace)
