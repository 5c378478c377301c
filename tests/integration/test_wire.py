"""What comes over the wire: every odd reply costs one request, and nothing leaves its address."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from fault_server import Script, served
from geppetto._util.errors import GeppettoError
from geppetto.answers.client import UNMEASURED, converse
from geppetto.answers.completions import CompletionStore
from geppetto.models.budget import Budget, BudgetReached, BudgetTracker, longest_prompt
from geppetto.models.endpoint.client import Endpoint
from geppetto.models.endpoint.errors import fault
from geppetto.models.endpoint.litellm_setup import connections, library
from geppetto.models.endpoint.wire import largest, watched
from geppetto.models.gate import Patience, RequestGate
from geppetto.models.requests import Completion, Request, Token
from geppetto.prompts.chat import Turn
from odd_replies import HALF, MENDED, ODD
from scripted import Rounds, endpoint, questions, request

CHAT = Request(turns=(Turn(role="user", content="Who?"),), max_tokens=3, top_logprobs=2)
TEXT = Request(text="The sky is", max_tokens=3, top_logprobs=2)
ONCE = Patience(attempts=1)


def completion_of(model: Endpoint, asked: Request) -> Completion:
    async def ask() -> Completion:
        async with connections():
            return await model.generate(asked, RequestGate())

    return asyncio.run(ask())


@pytest.fixture(scope="module")
def script() -> Script:
    return Script(faults=1.0)


@pytest.fixture(scope="module")
def base(script: Script) -> Iterator[str]:
    with served(script) as address:
        yield address


@pytest.mark.parametrize("asked", [CHAT, TEXT], ids=["chat", "text"])
@pytest.mark.parametrize("odd", ODD)
def test_an_odd_reply_is_read_or_is_a_reason(
    odd: str, asked: Request, script: Script, base: str
) -> None:
    script.only = (odd,)
    kind = "chat" if asked.turns else "base"
    completion = completion_of(endpoint(base, patience=ONCE, kind=kind), asked)
    assert Completion.model_validate_json(completion.model_dump_json()) == completion
    assert "Traceback" not in completion.error
    assert bool(completion.error) == (odd not in MENDED)
    if odd == "half a character":
        assert completion.text.endswith("\ufffd")
    if odd in MENDED and odd not in ("half a character", "well compressed"):
        assert completion.prompt_tokens == completion.completion_tokens == 0


def test_a_reply_holds_no_half_of_a_character_wherever_it_is_said() -> None:
    token = Token(text=HALF, log_prob=-1.0, top=((HALF, -1.0),))
    said = Completion(text=HALF, reasoning=HALF, model=HALF, error=HALF, tokens=(token,))
    assert HALF not in repr(said)
    assert json.loads(said.model_dump_json())["tokens"][0]["top"] == [["\ufffd", -1.0]]


@pytest.mark.parametrize(
    ("asked_for", "seconds"),
    [
        ("12345678901234567890", 0.0),
        ("9" * 5000, 0.0),
        ("inf", 0.0),
        ("nan", 0.0),
        ("-5", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 0.0),
        ("Mon, 01 Jan 0001 00:00:00 GMT", 0.0),
        ("soon", 0.0),
        ("7200", 7200.0),
    ],
)
def test_who_asks_to_come_back_after_a_month_or_never_says_nothing(
    asked_for: str, seconds: float
) -> None:
    error = library().RateLimitError("too many", "openai", "m")
    error.litellm_response_headers = {"retry-after": asked_for}
    assert fault(error).retry_after == seconds


def asked_within(
    budget: Budget, odd: str, share: float, tmp_path: Path
) -> tuple[BudgetTracker, int]:
    tracker, script = BudgetTracker(budget), Script(faults=share, only=(odd,))
    with served(script) as base:
        store = CompletionStore.at(tmp_path / "answers.db")
        converse(endpoint(base), Rounds(), questions(40), store, tracker, lambda _: None)
    return tracker, script.happened[odd]


@pytest.mark.parametrize("odd", ["less than nothing", "more than anything"])
def test_what_makes_no_sense_counts_as_much_as_it_can_have_taken(odd: str, tmp_path: Path) -> None:
    tracker, happened = asked_within(Budget(tokens=100_000), odd, 0.3, tmp_path)
    most = max(longest_prompt(request(one)) + 3 for one in questions(40).values())
    assert 5 < happened < 20
    assert happened * (most - 2) < tracker.tokens <= 40 * most


def test_a_server_that_never_makes_sense_keeps_no_budget(tmp_path: Path) -> None:
    with pytest.raises(GeppettoError, match="does not say how many tokens a reply took") as ended:
        asked_within(Budget(tokens=100_000), "less than nothing", 1.0, tmp_path)
    assert not isinstance(ended.value, BudgetReached)
    assert UNMEASURED > 1


PROVIDERS = (
    *("openai/m", "hosted_vllm/m", "azure/m", "anthropic/claude-3-haiku-20240307", "mistral/m"),
    *("groq/m", "openrouter/m", "together_ai/m", "deepseek/m", "fireworks_ai/m", "xai/m"),
    *("ollama/m", "ollama_chat/m", "huggingface/m", "cohere/m", "perplexity/m", "databricks/m"),
    *("gemini/m", "watsonx/m", "nlp_cloud/m", "bedrock/anthropic.claude-3-haiku-20240307-v1:0"),
)
CONTINUING = ("openai/m", "hosted_vllm/m", "text-completion-openai/m", "azure_text/m")
KEYS = {
    **{f"{model.partition('/')[0].upper()}_API_KEY": "sk-canary" for model in PROVIDERS},
    **dict.fromkeys(("TOGETHERAI_API_KEY", "PERPLEXITYAI_API_KEY", "WATSONX_TOKEN"), "sk-canary"),
    **dict.fromkeys(("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"), "sk-canary"),
    **{"AWS_REGION_NAME": "us-east-1", "AZURE_API_VERSION": "2024-02-01"},
    **{"WATSONX_PROJECT_ID": "p"},
}


@pytest.mark.filterwarnings("ignore:Items")  # of pydantic, on types of LiteLLM
@pytest.mark.parametrize(
    ("model", "asked"),
    [*((model, CHAT) for model in PROVIDERS), *((model, TEXT) for model in CONTINUING)],
)
def test_no_provider_follows_a_redirect(
    model: str, asked: Request, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in KEYS.items():
        monkeypatch.setenv(name, value)
    kind, plain = "chat" if asked.turns else "base", asked.model_copy(update={"top_logprobs": 0})
    elsewhere = Script()
    with served(elsewhere) as other:
        script = Script(always=(307, f"{other}/chat/completions?key=secret"), everywhere=True)
        with served(script) as base:
            sent = Endpoint("m", model, api_base=base, kind=kind, patience=ONCE)
            with pytest.raises(GeppettoError, match="m cannot be asked: it redirects to") as ended:
                completion_of(sent, plain)
    assert "secret" not in str(ended.value)
    assert "api_base" in str(ended.value)
    assert (script.asked.total(), elsewhere.asked.total()) == (1, 0)


@pytest.mark.parametrize("status", [301, 302, 303, 308])
def test_no_redirect_is_followed_whatever_it_says(status: int) -> None:
    with (
        served(Script(always=(status, "/v1/elsewhere"))) as base,
        pytest.raises(
            GeppettoError, match=r"it redirects to http://127.*/v1/elsewhere; that is not"
        ),
    ):
        completion_of(endpoint(base), CHAT)


def test_a_provider_that_cannot_be_kept_from_it_is_refused() -> None:
    with pytest.raises(GeppettoError, match=r"follows redirects .* write openai/m"):
        Endpoint("m", "aiohttp_openai/m", api_base="http://127.0.0.1:9/v1")


def test_others_of_this_process_are_redirected_as_ever() -> None:
    import httpx

    with served(Script(always=(307, "/v1/elsewhere"))) as base:
        address = f"{base}/completions"
        with watched(1):
            pass
        followed = httpx.post(address, json={}, follow_redirects=True)
    assert (len(followed.history), followed.status_code) == (1, 404)


def test_a_reply_may_be_as_large_as_what_is_asked_for() -> None:
    long = Request(text="Say " * 1000, max_tokens=1, top_logprobs=5, echo=True)
    assert largest(CHAT) < 5 * 2**20 < largest(long) < 50 * 2**20
