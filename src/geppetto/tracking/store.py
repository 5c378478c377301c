"""The MLflow store of a workspace, and the runs that are begun in it."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import mlflow
from mlflow.exceptions import MlflowException

from geppetto._util.errors import GeppettoError
from geppetto._util.files import appearing

Begun = TypeVar("Begun")

IDENTITY = "geppetto.identity"
"""The tag that says which experiment or search a run is of, whatever it is called."""


def tracking_uri(workspace: Path) -> str:
    """MLFLOW_TRACKING_URI, or the SQLite store under the workspace's mlruns/."""
    return os.environ.get("MLFLOW_TRACKING_URI") or local_uri(workspace)


def local_uri(workspace: Path) -> str:
    """The SQLite store under the workspace's mlruns/."""
    return f"sqlite:///{(workspace / 'mlruns' / 'mlflow.db').resolve()}"


@dataclass(frozen=True)
class TrackedRun:
    """The parent run of an experiment.

    Attributes
    ----------
    run_id
        MLflow's id of it.
    finished
        Whether everything about exactly this had been logged before.
    """

    run_id: str
    finished: bool


def using(workspace: Path, begun: Callable[[], Begun]) -> Begun:
    """What is begun in the workspace's store, which is made whole before.

    Raises
    ------
    GeppettoError
        If the store cannot be used.
    """
    for noisy in ("alembic", "mlflow"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    _use(tracking_uri(workspace))
    try:
        if mlflow.get_tracking_uri() == local_uri(workspace):
            _make_local_store(workspace)
        return begun()
    except MlflowException as error:
        raise GeppettoError(
            f"the MLflow store cannot be used: {error.message}; check MLFLOW_TRACKING_URI"
        ) from error


def _use(uri: str) -> None:
    """Track there, without telling later runs in other workspaces to do the same.

    MLflow writes the address into the environment, where it would be taken for the user's.
    """
    given = os.environ.get("MLFLOW_TRACKING_URI")
    mlflow.set_tracking_uri(uri)
    if given is None:
        os.environ.pop("MLFLOW_TRACKING_URI", None)


def _make_local_store(workspace: Path) -> None:
    """Make the local store whole: MLflow makes its tables one by one, and a store whose making
    was interrupted can never be opened.
    """
    target = workspace / "mlruns" / "mlflow.db"
    if not target.exists():
        with appearing(target.resolve()) as partial:
            mlflow.MlflowClient(f"sqlite:///{partial}").search_experiments()


def experiment_id(name: str, workspace: Path) -> str:
    """The MLflow experiment of that name, made if it does not exist."""
    client = mlflow.MlflowClient()
    if experiment := client.get_experiment_by_name(name):
        if experiment.lifecycle_stage == "deleted":
            raise GeppettoError(
                f"the MLflow experiment {name!r} was deleted; restore it, or rename the "
                "experiment file"
            )
        return str(experiment.experiment_id)
    is_ours = mlflow.get_tracking_uri() == local_uri(workspace)
    artifacts = (workspace / "mlruns" / "artifacts").resolve().as_uri()
    tags = {"mlflow.experimentKind": "custom_model_development"}
    return client.create_experiment(name, artifacts if is_ours else None, tags)
