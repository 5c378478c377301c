"""Experiments on sessions, from file to MLflow: with a real model, interrupted, and shared."""

from __future__ import annotations

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
from pandas.testing import assert_frame_equal
from typer.testing import CliRunner

import geppetto
from fake_model import CHATML, FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.local import answer, unanswered
from geppetto.answers.store import AnswerStore
from geppetto.cli import app
from geppetto.evaluation.results import Results
from geppetto.experiment.prepare import prepare, prepare_each
from geppetto.planning.config import Experiment
from geppetto.prompts.chat import ChatTemplate
from invented_sessions import bandit, sessions_file
from workspaces import tracked, with_store, without_figures

MODEL = "smollm2-135m-instruct"
EXPERIMENT = """
question: Does it run?
study: first.zip
models: [smollm2-135m-instruct]
strategies: [interview]
arms: [filler, {shuffled: {donors: 1}}, own]
session: {responses: 3, presentation: [text, turns], history: [0, 2, all]}
precision: fast
"""
SEVERAL = """
question: Does it run in several studies?
study: [first.zip, second.jsonl]
models: [smollm2-135m-instruct]
strategies: [interview]
arms: [{shuffled: {donors: 1}}, own]
session: {responses: 3, presentation: text}
"""
ASKING = """
from pathlib import Path
from geppetto.answers.store import AnswerStore
from geppetto.answers.local import answer, unanswered
from geppetto.experiment.prepare import prepare
from geppetto.planning.config import Experiment
prepared = prepare(Experiment.from_file(Path("one.yaml")), Path())
store = AnswerStore.of_workspace(Path())
for _ in answer(prepared.scorers[0], unanswered(prepared, store)["smollm2-135m-instruct"], store):
    pass
"""
PEOPLE, RESPONSES, READ_IN = 2, 3, 6


def workspace_in(folder: Path) -> Path:
    """A workspace with two studies, an experiment on the first of them and one on both."""
    folder.mkdir(exist_ok=True)
    sessions_file(folder / "first.zip", bandit(PEOPLE, 12))
    sessions_file(folder / "second.jsonl", bandit(PEOPLE, 12, seed=1))
    (folder / "one.yaml").write_text(EXPERIMENT)
    (folder / "several.yaml").write_text(SEVERAL)
    return folder


@pytest.fixture(scope="module", autouse=True)
def no_server() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("MLFLOW_TRACKING_URI", raising=False)
        environment.delenv("GEPPETTO_ANSWERS", raising=False)
        without_figures(environment)
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> tuple[Path, Results]:
    """A workspace in which the experiment on one study has been run, and what it found."""
    folder = with_store(workspace_in(tmp_path_factory.mktemp("sessions")), empty_store)
    return folder, geppetto.run(folder / "one.yaml", folder)


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


# A run with a real model


def test_every_condition_answers_every_response_in_every_presentation_and_history(
    finished: tuple[Path, Results],
) -> None:
    answers = finished[1].answers.query(f"model == '{MODEL}'")
    assert set(answers["status"]) == {"scored"}
    cells = answers.groupby(["arm", "presentation", "history"])[["participant", "item"]]
    assert cells.ngroups == 3 * READ_IN
    assert {len(some.drop_duplicates()) for _, some in cells} == {PEOPLE * RESPONSES}
    assert np.isfinite(answers["log_prob"]).all() and (answers["log_prob"] < 0).all()
    assert (answers["announcing"] < 0).all()


def test_histories_that_read_the_same_share_answers(finished: tuple[Path, Results]) -> None:
    answers = finished[1].answers.query(f"model == '{MODEL}'")
    key = ["arm", "presentation", "participant", "item"]
    history = {name: some.set_index(key)["request"] for name, some in answers.groupby("history")}
    assert (history["2"] == history["all"]).all()
    same = history["0"] == history["all"]
    assert same[same.index.get_level_values("item") == "1"].all()
    assert not same[same.index.get_level_values("item") != "1"].any()


def test_a_second_run_asks_nothing_and_everything_is_printed(
    finished: tuple[Path, Results], monkeypatch: pytest.MonkeyPatch
) -> None:
    workspace, _ = finished
    monkeypatch.chdir(workspace)
    monkeypatch.setattr("geppetto.answers.local.score", pytest.fail)
    before = stored(workspace)
    again = CliRunner().invoke(app, ["run", "one.yaml", "--full"], catch_exceptions=False)
    for words in (
        f"study first: {PEOPLE} participants, {PEOPLE * RESPONSES} cells, each under 3 conditions",
        f"not scored: {PEOPLE * 9} responses of {PEOPLE} sessions, which come after the first 3",
        "nats saved a response by history: information",
        "nats saved a response by presentation: information",
        "(logged before)",
    ):
        assert words in again.output
    assert_frame_equal(stored(workspace), before)


def test_the_run_is_in_mlflow(finished: tuple[Path, Results]) -> None:
    client, parent, children = tracked(finished[0], "one")
    assert {run.info.status for run in (parent, *children)} == {"FINISHED"}
    assert parent.data.params["session_history"] == "(0, 2, 'all')"
    assert parent.data.params["session_presentation"] == "('text', 'turns')"
    assert "layout_answer" not in parent.data.params
    logged = pd.read_parquet(client.download_artifacts(parent.info.run_id, "answers.parquet"))
    assert logged["request"].tolist() == finished[1].answers["request"].tolist()
    (own,) = [run for run in children if run.data.params["arm"] == "own"]
    row = finished[1].metrics().query("arm == 'own'").iloc[0]
    assert own.data.metrics["nll"] == pytest.approx(row["nll"])
    assert client.list_artifacts(own.info.run_id, "prompts")


def test_several_studies_are_planned_run_and_pooled(
    finished: tuple[Path, Results], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished[0])
    monkeypatch.setattr("geppetto.planning.elicited.open_model", lambda *_: FakeModel(MODEL))
    monkeypatch.setattr("geppetto.cli.experiments._speed", lambda *_: None)
    planned = CliRunner().invoke(app, ["plan", "several.yaml"], catch_exceptions=False)
    done = CliRunner().invoke(app, ["run", "several.yaml"], catch_exceptions=False)
    for words in (f"study first: {PEOPLE} participants", f"study second: {PEOPLE} participants"):
        assert words in planned.output and words in done.output
    assert done.output.count("MLflow run") == 2
    assert "all 2 studies together" in done.output


def test_several_studies_are_not_one_result(
    finished: tuple[Path, Results], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geppetto.experiment.run.run", pytest.fail)
    with pytest.raises(GeppettoError, match="2 studies; run_each gives the results of every one"):
        geppetto.run(finished[0] / "several.yaml", finished[0])


# Progress and what a plan says of work


def test_the_plan_counts_what_is_asked_and_computed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = FakeModel(MODEL, template=ChatTemplate(source=CHATML))
    monkeypatch.setattr("geppetto.planning.elicited.open_model", lambda *_: model)
    workspace = workspace_in(tmp_path)
    prepared = prepare(Experiment.from_file(workspace / "one.yaml"), workspace)
    store = AnswerStore.of_workspace(workspace)
    (work,) = unanswered(prepared, store).values()
    planned = prepared.plan
    requests = {answer.request for answer in planned.answers}
    assert work.answers == len(requests) == len(planned.scored(MODEL))
    done = [len(unit.ids) for unit, _ in answer(model, work, store)]
    assert sum(done) == work.answers and max(done) >= RESPONSES
    assert model.decoded == work.distinct_tokens < work.prompt_tokens
    answers = store.get(requests)
    assert work.prompt_tokens == sum(scores.prompt_tokens for scores in answers.values())
    assert not unanswered(prepared, store)[MODEL]


def test_models_are_opened_once_for_all_studies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has its own weights in memory."""
    monkeypatch.setattr("geppetto.planning.elicited.open_model", lambda *_: FakeModel(MODEL))
    workspace = workspace_in(tmp_path)
    first, second = prepare_each(Experiment.from_file(workspace / "several.yaml"), workspace)
    assert first.study.name == "first" and second.study.name == "second"
    assert first.scorers[0] is second.scorers[0]


# Interrupted, and shared


def test_a_killed_experiment_on_sessions_ends_with_the_same_answers(
    finished: tuple[Path, Results], tmp_path: Path
) -> None:
    workspace = workspace_in(tmp_path / "killed")
    (workspace / "one.yaml").write_text(EXPERIMENT.replace("[text, turns]", "text"))
    command = [sys.executable, "-c", ASKING]
    with subprocess.Popen(command, cwd=workspace, stderr=subprocess.PIPE) as process:
        while len(stored(workspace)) < 15:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.02)
        process.send_signal(signal.SIGKILL)
    interrupted = stored(workspace)
    prepared = prepare(Experiment.from_file(workspace / "one.yaml"), workspace)
    store = AnswerStore.of_workspace(workspace)
    (missing,) = unanswered(prepared, store).values()
    assert list(answer(prepared.scorers[0], missing, store))
    everything = stored(workspace)
    assert 15 <= len(interrupted) < len(everything)
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
    assert f"{PEOPLE} people in the data" in shown.output
    assert "responses of a person: 12 to 12, median 12; 24 in all" in shown.output
    assert "first trial" in shown.output


def test_a_search_of_sessions_is_refused_with_what_to_do(tmp_path: Path) -> None:
    workspace = workspace_in(tmp_path)
    (workspace / "search.yaml").write_text(
        "question: Which?\nstudy: first.zip\nmodels: [smollm2-135m-instruct]\n"
        "search: {strategies: [interview], trials: 4, batch: 2}\n"
    )
    with pytest.raises(GeppettoError, match=r"search\.yaml: search: first has sessions.*compare"):
        geppetto.run_search(workspace / "search.yaml", workspace)
