"""The MLflow store of a workspace, and the runs that are begun in it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

from geppetto._util.errors import GeppettoError
from geppetto._util.files import made_once

_BATCH = 800
"""Metrics at once: MLflow takes 1,000 entities, of which 100 are parameters and 100 tags."""

IDENTITY = "geppetto.identity"
"""The tag that says which experiment or search a run is of, whatever it is called."""


def tracking_uri(workspace: Path) -> str:
    """MLFLOW_TRACKING_URI, or the SQLite store under the workspace's mlruns/."""
    return os.environ.get("MLFLOW_TRACKING_URI") or local_uri(workspace)


def local_uri(workspace: Path) -> str:
    """The SQLite store under the workspace's mlruns/.

    Examples
    --------
    >>> from pathlib import Path
    >>> from geppetto.tracking import local_uri
    >>> local_uri(Path("/study"))
    'sqlite:////study/mlruns/mlflow.db'
    """
    return f"sqlite:///{(workspace / 'mlruns' / 'mlflow.db').resolve()}"


@dataclass(frozen=True)
class TrackedRun:
    """The parent run of an experiment; `finished` if all about exactly this was logged before.

    Examples
    --------
    >>> from geppetto.tracking import TrackedRun
    >>> TrackedRun("1f0c", finished=False).run_id
    '1f0c'
    """

    run_id: str
    finished: bool


@contextmanager
def using(workspace: Path) -> Iterator[None]:
    """Begin something in the workspace's store, which is made whole before."""
    for noisy in ("alembic", "mlflow"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    _use(tracking_uri(workspace))
    try:
        if mlflow.get_tracking_uri() == local_uri(workspace):
            _make_local_store(workspace)
        yield
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
    """Make the local store whole, by one process: MLflow makes its tables one by one, so a store
    whose making was interrupted, or that two processes make, can never be opened.
    """
    made_once(
        (workspace / "mlruns" / "mlflow.db").resolve(),
        lambda partial: mlflow.MlflowClient(f"sqlite:///{partial}").search_experiments(),
    )


def log_batch(
    run_id: str,
    params: Mapping[str, Any] | None = None,
    metrics: Sequence[Metric] = (),
    tags: Mapping[str, str] | None = None,
) -> None:
    """Log to a run, in one transaction unless there are very many metrics."""
    client = mlflow.MlflowClient()
    client.log_batch(
        run_id,
        metrics=metrics[:_BATCH],
        params=[Param(name, str(value)[:6000]) for name, value in (params or {}).items()],
        tags=[RunTag(name, value) for name, value in (tags or {}).items()],
    )
    for start in range(_BATCH, len(metrics), _BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + _BATCH])


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
    try:
        return client.create_experiment(name, artifacts if is_ours else None, tags)
    except MlflowException:
        if made := client.get_experiment_by_name(name):  # by another process just now
            return str(made.experiment_id)
        raise
