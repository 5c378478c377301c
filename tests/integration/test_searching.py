"""A search with its confirmation: gone on with, interrupted, and beside an answer store."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.store import AnswerStore
from geppetto.planning.config import Experiment
from geppetto.search import tracking as searches
from geppetto.search.confirm import Confirmation
from geppetto.search.optimise import optimise
from geppetto.search.prepare import prepare_search
from geppetto.search.run import search
from invented_search import PLAIN, Invented
from search_command import FILE, command

pytestmark = pytest.mark.usefixtures("no_figures")


@pytest.fixture
def without_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is fitted takes longer than all else."""
    monkeypatch.setattr("geppetto.experiment.results.baseline_answers", lambda table, *_: table[:0])


def searched(workspace: Path, of_another_process: bool = False, **settings: Any) -> Confirmation:
    """A search among two strategies, confirmed, after a trial of another process if so asked."""
    experiment = Experiment.model_validate(
        {
            "name": "small",
            "question": "Which is best?",
            "study": "bfi",
            "participants": {"sample": 16, "seed": 2, "complete": True},
            "items": ["A1", "C1"],
            "models": ["fake"],
            "arms": ["shuffled", "own"],
            "analysis": {"draws": 200},
            "search": {
                "strategies": [{"interview": PLAIN}, {"biography": PLAIN}],
                "trials": 2,
                "batch": 4,
                "prune": None,
                **settings,
            },
        }
    )
    with patch("geppetto.search.prepare.open_scorer", lambda *_: FakeModel()):
        prepared = prepare_search(experiment, workspace)
    if of_another_process:
        worse = replace(prepared, settings=prepared.settings.model_copy(update={"minutes": None}))
        with patch("geppetto.search.optimise.planned", lambda _: 2):
            optimise(worse, Invented())
    return search(prepared)


def logged(workspace: Path) -> tuple[str, dict[str, float]]:
    """Status and metrics of the search's own run in MLflow."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{workspace}/mlruns/mlflow.db")
    found = client.get_experiment_by_name("small")
    assert found is not None
    (run,) = client.search_runs([found.experiment_id], "attributes.run_name = 'search small'")
    return run.info.status, run.data.metrics


@pytest.mark.usefixtures("without_baselines")
def test_a_confirmed_search_can_be_gone_on_with(ready: Path) -> None:
    searched(ready)
    searched(ready, trials=4)
    status, metrics = logged(ready)
    assert status == "FINISHED" and metrics["trials"] == 4


@pytest.mark.usefixtures("without_baselines")
def test_where_nothing_can_be_written_a_finished_search_is_shown(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = searched(ready)
    before = {each.name: each.stat().st_mtime_ns for each in (ready / "mlruns").glob("*.db")}
    for module in ("geppetto.answers.database", "geppetto.search.storage"):
        monkeypatch.setattr(f"{module}.is_read_only", lambda _: True)
    again = searched(ready)
    assert again.results.effects().equals(first.results.effects())
    assert again.conclusion == first.conclusion and not again.failures
    with pytest.raises(GeppettoError, match="2 of 4 trials were made, and the workspace cannot"):
        searched(ready, trials=4)
    after = {each.name: each.stat().st_mtime_ns for each in (ready / "mlruns").glob("*.db")}
    assert after == before and len(after) == 3


def test_any_task_can_be_kept_to_one_process(store_url: str) -> None:
    store = AnswerStore(store_url)
    with store.alone(f"confirm {hashlib.sha256().hexdigest()}"):
        pass


@pytest.mark.usefixtures("without_baselines")
def test_what_was_found_is_logged_though_logging_was_interrupted(ready: Path) -> None:
    with (
        patch.object(searches, "finish", side_effect=KeyboardInterrupt),
        pytest.raises(KeyboardInterrupt),
    ):
        searched(ready)
    assert logged(ready)[0] == "RUNNING"
    searched(ready)
    status, metrics = logged(ready)
    assert status == "FINISHED" and metrics["trials"] == 2


@pytest.mark.usefixtures("without_baselines")
def test_trials_that_were_added_are_logged_though_the_winner_is_the_same(ready: Path) -> None:
    settings: dict[str, Any] = {"sampler": "grid", "trials": 99, "minutes": 1e-9}
    settings["objective"] = "information"  # of which the other process finds less
    first = searched(ready, **settings)
    second = searched(ready, **settings, of_another_process=True)
    assert second.search.best == first.search.best and second.looks == 1
    assert logged(ready)[1]["trials"] == len(second.search.trials) == 2


@pytest.mark.usefixtures("few_folds")
def test_the_command_shows_the_plan_the_trials_and_the_winner(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = command("search", FILE, ready, monkeypatch)
    assert shown.exception is None, shown.output
    for words in (
        "study bfi: 8 people to search on, 8 kept for confirmation; 2 items; fake",
        "324 candidates of 2 strategies (interview, known_answers), by nll; sampler tpe",
        "all 4 trials were made",
        "best: ",
    ):
        assert words in shown.output
    again = command("search", FILE, ready, monkeypatch)
    assert again.output.splitlines()[-4:] == shown.output.splitlines()[-4:]
