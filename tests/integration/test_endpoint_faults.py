"""What is tried again, what is raised as it is, and where an address may come from."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from aiohttp import web
from hypothesis import given, settings
from hypothesis import strategies as st

from fault_server import Script, served
from geppetto._util.errors import GeppettoError
from geppetto.models.endpoint import client as endpoints
from geppetto.models.endpoint.address import address_in, refuse_address_of_environment
from geppetto.models.endpoint.client import Endpoint
from geppetto.models.endpoint.errors import BrokenCompletionError, fault
from geppetto.models.endpoint.litellm_setup import connections
from geppetto.models.endpoint.parsing import read
from geppetto.models.gate import RequestGate
from geppetto.models.requests import Completion, Request
from geppetto.models.spec import ModelSpec
from geppetto.prompts.chat import Turn
from scripted import endpoint

CHAT = Request(turns=(Turn(role="user", content="Who?"),), max_tokens=3)
TEXT = Request(text="The sky is", max_tokens=3, top_logprobs=2)
ANYTHING: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


def reply_of(text_model: Endpoint, request: Request) -> Completion:
    async def ask() -> Completion:
        async with connections():
            return await text_model.generate(request, RequestGate())

    return asyncio.run(ask())


@pytest.mark.parametrize("error", [AttributeError("no such thing"), KeyError("x"), ValueError()])
def test_a_fault_of_a_program_is_raised_as_it_is(error: Exception) -> None:
    with pytest.raises(type(error)) as raised:
        fault(error)
    assert raised.value is error


@pytest.mark.parametrize(
    "error",
    [
        TimeoutError(),
        ConnectionResetError(),
        httpx.ReadError(""),
        BrokenCompletionError("no choice"),
    ],
)
def test_what_is_named_as_a_fault_of_the_network_passes(error: Exception) -> None:
    assert fault(error).kind == "passing"


def test_a_fault_in_reading_a_paid_reply_sends_nothing_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def faulty(*_: object) -> Completion:
        raise AttributeError("no such thing")

    monkeypatch.setattr(endpoints, "read", faulty)
    script = Script()
    with served(script) as base, pytest.raises(AttributeError, match="no such thing"):
        reply_of(endpoint(base), CHAT)
    assert script.asked.total() == 1


@settings(max_examples=200, deadline=None)
@given(text=ANYTHING, tokens=ANYTHING, values=ANYTHING, tops=ANYTHING, usage=ANYTHING)
def test_plain_text_of_any_form_is_read_or_broken(
    text: Any, tokens: Any, values: Any, tops: Any, usage: Any
) -> None:
    log_probs = SimpleNamespace(tokens=tokens, token_logprobs=values, top_logprobs=tops)
    choice = SimpleNamespace(text=text, logprobs=log_probs, finish_reason="stop")
    used = SimpleNamespace(prompt_tokens=usage, completion_tokens=1)
    response = SimpleNamespace(choices=[choice], model="m", usage=used)
    try:
        completion = read(response, TEXT, "m")
    except BrokenCompletionError:
        return
    assert completion.text == (text or "")
    assert all(token.top for token in completion.tokens)


def test_a_reply_that_does_not_say_what_it_took_is_read() -> None:
    class Silent(Script):
        async def _with(self, fault: str, body: dict[str, Any], request: web.Request) -> Any:
            choice = {"index": 0, "finish_reason": "stop", "text": "blue", "logprobs": None}
            return web.json_response({"id": "1", "model": body["model"], "choices": [choice]})

    with served(Silent()) as base:
        completion = reply_of(endpoint(base), TEXT.model_copy(update={"top_logprobs": 0}))
    assert (completion.text, completion.error, completion.prompt_tokens) == ("blue", "", 0)


@pytest.mark.parametrize(
    ("model", "variable"),
    [
        ("openai/gpt-4o", "OPENAI_BASE_URL"),
        ("openai/gpt-4o", "OPENAI_API_BASE"),
        ("text-completion-openai/davinci-002", "OPENAI_BASE_URL"),
        ("text-completion-openai/davinci-002", "OPENAI_API_BASE"),
        ("hosted_vllm/m", "OPENAI_BASE_URL"),
        ("ollama_chat/m", "OLLAMA_API_BASE"),
        ("vertex_ai/gemini-pro", "VERTEXAI_API_BASE"),
        ("meta_llama/m", "LLAMA_API_BASE"),
        ("friendliai/m", "FRIENDLI_API_BASE"),
        ("azure/m", "AZURE_OPENAI_ENDPOINT"),
        ("azure/m", "AZURE_API_BASE"),
        ("bedrock/m", "AWS_BEDROCK_RUNTIME_ENDPOINT"),
        ("bedrock/anthropic.claude-3-haiku-20240307-v1:0", "AWS_BEDROCK_RUNTIME_ENDPOINT"),
        ("datarobot/m", "DATAROBOT_ENDPOINT"),
        ("mistral/m", "MISTRAL_AZURE_API_BASE"),
        ("xinference/m", "OPENAI_API_BASE"),
    ],
)
def test_an_address_of_the_environment_is_refused_unless_one_is_declared(
    model: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, "http://127.0.0.1:9/v1")
    with pytest.raises(GeppettoError, match=f"{variable} is set"):
        Endpoint("m", model)
    assert Endpoint("m", model, api_base="http://127.0.0.1:8/v1").identity.api_base
    assert Endpoint("m", "groq/m").identity.api_base == ""


def test_an_address_that_only_litellm_knows_how_to_find_is_refused_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(
        endpoints.library().utils,
        "return_raw_request",
        lambda *_: {"raw_request_api_base": "http://127.0.0.1:9/chat"},
    )
    Endpoint("m", "groq/m")
    monkeypatch.setenv("SOMEWHERE", "http://127.0.0.1:9")
    with pytest.raises(GeppettoError, match="SOMEWHERE is set"):
        Endpoint("m", "groq/m")


@pytest.mark.parametrize(
    "value",
    [
        "https://HERE.org:443/v1",
        "http://me:word@here.org/v2",
        "here.org",
        "here.org/",
        "//[here.org",
    ],
)
def test_an_address_is_known_however_a_variable_writes_it(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOMEWHERE", value)
    refuse_address_of_environment("m", "https://elsewhere.org/v1")
    refuse_address_of_environment("m", "")
    if "[" not in value:  # which is no address, and is no reason to fail
        with pytest.raises(GeppettoError, match="SOMEWHERE is set"):
            refuse_address_of_environment("m", "https://here.org/v1/chat")


def test_addresses_that_are_not_of_the_model_are_of_no_concern(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("GROQ_DOCS", "http://127.0.0.1:9/groq")
    assert Endpoint("m", "groq/m").identity.api_base == ""


def test_where_a_request_was_sent_is_kept_with_the_reply() -> None:
    with served(Script()) as base:
        completions = [reply_of(endpoint(base), request) for request in (CHAT, TEXT)]
    assert all(one.address.startswith(base.rstrip("/")) for one in completions)


def test_nothing_is_sent_to_an_address_that_the_environment_gives_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    script = Script()
    with served(script) as base:
        monkeypatch.setenv("OPENAI_API_KEY", "none")
        for model, request in (("openai/m", CHAT), ("text-completion-openai/m", TEXT)):
            monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
            late = Endpoint("m", model, kind="chat" if request.turns else "base")
            monkeypatch.setenv("OPENAI_BASE_URL", base)
            with pytest.raises(GeppettoError, match="OPENAI_BASE_URL is set"):
                reply_of(late, request)
    assert script.asked.total() == 0


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("https://key:word@host.org/v1?key=secret#x", "https://host.org/v1"),
        ("", ""),
        (None, ""),
    ],
)
def test_an_address_is_kept_without_credentials(told: str | None, address: str) -> None:
    assert address_in({"additional_args": {"api_base": told}}) == address


def test_what_a_provider_takes_is_not_the_price_of_a_server_of_ones_own() -> None:
    own = {"input_cost_per_token": 1e-3, "output_cost_per_token": 2e-3}
    here = "http://127.0.0.1:9/v1"
    assert Endpoint("m", "openai/gpt-4o").price(10, 1) is not None
    assert Endpoint("m", "openai/gpt-4o", api_base=here).price(10, 1) is None
    declared = Endpoint("m", "openai/gpt-4o", api_base=here, parameters=own)
    assert declared.price(10, 1) == pytest.approx(0.012)


def test_more_requests_at_once_than_litellm_has_connections_are_refused() -> None:
    assert ModelSpec(name="openai/m", most_at_once=500).most_at_once == 500
    with pytest.raises(ValueError, match="500"):
        ModelSpec(name="openai/m", most_at_once=501)
