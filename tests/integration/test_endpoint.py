"""A model behind LiteLLM: what is tried again, what is a reply, what ends the run."""

from __future__ import annotations

import asyncio
import logging
import warnings
from pathlib import Path

import pytest

from fault_server import FAULTS, Script, served
from geppetto._util.errors import GeppettoError
from geppetto.answers.client import converse
from geppetto.answers.completions import CompletionStore
from geppetto.models.budget import BudgetTracker
from geppetto.models.endpoint.client import Endpoint
from geppetto.models.endpoint.errors import fault
from geppetto.models.endpoint.litellm_setup import connections, library
from geppetto.models.endpoint.secrets import read_keys, without_secrets
from geppetto.models.gate import Patience, RequestGate
from geppetto.models.requests import Completion, Request
from geppetto.prompts.chat import Turn
from odd_replies import ODD
from scripted import Rounds, endpoint, questions

CANARY = "canary-4f0c1d9ab37e"
CHAT = Request(turns=(Turn(role="user", content="Who?"),), max_tokens=3, top_logprobs=3)
TEXT = Request(text="The sky is blue today", max_tokens=3, top_logprobs=3)
ECHO = Request(text="The sky is blue today", max_tokens=1, echo=True)
TWO = Patience(attempts=2, first=0.001, longest=0.001)
OF_LOGPROBS = {"no logprobs", "fewer logprobs"}


def completions(text_model: Endpoint, *requests: Request) -> list[Completion]:
    async def ask() -> list[Completion]:
        async with connections():
            return [await text_model.generate(request, RequestGate()) for request in requests]

    return asyncio.run(ask())


def test_what_is_said_and_echoed_comes_back_with_its_log_probabilities() -> None:
    with served(Script()) as base:
        said, continued, echoed = completions(endpoint(base), CHAT, TEXT, ECHO)
    assert said.tokens[0].text == said.text
    assert [value for _, value in said.tokens[0].top] == sorted(
        (value for _, value in said.tokens[0].top), reverse=True
    )
    assert continued.tokens[0].text == continued.text
    assert "".join(token.text for token in echoed.tokens) == ECHO.text
    assert echoed.tokens[0].log_prob is None
    assert all(token.log_prob for token in echoed.tokens[1:])
    assert (said.model, said.prompt_tokens > 0, said.cost) == ("scripted", True, None)


@pytest.mark.parametrize("provider", ["hosted_vllm", "openai"])
def test_every_fault_is_tried_again_and_then_said(
    provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", CANARY)
    for name in sorted({*FAULTS} - {*ODD}):
        script = Script(faults=1.0, only=(name,), slow=1.0)
        with served(script) as base:
            text_model = endpoint(base, f"{provider}/scripted", timeout=0.3, patience=TWO)
            for completion in completions(text_model, CHAT, TEXT):
                assert completion.finish == "error", name
                assert completion.error, name
                assert completion.attempts == 2, name
        assert script.happened == {name: 4}


def test_log_probabilities_of_an_echo_are_a_fault_only_if_the_text_lacks_some() -> None:
    with served(Script(faults=1.0, only=("fewer logprobs",))) as base:
        (only_the_answer_lacks_its,) = completions(endpoint(base, patience=TWO), ECHO)
    with served(Script(faults=1.0, only=("no logprobs",))) as base:
        (none,) = completions(endpoint(base, patience=TWO), ECHO)
    assert not only_the_answer_lacks_its.error
    assert "log-probabilities" in none.error


@pytest.mark.parametrize(
    ("status", "advice"), [(401, "key"), (403, "key"), (404, "name"), (400, "parameter")]
)
def test_what_no_request_can_survive_ends_it_at_once(
    status: int, advice: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", CANARY)
    script = Script(always=(status, f"Incorrect: {CANARY}"))
    with served(script) as base, pytest.raises(GeppettoError, match=advice) as caught:
        completions(endpoint(base), CHAT)
    assert script.last["headers"]["Authorization"] == f"Bearer {CANARY}"
    assert CANARY not in str(caught.value)


def test_a_filtered_question_is_a_reply_and_one_too_long_an_error_neither_tried_again() -> None:
    with served(Script(always=(400, "stopped by content_filter"))) as base:
        (filtered,) = completions(endpoint(base), CHAT)
    with served(Script(always=(400, "This model's maximum context length is 8"))) as base:
        (too_long,) = completions(endpoint(base), CHAT)
    assert (filtered.finish, filtered.error, filtered.attempts) == ("filter", "", 1)
    assert (too_long.finish, too_long.attempts) == ("error", 1)
    assert "maximum context" in too_long.error


def test_prices_are_litellms_or_ones_own_or_not_known() -> None:
    own = {"input_cost_per_token": 1e-3, "output_cost_per_token": 2e-3}
    with served(Script()) as base:
        assert endpoint(base).price(100, 10) is None
        (completion,) = completions(endpoint(base, parameters=own), CHAT)
        assert endpoint(base, parameters=own).identity == endpoint(base).identity
    assert completion.cost == pytest.approx(completion.prompt_tokens * 1e-3 + 2e-3)
    known = Endpoint("gpt", "openai/gpt-4o").price(1_000_000, 0)
    assert known is not None
    assert known > 0


def test_a_key_in_parameters_or_address_is_refused_without_repeating_it() -> None:
    wrong = [
        {"parameters": {"api_key": CANARY}},
        {"parameters": {"extra_headers": {"Authorization": CANARY}}},
        {"parameters": {"vertex_credentials": CANARY}},
        {"parameters": {"extra_body": {"auth_token": CANARY}}},
        {"api_base": f"https://me:{CANARY}@example.org/v1"},
        {"api_base": f"https://example.org/v1?key={CANARY}"},
    ]
    for settings in wrong:
        with pytest.raises(GeppettoError, match=r"\.env") as caught:
            Endpoint("m", "openai/m", **settings)
        assert CANARY not in str(caught.value)


def test_what_the_elicitation_says_is_no_parameter_and_others_are_sent() -> None:
    with pytest.raises(GeppettoError, match="'temperature' may not be a parameter"):
        Endpoint("m", "openai/m", parameters={"temperature": 1})
    with pytest.raises(GeppettoError, match="'ssl_verify' may not be a parameter"):
        Endpoint("m", "openai/m", parameters={"ssl_verify": False})
    script = Script()
    with served(script) as base:
        completions(endpoint(base, parameters={"top_p": 0.5, "prompt_cache_key": "p"}), CHAT)
    assert script.last["top_p"] == 0.5


def test_plain_text_is_not_sent_to_a_model_that_would_get_it_as_a_chat() -> None:
    with pytest.raises(GeppettoError, match="kind: chat"):
        completions(Endpoint("gpt", "openai/gpt-4o"), TEXT)


def test_an_unsupported_parameter_is_said_and_not_dropped() -> None:
    with pytest.raises(GeppettoError, match="does not support parameters"):
        completions(Endpoint("claude", "anthropic/claude-3-haiku"), CHAT)


def test_certificates_are_checked_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("SSL_VERIFY", "False")
    with pytest.raises(GeppettoError, match="SSL_CERT_FILE"):
        completions(endpoint("https://127.0.0.1:9"), CHAT)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), ("0.25", 0.25), ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0), ("soon", 0.0)],
)
def test_retry_after_is_read_in_seconds_or_as_a_date(header: str, seconds: float) -> None:
    error = library().RateLimitError("too many", "openai", "m")
    error.litellm_response_headers = {"retry-after": header}
    found = fault(error)
    assert (found.kind, found.overload, found.retry_after) == ("passing", True, seconds)


def test_a_pause_longer_than_anyone_waits_ends_the_run() -> None:
    script = Script(faults=1.0, only=("too many",), retry_after="3600")
    with served(script) as base, pytest.raises(GeppettoError, match="60 minutes"):
        completions(endpoint(base), CHAT)


def test_keys_of_the_environment_come_before_those_of_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_text("HERE_API_KEY=of the file\nTHERE_API_KEY=of the file\n")
    monkeypatch.setenv("HERE_API_KEY", "of the environment")
    monkeypatch.setenv("THERE_API_KEY", "")
    monkeypatch.delenv("THERE_API_KEY")
    read_keys(tmp_path)
    hidden = without_secrets("of the environment, of the file, sk-proj-12345")
    assert hidden == "[hidden], [hidden], [hidden]"


def test_a_key_is_found_in_no_log_warning_error_or_store(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for variable in ("OPENAI_API_KEY", "HOSTED_VLLM_API_KEY"):
        monkeypatch.setenv(variable, CANARY)
    library()
    for name in ("", "LiteLLM", "httpx", "openai", "aiohttp", "asyncio"):
        caplog.set_level(logging.DEBUG, name)
    told: list[str] = []
    store = CompletionStore.at(tmp_path / "answers.db")
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        for model in ("openai/scripted", "hosted_vllm/scripted"):
            for script in (Script(faults=0.5), Script(always=(500, f"I saw {CANARY}"))):
                with served(script) as base:
                    text_model = endpoint(base, model, patience=TWO, timeout=0.5)
                    try:
                        converse(
                            text_model, Rounds(), questions(15), store, BudgetTracker(), told.append
                        )
                    except GeppettoError as error:
                        told.append(str(error))
            with served(Script(always=(401, f"Incorrect key {CANARY}"))) as base:
                with pytest.raises(GeppettoError) as caught:
                    converse(
                        endpoint(base, model), Rounds(), questions(2), store, BudgetTracker(), print
                    )
                told.append(repr(caught.value))
    said = [*told, caplog.text, *capfd.readouterr(), *(str(each.message) for each in warned)]
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert caplog.records
    assert b"[hidden]" in stored
    assert CANARY.encode() not in stored
    assert not [text for text in said if CANARY in text]
