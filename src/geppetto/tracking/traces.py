"""Traces in MLflow, by its own integrations of LiteLLM and DSPy: what was sent and said, whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import mlflow
import mlflow.litellm
from mlflow.entities.trace_location import MlflowExperimentLocation

from geppetto.models.endpoint.litellm_setup import library
from geppetto.tracking.store import TrackedRun, experiment_id, using

_CALLBACKS = (
    "callbacks",
    "success_callback",
    "failure_callback",
    "_async_success_callback",
    "_async_failure_callback",
)


@contextmanager
def traced(tracked: TrackedRun) -> Iterator[None]:
    """Trace every call of LiteLLM in a run, while in this context.

    LiteLLM copies callbacks from one list into others, so all are put back as they were; what
    MLflow takes away is not enough.
    """
    litellm = library()
    before = {name: list(getattr(litellm, name)) for name in _CALLBACKS}
    mlflow.start_run(run_id=tracked.run_id)
    mlflow.litellm.autolog(silent=True)
    try:
        yield
    finally:
        mlflow.litellm.autolog(disable=True, silent=True)
        for name, callbacks in before.items():
            setattr(litellm, name, callbacks)
        mlflow.flush_trace_async_logging()
        mlflow.end_run("RUNNING")


@contextmanager
def generation_traced(experiment: str, workspace: Path) -> Iterator[None]:
    """Trace what DSPy has written, while in this context.

    Personas are written before the plan of a run is known, so their traces are in the experiment
    of that name and in none of its runs.
    """
    import dspy

    with using(workspace):
        where = experiment_id(experiment, workspace)
    counts_tokens = dspy.settings.track_usage
    mlflow.tracing.set_destination(MlflowExperimentLocation(where))
    mlflow.dspy.autolog(silent=True)
    try:
        yield
    finally:
        mlflow.dspy.autolog(disable=True, silent=True)
        dspy.settings.configure(track_usage=counts_tokens)
        mlflow.flush_trace_async_logging()
        mlflow.tracing.reset()  # type: ignore[no-untyped-call]  # MLflow does not type it
