"""What fails after the last answer: it fails alone, and everything else is shown and logged."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from errno import ENOSPC, EPIPE
from pathlib import Path
from unittest.mock import Mock

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

import command
import geppetto
from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.evaluation.results import Results
from geppetto.planning.elicited import by_likelihood
from geppetto.tracking import mlflow_runs
from geppetto.tracking.mlflow_runs import FAILED
from tracking_server import tracking
from workspaces import tracked, with_store, without_figures

FILE = """
question: Is [b]this[/b] *it*?
study: bfi
participants: {sample: 8, seed: 1, complete: true}
items: [A1, C1]
models: [fake]
strategies: [interview]
arms: [none, {shuffled: {donors: 2}}, own]
analysis: {draws: 200, smallest_effect: 0.0001}
"""
WRONG = ValueError("no number of people is enough")


@pytest.fixture
def file(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("geppetto.experiment.results.baseline_answers", lambda table, *_: table[:0])
    monkeypatch.setattr("geppetto.evaluation.results.skills", lambda *_: [])
    monkeypatch.setattr(
        "geppetto.experiment.prepare.open_elicited",
        lambda *_: [by_likelihood(FakeModel("smol[/b]"))],
    )
    without_figures(monkeypatch)
    workspace = with_store(tmp_path, empty_store)
    path = workspace / "small.yaml"
    path.write_text(FILE)
    yield path


def run(path: Path) -> tuple[int, str]:
    """Exit code and output of a run, on one line."""
    shown = command.geppetto("run", path.name, "--full", cwd=path.parent)
    assert not shown.stderr, shown.stderr
    return shown.returncode, " ".join(shown.stdout.split())


def test_users_text_is_shown_as_it_is_written(file: Path) -> None:
    code, shown = run(file)
    assert code == 0, shown
    assert "Is [b]this[/b] *it*?" in shown and "smol[/b]" in shown
    _, parent, children = tracked(file.parent, "small")
    assert r"Is [b]this[/b] \*it\*?" in parent.data.tags["mlflow.note.content"]
    assert parent.info.status == "FINISHED" and len(children) == 3
    assert "information/smol__b_ interview" in parent.data.metrics


def test_a_table_that_cannot_be_computed_is_missing_alone(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Results, "verdicts", Mock(side_effect=WRONG))
        code, shown = run(file)
        assert code == 1
        assert "model, strategy and arm" in shown and "tells people apart" in shown
        assert re.search(r"effects,( \w+,)* verdicts failed: ValueError: no number of", shown)
        assert "Information was not measured" not in shown, "nothing is concluded from nothing"
        client, parent, children = tracked(file.parent, "small")
        assert parent.info.status == "FAILED" and "effects.csv" in parent.data.tags[FAILED]
        logged = {each.path for each in client.list_artifacts(parent.info.run_id)}
        assert {"answers.parquet", "conditions.csv", "individuation.csv"} <= logged
        assert all("nll" in child.data.metrics for child in children)
    code, shown = run(file)
    assert code == 0 and "failed:" not in shown
    client, parent, _ = tracked(file.parent, "small")
    assert parent.info.status == "FINISHED" and FAILED not in parent.data.tags


def test_what_was_found_is_shown_although_it_cannot_be_logged(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = MlflowException("the server is gone")
    with monkeypatch.context() as patch:
        patch.setattr(MlflowClient, "log_text", Mock(side_effect=gone))
        code, shown = run(file)
        with pytest.warns(RuntimeWarning, match="the server is gone"):
            geppetto.run(file, file.parent)
    assert code == 1 and "model, strategy and arm" in shown and "Undecided: " in shown
    assert shown.count("cannot be used: MlflowException: the server is gone") == 1


FULL = OSError(ENOSPC, "No space left on device")


def test_a_disk_that_fills_while_results_are_logged_loses_nothing(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_room = GeppettoError("answers.db cannot be used: disk is full")
    with monkeypatch.context() as patch:
        patch.setattr("geppetto.tracking.files.parquet", Mock(side_effect=FULL))
        patch.setattr("geppetto.answers.claims.Claims._take_back", Mock(side_effect=no_room))
        code, shown = run(file)
        assert code == 1 and "model, strategy and arm" in shown and "Undecided: " in shown
        assert shown.count("No space left on device") == 1, shown
        assert "there is room" in shown
    with monkeypatch.context() as patch:
        patch.setattr("geppetto.answers.looks.LookStore.keep", Mock(side_effect=no_room))
        code, shown = run(file)
        assert code == 1 and "model, strategy and arm" not in shown, "a look that nobody counts"
        assert "every answer is kept, but not that these people were looked at" in shown
    code, shown = run(file)
    _, parent, children = tracked(file.parent, "small")
    assert code == 0 and parent.info.status == "FINISHED" and len(children) == 3


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("hang", "it does not answer within 1 seconds (MLFLOW_HTTP_REQUEST_TIMEOUT)"),
        ("later", "too many 503 error responses"),
    ],
)
def test_a_tracking_server_that_stops_answering_is_not_waited_for(
    file: Path, fault: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mlflow_runs, "_tables", lambda _: {})
    with monkeypatch.context() as patch, tracking(fault=fault, after="answers.parquet") as server:
        patch.setenv("MLFLOW_TRACKING_URI", server.url)
        patch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
        patch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
        began = time.monotonic()
        code, shown = run(file)
        assert time.monotonic() - began < 30
        assert code == 1 and "model, strategy and arm" in shown and "Undecided: " in shown
        assert shown.count("cannot be used") == shown.count(said) == 1, shown
        (parent,) = server.runs.values()
        assert parent["info"]["status"] == "RUNNING"
        server.fault = ""
        code, shown = run(file)
        assert code == 0 and shown.endswith("see it with: geppetto ui"), shown
        assert {run["info"]["status"] for run in server.runs.values()} == {"FINISHED"}
        assert len(server.runs) == 4 and any("answers.parquet" in name for name in server.files)


def test_what_was_found_is_logged_although_nobody_reads_it(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = BrokenPipeError(EPIPE, "Broken pipe")
    monkeypatch.setattr("geppetto.reports.summary.summary", Mock(side_effect=gone))
    shown = command.geppetto("run", file.name, cwd=file.parent)
    assert shown.returncode == 1 and not shown.stderr
    assert tracked(file.parent, "small")[1].info.status == "FINISHED"


def test_answers_that_cannot_be_evaluated_are_kept(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("geppetto.experiment.results.answers_table", Mock(side_effect=WRONG))
        code, shown = run(file)
        assert code == 1
        assert "every answer is kept, but they could not be evaluated: ValueError: no" in shown
        with pytest.raises(GeppettoError, match="every answer is kept"):
            geppetto.run(file, file.parent)
    code, shown = run(file)
    assert code == 0 and "fake 0 of" not in shown


def test_a_run_of_the_callers_own_stays_the_active_one(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine").mkdir()
    own = with_store(tmp_path / "mine", file.parent / "mlruns" / "mlflow.db")
    mine = f"sqlite:///{own}/mlruns/mlflow.db"
    monkeypatch.setattr(mlflow_runs, "_tables", lambda _: {})
    mlflow.set_tracking_uri(mine)
    os.environ.pop("MLFLOW_TRACKING_URI")  # where MLflow writes it too
    try:
        mlflow.set_experiment("mine")
        with mlflow.start_run() as run:
            geppetto.run(file, file.parent)
            mlflow.log_metric("after", 1)
        assert mlflow.get_tracking_uri() == mine
        assert mlflow.get_run(run.info.run_id).data.metrics == {"after": 1}
    finally:
        mlflow.set_tracking_uri(None)  # type: ignore[arg-type]  # as if none was set
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_ID"):
            os.environ.pop(name, None)
        mlflow.set_experiment.__globals__["_active_experiment_id"] = None
    _, parent, children = tracked(file.parent, "small")
    assert parent.info.status == "FINISHED" and len(children) == 3
