"""The MLflow store of a workspace, and the runs that are begun in it."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, ReadTimeoutError

from geppetto._util.errors import GeppettoError, causes, in_one_line
from geppetto._util.files import made_once
from geppetto.models.endpoint.secrets import without_secrets
from geppetto.tracking.names import MOST, cut

_BATCH = 800
"""Metrics at once: MLflow takes 1,000 entities, of which 100 are parameters and 100 tags."""

_PARAM, _TAG = 6000, 8000
"""Bytes of a value that MLflow keeps."""

IDENTITY = "geppetto.identity"
"""The tag that says which experiment or search a run is of, whatever it is called."""

PARENT = "mlflow.parentRunId"
"""The tag that says under which run another one is shown."""

UNUSABLE = (MlflowException, SQLAlchemyError, OSError)
"""What is raised where a store cannot be reached, opened or written."""

_TIMEOUT = "MLFLOW_HTTP_REQUEST_TIMEOUT"
_SETTINGS = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    _TIMEOUT: "10",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
    "MLFLOW_ASYNC_TRACE_LOGGING_RETRY_TIMEOUT": "30",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
"""How MLflow's client behaves unless the user says otherwise: it would try a dead server for over
four minutes without a word, one that asks for it for hours, and print two links for each run."""


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
    return _sqlite_uri((workspace / "mlruns" / "mlflow.db").resolve())


def _sqlite_uri(path: Path) -> str:
    """The address of a database file, in whose path MLflow takes % and ? for its own signs."""
    return "sqlite:///" + str(path).replace("%", "%25").replace("?", "%3F")


@dataclass(frozen=True)
class TrackedRun:
    """The parent run of an experiment; `finished` if all about exactly this was logged before.

    `failures` says what of it could not be logged, in a sentence each.

    Examples
    --------
    >>> from geppetto.tracking import TrackedRun
    >>> TrackedRun("1f0c", finished=False).run_id
    '1f0c'
    """

    run_id: str
    finished: bool
    failures: tuple[str, ...] = ()


@contextmanager
def using(workspace: Path) -> Iterator[mlflow.MlflowClient]:
    """A client of the workspace's store, which is made whole before.

    What MLflow calls active is left as it is, so that it works inside of a run of the caller's. In
    here the store is also where MLflow's own functions write to.

    Raises
    ------
    GeppettoError
        If the store cannot be reached, opened or written.
    """
    for noisy in ("alembic", "mlflow"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    uri = tracking_uri(workspace)
    try:
        with tracking_to(uri):
            if uri == local_uri(workspace):
                _make_local_store(workspace)
            yield mlflow.MlflowClient(uri, uri)
    except UNUSABLE as error:
        reason = without_secrets(_reason(error))
        check = "MLFLOW_TRACKING_URI"
        if uri == local_uri(workspace):
            check = "that you may write there and that there is room, or move a damaged file away"
        raise GeppettoError(
            f"the MLflow store {without_secrets(uri)} cannot be used: {reason}; check {check}"
        ) from error


def _reason(error: Exception) -> str:
    """What a store or server says of itself, without what libraries say around it."""
    for cause in causes(error):
        if isinstance(cause, MaxRetryError):
            if isinstance(cause.reason, ReadTimeoutError | ConnectTimeoutError):
                seconds = os.environ.get(_TIMEOUT, _SETTINGS[_TIMEOUT])
                return f"it does not answer within {seconds} seconds ({_TIMEOUT})"
            return in_one_line(cause.reason or cause)
        if isinstance(cause, DBAPIError) and cause.orig:
            return in_one_line(cause.orig)
    return in_one_line(error)


@contextmanager
def tracking_to(uri: str) -> Iterator[None]:
    """Let MLflow's own functions write there, and afterwards again to where they did.

    MLflow also writes the address into the environment, where it would be taken for the user's.
    """
    given = os.environ.get("MLFLOW_TRACKING_URI")
    is_set = mlflow.is_tracking_uri_set()  # type: ignore[no-untyped-call]  # MLflow does not type it
    before = mlflow.get_tracking_uri() if is_set else None
    ours = {name: value for name, value in _SETTINGS.items() if name not in os.environ}
    os.environ.update(ours)
    mlflow.set_tracking_uri(uri)
    try:
        yield
    finally:
        # None is as if none was set, which MLflow does and does not type
        mlflow.set_tracking_uri(None if before == given else before)  # type: ignore[arg-type]
        for name in (*ours, "MLFLOW_TRACKING_URI"):
            os.environ.pop(name, None)
        if given is not None:
            os.environ["MLFLOW_TRACKING_URI"] = given


def _make_local_store(workspace: Path) -> None:
    """Make the local store whole, by one process: MLflow makes its tables one by one, so a store
    whose making was interrupted, or that two processes make, can never be opened.
    """
    made_once(
        (workspace / "mlruns" / "mlflow.db").resolve(),
        lambda partial: mlflow.MlflowClient(_sqlite_uri(partial)).search_experiments(),
    )


def points(numbers: Mapping[str, float]) -> list[Metric]:
    """Metrics that have one value each."""
    now = int(time.time() * 1000)
    return [Metric(name, float(value), now, 0) for name, value in numbers.items()]


def log_batch(
    client: mlflow.MlflowClient,
    run_id: str,
    params: Mapping[str, Any] | None = None,
    metrics: Mapping[str, float] | Sequence[Metric] = (),
    tags: Mapping[str, str] | None = None,
) -> None:
    """Log to a run, in one transaction unless there is very much.

    Values are cut to what a store bears, and so are their names.
    """
    if isinstance(metrics, Mapping):
        metrics = points(metrics)
    client.log_batch(
        run_id,
        metrics=metrics[:_BATCH],
        params=[Param(cut(k, MOST), cut(str(v), _PARAM)) for k, v in (params or {}).items()],
        tags=[RunTag(cut(k, MOST), cut(v, _TAG)) for k, v in (tags or {}).items()],
    )
    for start in range(_BATCH, len(metrics), _BATCH):
        client.log_batch(run_id, metrics=metrics[start : start + _BATCH])


def latest(workspace: Path) -> tuple[str, str] | None:
    """Name and id of the MLflow experiment that was run last; None if none was.

    Raises
    ------
    GeppettoError
        As `using`.
    """
    with using(workspace) as client:
        named = {found.experiment_id: found.name for found in client.search_experiments()}
        newest = client.search_runs([*named], order_by=["start_time DESC"], max_results=1)
        return next(((named[of], of) for of in (run.info.experiment_id for run in newest)), None)


def experiment_id(client: mlflow.MlflowClient, name: str, workspace: Path) -> str:
    """The MLflow experiment of that name, made if it does not exist."""
    name = cut(name, MOST)
    if experiment := client.get_experiment_by_name(name):
        if experiment.lifecycle_stage == "deleted":
            raise GeppettoError(
                f"the MLflow experiment {name!r} was deleted; restore it, or rename the "
                "experiment file"
            )
        return str(experiment.experiment_id)
    is_ours = client.tracking_uri == local_uri(workspace)
    artifacts = (workspace / "mlruns" / "artifacts").resolve().as_uri()
    tags = {"mlflow.experimentKind": "custom_model_development"}
    try:
        return client.create_experiment(name, artifacts if is_ours else None, tags)
    except MlflowException:
        if made := client.get_experiment_by_name(name):  # by another process just now
            return str(made.experiment_id)
        raise
