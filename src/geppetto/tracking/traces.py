"""Traces in MLflow, by its own integrations of LiteLLM and DSPy: what was sent and said, whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import mlflow
import mlflow.litellm
from mlflow.entities import LiveSpan
from mlflow.entities.trace_location import MlflowExperimentLocation
from opentelemetry.sdk.util import BoundedList

from geppetto.models.endpoint.litellm_setup import library
from geppetto.models.endpoint.secrets import without_secrets_in
from geppetto.tracking.store import TrackedRun, experiment_id, tracking_to, tracking_uri, using

_CALLBACKS = (
    "callbacks",
    "success_callback",
    "failure_callback",
    "_async_success_callback",
    "_async_failure_callback",
)


_RUN = "mlflow.sourceRun"
"""What of a trace says in which run it was made."""


@contextmanager
def traced(tracked: TrackedRun, workspace: Path) -> Iterator[None]:
    """Trace every call of LiteLLM in a run, while in this context.

    LiteLLM copies callbacks from one list into others, so all are put back as they were; what
    MLflow takes away is not enough.
    """
    litellm = library()
    before = {name: list(getattr(litellm, name)) for name in _CALLBACKS}
    with using(workspace) as client:
        where = client.get_run(tracked.run_id).info.experiment_id
    with _sent_to(where, workspace), mlflow.tracing.context({_RUN: tracked.run_id}):
        mlflow.litellm.autolog(silent=True)
        try:
            yield
        finally:
            mlflow.litellm.autolog(disable=True, silent=True)
            for name, callbacks in before.items():
                setattr(litellm, name, callbacks)


@contextmanager
def generation_traced(experiment: str, workspace: Path) -> Iterator[None]:
    """Trace what DSPy has written, while in this context.

    Personas are written before the plan of a run is known, so their traces are in the experiment
    of that name and in none of its runs.
    """
    import dspy

    counts_tokens = dspy.settings.track_usage
    with using(workspace) as client:
        where = experiment_id(client, experiment, workspace)
    with _sent_to(where, workspace):
        mlflow.dspy.autolog(silent=True)
        try:
            yield
        finally:
            mlflow.dspy.autolog(disable=True, silent=True)
            dspy.settings.configure(track_usage=counts_tokens)


@contextmanager
def _sent_to(experiment: str, workspace: Path) -> Iterator[None]:
    """Send traces to an experiment, without any secret in them."""
    with (
        tracking_to(tracking_uri(workspace)),
        mlflow.tracing.configure(span_processors=[_hide_secrets]),
    ):
        mlflow.tracing.set_destination(MlflowExperimentLocation(experiment))
        try:
            yield
        finally:
            mlflow.flush_trace_async_logging()
            mlflow.tracing.reset()  # type: ignore[no-untyped-call]  # MLflow does not type it


def _hide_secrets(span: LiveSpan) -> None:
    """Leave no secret in what was sent and said, nor in what a provider's error repeats of it."""
    for name, value in span.attributes.items():
        if (hidden := without_secrets_in(value)) != value:
            span.set_attribute(name, hidden)
    events = span.events
    span._span._events = BoundedList(len(events))  # neither library lets an event be changed
    for event in events:
        attributes = without_secrets_in(event.attributes)
        span.add_event(replace(event, attributes=attributes))
