"""Models that take other parameters than most: they are asked with what they allow."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web

from fault_server import Script, served
from geppetto._util.errors import GeppettoError
from geppetto.elicitation.samples import Samples
from geppetto.models.endpoint.client import Endpoint
from geppetto.models.endpoint.litellm_setup import connections
from geppetto.models.endpoint.parameters import parameters_of
from geppetto.models.endpoint.probe import probed
from geppetto.models.gate import RequestGate
from geppetto.models.identity import ModelIdentity
from geppetto.models.requests import Completion, Request
from geppetto.models.spec import ModelSpec
from geppetto.planning.cost import estimate
from geppetto.prompts.chat import Turn
from scripted import QUICK, questions

WARM = Request(turns=(Turn(role="user", content="Who?"),), max_tokens=3, temperature=1.0)
COLD = WARM.model_copy(update={"temperature": 0.0})


@dataclass
class Newer(Script):
    """Refuses temperatures and a limit by its old name, and thinks before it answers."""

    thinks: int = 0
    bodies: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    async def completion(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.bodies.append(body)
        if "max_tokens" in body:
            return _refused(
                "Unsupported parameter: 'max_tokens' is not supported with this model. Use "
                "'max_completion_tokens' instead."
            )
        if body["temperature"] != 1:
            return _refused(
                "'temperature' does not support 0.0. Only the default (1) is supported."
            )
        if body["max_completion_tokens"] >= self.thinks:
            return await super().completion(request)
        message = {"role": "assistant", "content": None, "reasoning_content": "Okay, so"}
        choice = {"index": 0, "finish_reason": "length", "message": message, "logprobs": None}
        reply = {"id": "1", "object": "chat.completion", "created": 1, "model": body["model"]}
        usage = {"prompt_tokens": 9, "completion_tokens": 9, "total_tokens": 18}
        return web.json_response({**reply, "choices": [choice], "usage": usage})


def _refused(message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "code": 400}}, status=400)


def newer(base: str, **settings: Any) -> Endpoint:
    return Endpoint("newer", "openai/scripted", api_base=base, patience=QUICK, **settings)


def completions(model: Endpoint, *requests: Request) -> list[Completion]:
    async def ask() -> list[Completion]:
        async with connections():
            return [await model.generate(request, RequestGate()) for request in requests]

    return asyncio.run(ask())


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "a key")


def test_the_limit_is_sent_by_the_name_that_a_model_knows() -> None:
    script = Newer()
    with served(script) as base:
        first, second = completions(newer(base), WARM, WARM.model_copy(update={"sample": 1}))
    assert first.text and second.text and first.attempts == 1
    limits = [body.get("max_completion_tokens") for body in script.bodies]
    assert limits == [None, 3, 3], "it is learnt once"


def test_a_refused_temperature_ends_with_advice_that_is_allowed() -> None:
    with served(Newer()) as base, pytest.raises(GeppettoError) as refused:
        completions(newer(base), COLD)
    assert "`samples` ask at 1" in str(refused.value)
    assert "drop_params" not in str(refused.value)


def test_a_model_that_allows_temperature_1_only_can_be_sampled() -> None:
    with served(Newer()) as base:
        found = probed(newer(base))
    assert not found.capabilities.any_temperature and found.capabilities.varies
    assert Samples().lacks(found.capabilities, "chat") == ""


def test_thinking_tokens_are_more_than_an_answer_needs() -> None:
    script = Newer(thinks=150)
    with served(script) as base:
        lacking = probed(newer(base)).capabilities
        enough = probed(newer(base, thinking_tokens=500)).capabilities
        (said,) = completions(newer(base, thinking_tokens=500), WARM)
    assert lacking.thinking_cut and lacking.reasons
    assert not enough.thinking_cut and enough.varies
    assert said.text and script.bodies[-1]["max_completion_tokens"] == 503


def test_thinking_tokens_are_estimated_and_part_of_the_identity() -> None:
    asked = questions(2)
    plain = newer("http://localhost:1/v1")
    thinking = newer("http://localhost:1/v1", thinking_tokens=500)
    more = [estimate(one, Samples(k=2), asked.values()) for one in (plain, thinking)]
    assert more[1].completion_tokens == more[0].completion_tokens + 4 * 500
    assert WARM.id(plain.identity) != WARM.id(thinking.identity)
    assert "thinking_tokens" not in json.dumps(plain.identity.of_completions)
    assert plain.identity == ModelIdentity(
        name="newer", model="openai/scripted", api_base="http://localhost:1/v1"
    )


@pytest.mark.parametrize(
    ("parameter", "instead"),
    [("max_tokens", "`thinking_tokens`"), ("temperature", "`samples: {temperature: 0.7}`")],
)
def test_a_parameter_that_is_not_the_models_to_say_names_what_is(
    parameter: str, instead: str
) -> None:
    with pytest.raises(GeppettoError) as refused:
        parameters_of("m", "", {parameter: 1})
    assert instead in str(refused.value)
    assert Samples(temperature=0.7).temperature == 0.7


def test_a_reasoning_effort_is_a_parameter() -> None:
    script = Newer()
    with served(script) as base:
        completions(newer(base, parameters={"reasoning_effort": "low"}), WARM)
    assert script.bodies[-1]["reasoning_effort"] == "low"


def test_thinking_is_of_models_behind_an_interface() -> None:
    with pytest.raises(ValueError, match="thinking_tokens: it is of models behind an interface"):
        ModelSpec(name="gemma-3-270m", thinking_tokens=10)
    assert ModelSpec(name="openai/m", thinking_tokens=10).model_dump()["thinking_tokens"] == 10
    assert "thinking_tokens" not in ModelSpec(name="openai/m").model_dump()


def test_plain_text_keeps_the_limit_by_its_old_name() -> None:
    script = Newer()
    with served(script) as base:
        model = newer(base)
        completions(model, WARM)
        with pytest.raises(GeppettoError, match="max_tokens"):
            completions(model, Request(text="Who?", max_tokens=1))
    assert script.bodies[-1]["max_tokens"] == 1
