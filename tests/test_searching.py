"""A search with its confirmation: gone on with, interrupted, and beside an answer store."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from conftest import FakeModel
from geppetto.answers.store import AnswerStore
from geppetto.experiment import Experiment
from geppetto.search.confirm import Confirmation
from geppetto.search.prepare import prepare_search
from geppetto.searching import search
from geppetto.tracking import searches
from invented_search import PLAIN


def searched(workspace: Path, **settings: Any) -> Confirmation:
    """A search among two strategies, confirmed."""
    experiment = Experiment.model_validate(
        {
            "name": "small",
            "question": "Which is best?",
            "study": "bfi",
            "participants": {"sample": 16, "seed": 2, "complete": True},
            "items": ["A1", "C1"],
            "models": ["fake"],
            "arms": ["shuffled", "own"],
            "search": {
                "strategies": [{"interview": PLAIN}, {"biography": PLAIN}],
                "trials": 2,
                "batch": 4,
                "prune": None,
                **settings,
            },
        }
    )
    with patch("geppetto.search.prepare.open_model", lambda *_: FakeModel()):
        prepared = prepare_search(experiment, workspace)
    return search(prepared, workspace, AnswerStore.at(workspace / "answers.db"))


def logged(workspace: Path) -> tuple[str, dict[str, float]]:
    """Status and metrics of the search's own run in MLflow."""
    from mlflow import MlflowClient

    client = MlflowClient(f"sqlite:///{workspace}/mlruns/mlflow.db")
    found = client.get_experiment_by_name("small")
    assert found is not None
    (run,) = client.search_runs(
        [found.experiment_id], "attributes.run_name = 'search small'"
    )
    return run.info.status, run.data.metrics


def test_a_confirmed_search_can_be_gone_on_with(workspace: Path) -> None:
    searched(workspace)
    searched(workspace, trials=4)
    status, metrics = logged(workspace)
    assert status == "FINISHED" and metrics["trials"] == 4


def test_any_task_can_be_kept_to_one_process(store_url: str) -> None:
    store = AnswerStore(store_url)
    with store.alone(f"confirm {hashlib.sha256().hexdigest()}"):
        pass
