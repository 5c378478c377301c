"""What is under way when an optimisation is interrupted was asked and is paid for."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from geppetto.answers.client import clients
from geppetto.answers.completions import CompletionStore
from geppetto.models.budget import BudgetTracker
from geppetto.models.endpoint.litellm_provider import PROVIDER, drawing_for, serving
from geppetto.models.endpoint.litellm_setup import library
from geppetto.models.gate import RequestGate
from geppetto.models.identity import ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Request
from geppetto.prompts.chat import Turn
from geppetto.search.instruction import _finishing
from replying import Replying


class Slow(Replying):
    """Is interrupted while it thinks."""

    identity = ModelIdentity(name="m", model="m")
    capabilities = Capabilities(chat=True)

    async def completion(self, request: Request) -> Completion:
        await asyncio.sleep(0.5)
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(0.5)
        return Completion(text="x", prompt_tokens=1, completion_tokens=1)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """SIGINT interrupts, even where whoever started the tests has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("interruptible")
def test_what_is_under_way_when_an_optimisation_is_interrupted_is_stored(tmp_path: Path) -> None:
    store, text_model = CompletionStore.at(tmp_path / "answers.db"), Slow()
    litellm = library()
    gate = RequestGate(BudgetTracker())
    with (
        pytest.raises(KeyboardInterrupt),
        clients({"m": text_model}, store, gate, keeps_errors=False) as asking,
        serving({"m": asking["m"].completion}) as service,
        drawing_for("somebody") as draws,
        _finishing(service, gate),
    ):
        messages = [{"role": "user", "content": "Who?"}]
        litellm.completion(f"{PROVIDER}/m", messages=messages, max_tokens=5, num_retries=0)
    asked = draws.numbered(Request(turns=(Turn(role="user", content="Who?"),), max_tokens=5))
    key = asked.model_copy(update={"sample": 0}).id(text_model.identity)
    assert store.get([key])[key].text == "x"
