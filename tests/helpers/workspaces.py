"""Workspaces of tests, and what MLflow has of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.entities import Run

ROOT = Path(__file__).parents[2]


def tracked(workspace: Path, experiment: str) -> tuple[MlflowClient, Run, list[Run]]:
    """A client of a workspace's MLflow store, and an experiment's one parent and its children.

    The client is used instead of MLflow's global functions, which would leave the store's address
    in the environment of every later command.
    """
    client = MlflowClient(f"sqlite:///{workspace}/mlruns/mlflow.db")
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    runs = client.search_runs([found.experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run is not parent]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    return client, parent, children


def with_store(workspace: Path, empty_store: Path) -> Path:
    """The workspace, which now has an MLflow store, and shares what baselines learned."""
    (workspace / "mlruns").mkdir()
    learned = empty_store.parent / "learned"
    learned.mkdir(exist_ok=True)
    (workspace / "mlruns" / "learned").symlink_to(learned)
    shutil.copy(empty_store, workspace / "mlruns" / "mlflow.db")
    return workspace


def folds_of_two(patch: pytest.MonkeyPatch) -> None:
    """Let baselines that are fitted learn from one half of the others at a time."""
    patch.setattr("geppetto.evaluation.baselines.rows.FOLDS", 2)


def without_figures(patch: pytest.MonkeyPatch) -> None:
    """Let runs log all that they find, and their figures as empty files under their names."""

    def blank(client: MlflowClient, run_id: str, draw: Callable[[], object], name: str) -> None:
        client.log_text(run_id, "", name)

    patch.setattr("geppetto.tracking.files.figure", blank)
    patch.setattr("geppetto.reports.page.image", lambda draw: "")
