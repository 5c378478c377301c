"""Traces of calls in MLflow, by its own integration of LiteLLM: what was sent and said, whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import mlflow
import mlflow.litellm

from geppetto.models.litellm_library import library
from geppetto.tracking.store import TrackedRun

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
