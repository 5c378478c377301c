"""When a run is logged again: whenever MLflow has it with other answers than are stored."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock

import pytest
from mlflow.entities import Run

import geppetto
from fault_server import Script, served
from geppetto.answers.completions import CompletionStore
from geppetto.answers.status import forget_errors
from geppetto.evaluation.results import Results
from geppetto.experiment import run as running
from geppetto.experiment.prepare import prepare
from geppetto.planning.config import Experiment
from geppetto.tracking import conditions, files, mlflow_runs
from geppetto.tracking.mlflow_runs import ANSWERS
from scripted import fail_first
from workspaces import tracked, with_store

FILE = """
question: Which answers did MLflow get?
study: bfi
participants: {{sample: 4, seed: 1, complete: true}}
items: [A1, C1]
models: [{{name: scripted, model: openai/scripted, api_base: "{base}"}}]
strategies: [interview]
arms: [none, own]
elicitations: [next_token]
analysis: {{draws: 200}}
"""


@pytest.fixture
def place(
    tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[Path, Script]]:
    """A workspace with a file whose first question has failed, and the server that is asked."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-no-key-at-all")
    monkeypatch.setattr("geppetto.experiment.results.baseline_answers", lambda table, *_: table[:0])
    monkeypatch.setattr(Results, "plot", Mock())
    monkeypatch.setattr(files, "figure", lambda *_: None)
    monkeypatch.setattr(conditions, "log", lambda *_: None)
    monkeypatch.setattr(mlflow_runs, "_tables", lambda _: {})
    monkeypatch.setattr(mlflow_runs, "_log_page", lambda *_: None)
    workspace, script = with_store(tmp_path, empty_store), Script()
    with served(script) as base:
        path = workspace / "again.yaml"
        path.write_text(FILE.format(base=base))
        prepared = prepare(Experiment.from_file(path), workspace)
        fail_first(prepared, workspace)
        yield path, script


def run(path: Path, *, retry_errors: bool = False) -> tuple[Results, Run, set[str]]:
    """What a run finds, and its run in MLflow with the ids of its children."""
    found = geppetto.run(path, path.parent, retry_errors=retry_errors)
    _, parent, children = tracked(path.parent, "again")
    assert parent.info.status == "FINISHED"
    assert parent.data.tags[ANSWERS] == found.sha256
    return found, parent, {child.info.run_id for child in children}


def errors(parent: Run) -> float:
    return float(parent.data.metrics["replies/outcome/error"])


def traces(parent: Run, path: Path) -> int:
    client, *_ = tracked(path.parent, "again")
    return len(client.search_traces(locations=[parent.info.experiment_id]))


def forget(path: Path) -> None:
    """Forget errors, as a process does that asks them again."""
    prepared = prepare(Experiment.from_file(path), path.parent)
    forget_errors(prepared, CompletionStore.of_workspace(path.parent))


def test_what_is_logged_is_of_the_answers_that_are_stored(place: tuple[Path, Script]) -> None:
    path, script = place
    path.write_text(f"{path.read_text()}sample_traces: 1\n")
    found, parent, children = run(path)
    assert errors(parent) == 1 and "error" in set(found.completions["outcome"])
    asked = script.asked.total()
    assert traces(parent, path) == 1

    same, again, as_before = run(path)
    assert same.sha256 == found.sha256 and as_before == children
    assert again.info.end_time == parent.info.end_time
    assert traces(parent, path) == 1, "nothing was asked"

    forget(path)  # as a retry that was killed does, or one of another experiment
    mended, parent, others = run(path)
    assert errors(parent) == 0 and others.isdisjoint(children)
    assert mended.sha256 != found.sha256 and script.asked.total() == asked + 1
    assert traces(parent, path) == 2, "the one that was asked is traced"

    client, parent, _ = tracked(path.parent, "again")
    client.delete_tag(parent.info.run_id, ANSWERS)  # as of an older version
    assert run(path)[2].isdisjoint(others)


def test_errors_can_be_asked_again_from_python(place: tuple[Path, Script]) -> None:
    path, _ = place
    found, parent, _ = run(path, retry_errors=True)
    assert errors(parent) == 0 and "error" not in set(found.completions["outcome"])


def test_a_process_that_heard_errors_which_another_asks_again_does_not_log_them(
    place: tuple[Path, Script], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = place
    evaluated: list[Results] = []

    def meanwhile(*given: object) -> Results:
        found = evaluate(*given)
        if not evaluated:
            forget(path)
        evaluated.append(found)
        return found

    evaluate = running.evaluate
    monkeypatch.setattr(running, "evaluate", meanwhile)
    found, parent, _ = run(path)
    assert ["error" in set(one.completions["outcome"]) for one in evaluated] == [True, False]
    assert found.sha256 == evaluated[1].sha256 and errors(parent) == 0


def test_the_file_that_is_logged_is_the_users_own_and_runs_again(
    place: tuple[Path, Script],
) -> None:
    path, script = place
    path.write_bytes(b"# What I want to know\r\n" + path.read_bytes() + "# für später\n".encode())
    found, parent, _ = run(path)
    client, *_ = tracked(path.parent, "again")
    logged = Path(client.download_artifacts(parent.info.run_id, "experiment.yaml"))
    assert logged.read_bytes() == path.read_bytes()
    before = script.asked.copy()
    once_more = geppetto.run(logged, path.parent)
    assert script.asked == before
    assert once_more.effects().equals(found.effects()) and once_more.looks == found.looks
