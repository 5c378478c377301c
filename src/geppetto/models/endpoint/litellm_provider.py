"""Models as a provider of LiteLLM: what is asked of `geppetto/<name>` a model answers.

So DSPy reaches a model on this machine without a server, and one behind an interface with the
retries, limits and prices of its model.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from threading import Thread
from typing import TYPE_CHECKING, Any

from geppetto._util.errors import GeppettoError, unknown
from geppetto._util.reasoning import split
from geppetto.models.endpoint.litellm_setup import end_in_loop, library
from geppetto.models.requests import Completion, Request
from geppetto.prompts.chat import Turn

if TYPE_CHECKING:
    from litellm import CustomLLM, ModelResponse

PROVIDER = "geppetto"
"""What comes before the name of a model in LiteLLM's name of a model."""

Completes = Callable[[Request], Coroutine[Any, Any, Completion]]
"""Gives the completion of a request."""

_FINISH = {"stop": "stop", "length": "length", "filter": "content_filter"}
_OURS = {"temperature", "max_tokens", "max_retries"}


class NoCompletionError(Exception):
    """A model gave no reply, after all its attempts."""

    def __init__(self, completion: Completion) -> None:
        super().__init__(completion.error)
        self.completion = completion


@dataclass(frozen=True)
class Draws:
    """What is asked for one purpose, one thing after the other.

    Attributes
    ----------
    whose
        For whom or what replies are drawn: they are its own.
    completions
        What came back so far.
    """

    whose: str
    completions: list[Completion] = field(default_factory=list)
    _counts: Counter[Request] = field(default_factory=Counter)

    def numbered(self, request: Request) -> Request:
        """The request as one of these, told apart from equal ones before it."""
        number = self._counts[request]
        self._counts[request] += 1
        return request.model_copy(update={"drawn_for": self.whose, "sample": number})


_DRAWS: ContextVar[Draws | None] = ContextVar("draws", default=None)


@contextmanager
def drawing_for(whose: str) -> Iterator[Draws]:
    """Let what this thread asks of models be drawn for one purpose, while in this context.

    Asked once more in the same order, its requests are the same.
    """
    draws = Draws(whose)
    token = _DRAWS.set(draws)
    try:
        yield draws
    finally:
        _DRAWS.reset(token)


@dataclass(frozen=True)
class Service:
    """Models at work.

    Attributes
    ----------
    loop
        Where they are, in a thread of its own.
    under_way
        What they were asked and have not replied to.
    """

    loop: asyncio.AbstractEventLoop
    under_way: set[Future[Completion]]


@contextmanager
def serving(models: Mapping[str, Completes]) -> Iterator[Service]:
    """Let LiteLLM reach models by `geppetto/<name>`, while in this context.

    All of them work in one event loop of a thread of its own, so requests may come from any thread
    and a model must not be at work in another loop.

    Parameters
    ----------
    models
        By name.

    Yields
    ------
    Service
        What is at work.
    """
    litellm = library()
    opened: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def work() -> None:
        left = asyncio.Event()
        opened.set_result((asyncio.get_running_loop(), left))
        await left.wait()
        await end_in_loop()

    thread = Thread(target=lambda: asyncio.run(work()), daemon=True)
    thread.start()
    loop, left = opened.result()
    before = litellm.custom_provider_map
    others = [each for each in before if each["provider"] != PROVIDER]
    under_way: set[Future[Completion]] = set()
    handler = _handler(models, loop, under_way)
    litellm.custom_provider_map = [*others, {"provider": PROVIDER, "custom_handler": handler}]
    try:
        yield Service(loop, under_way)
    finally:
        litellm.custom_provider_map = before
        loop.call_soon_threadsafe(left.set)
        thread.join()


def request(messages: Sequence[Mapping[str, Any]], parameters: Mapping[str, Any]) -> Request:
    """What LiteLLM was asked, as a request to a model.

    Raises
    ------
    GeppettoError
        If a parameter or a message is none that a model takes.
    """
    for name, value in parameters.items():
        if name not in _OURS and value is not None and (name, value) != ("n", 1):
            raise GeppettoError(
                f"{PROVIDER}/: the parameter {name} cannot be passed on; only temperature and "
                "max_tokens can"
            )
    if not parameters.get("max_tokens"):
        raise GeppettoError(f"{PROVIDER}/: say how much may be said (max_tokens)")
    for message in messages:
        if not isinstance(message["content"], str):
            raise GeppettoError(f"{PROVIDER}/: a message must be a text, without parts or tools")
    return Request(
        turns=tuple(Turn(role=each["role"], content=each["content"]) for each in messages),
        temperature=parameters.get("temperature") or 0.0,
        max_tokens=parameters["max_tokens"],
    )


def _handler(
    models: Mapping[str, Completes],
    loop: asyncio.AbstractEventLoop,
    under_way: set[Future[Completion]],
) -> CustomLLM:
    from litellm import CustomLLM, Usage

    class Handler(CustomLLM):  # type: ignore[misc]  # LiteLLM is not typed
        def completion(
            self,
            model: str,
            messages: list[dict[str, Any]],
            model_response: ModelResponse,
            optional_params: dict[str, Any],
            **_: Any,
        ) -> ModelResponse:
            if model not in models:
                raise unknown("model", model, models)
            wanted = request(messages, optional_params)
            draws = _DRAWS.get()
            if draws is not None:
                wanted = draws.numbered(wanted)
            answered = asyncio.run_coroutine_threadsafe(models[model](wanted), loop)
            under_way.add(answered)
            answered.add_done_callback(under_way.discard)
            completion = answered.result()
            if draws is not None:
                draws.completions.append(completion)
            if completion.finish == "error":
                raise NoCompletionError(completion)
            (choice,) = model_response.choices
            choice.message.content = split(completion.text)[1]
            choice.finish_reason = _FINISH[completion.finish]
            model_response.model = completion.model
            usage = Usage(
                prompt_tokens=completion.prompt_tokens,
                completion_tokens=completion.completion_tokens,
                total_tokens=completion.prompt_tokens + completion.completion_tokens,
            )
            model_response.usage = usage
            return model_response

    return Handler()
