"""Traces: they are of their run, also inside of one of the caller's, and no secret is in them."""

from __future__ import annotations

import asyncio
from base64 import b64encode, urlsafe_b64encode
from pathlib import Path
from urllib.parse import quote

import pytest

from fault_server import Script, served
from geppetto.models.endpoint.litellm_setup import connections, library
from geppetto.models.endpoint.secrets import without_secrets
from geppetto.tracking.store import TrackedRun, experiment_id, using
from geppetto.tracking.traces import traced
from workspaces import with_store

KEY = "canary+key/of?a=provider-1234"


@pytest.mark.parametrize("before", ["", "u", "us", "use", "user:"])
@pytest.mark.parametrize("after", ["", "!", "!!", "@host"])
def test_a_key_is_hidden_however_it_is_written(
    monkeypatch: pytest.MonkeyPatch, before: str, after: str
) -> None:
    monkeypatch.setenv("CANARY_API_KEY", KEY)
    whole = f"{before}{KEY}{after}".encode()
    for written in (b64encode(whole), urlsafe_b64encode(whole)):
        hidden = without_secrets(f"Basic {written.decode()} is wrong")
        assert "[hidden]" in hidden
        # at most the signs that it shares with its neighbours are left
        assert len(hidden) < len("Basic [hidden] is wrong") + len(before + after) * 2 + 8
    assert quote(KEY, safe="") not in without_secrets(f"/v1?key={quote(KEY, safe='')}")


@pytest.mark.server
def test_no_secret_is_in_a_trace_of_an_error_that_repeats_it(
    tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    workspace = with_store(tmp_path, empty_store)
    coded = b64encode(f"Bearer {KEY}".encode()).decode()
    with using(workspace) as client:
        where = experiment_id(client, "traced", workspace)
        run = client.create_run(where).info.run_id

    async def ask(base: str) -> None:
        async with connections():
            with pytest.raises(library().InternalServerError):
                await library().acompletion(
                    model="openai/scripted",
                    messages=[{"role": "user", "content": f"My key is {KEY}"}],
                    api_base=base,
                    num_retries=0,
                )

    said = f"Incorrect key {KEY}, sent as {coded}"
    with served(Script(always=(500, said))) as base, traced(TrackedRun(run, False), workspace):
        asyncio.run(ask(base))
    with using(workspace) as client:
        (trace,) = client.search_traces(locations=[where])
    assert trace.info.request_metadata["mlflow.sourceRun"] == run
    (span,) = trace.data.spans
    (event,) = [event for event in span.events if event.name == "exception"]
    assert "Incorrect key [hidden]" in event.attributes["exception.message"]
    assert "My key is [hidden]" in str(span.inputs)
    plain = b64encode(KEY.encode()).rstrip(b"=")[:-2]
    for path in workspace.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes() and plain not in path.read_bytes()
            assert coded[12:-4].encode() not in path.read_bytes()
