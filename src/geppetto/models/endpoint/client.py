"""A model behind an interface that LiteLLM reaches: a provider's, or one's own server's."""

from __future__ import annotations

import asyncio
import math
import random
import re
import time
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from functools import cached_property
from typing import Any

from pydantic import JsonValue

from geppetto._util.errors import GeppettoError, UncaughtError
from geppetto.models.budget import Budget, Usage, longest_prompt, usage_of
from geppetto.models.endpoint.address import (
    address_in,
    refuse_address_of_environment,
    refuse_unknown_address,
)
from geppetto.models.endpoint.concurrency import MOST_AT_ONCE, AdaptiveConcurrency
from geppetto.models.endpoint.errors import Fault, fault
from geppetto.models.endpoint.litellm_setup import connections, library
from geppetto.models.endpoint.parameters import parameters_of
from geppetto.models.endpoint.parsing import read
from geppetto.models.endpoint.rate_limits import rates_of
from geppetto.models.endpoint.wire import largest, watched
from geppetto.models.gate import Patience, RequestGate
from geppetto.models.identity import Kind, ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Request

LONGEST_PAUSE = 600.0
"""Seconds that are waited at most if an endpoint asks for it; if for longer, the run ends."""

_TRICKLE = 60.0
"""Seconds that a reply may take beyond the time-out as long as it keeps coming: the time-out is of
silence."""


_CONTROL = re.compile(r"<[|｜][^<>|｜\s]{1,40}[|｜]>|</?(?:start|end)_of_turn>|\[/?INST\]|</s>")
"""Control tokens of templates that are in wide use."""

_OTHER_LIMIT = "max_completion_tokens"


class Endpoint:
    """A model over LiteLLM.

    Failures in passing are tried again; what a model says never is, whatever it says.

    Parameters
    ----------
    name
        What it is called in tables.
    model
        LiteLLM's name of it: `openai/...`, `anthropic/...`, `hosted_vllm/...`.
    api_base
        Where it is reached, if not where its provider's models are.
    kind
        Whether it is sent turns ("chat") or plain text ("base").
    parameters
        What is sent along with every request, and LiteLLM's own, such as `base_model`, or
        `input_cost_per_token` with `output_cost_per_token` in dollars, and `rpm` and `tpm`, the
        most requests and tokens in a minute. Never credentials.
    timeout
        Seconds that a reply may take.
    capabilities
        What it was seen to give.
    most_at_once
        How many requests may be under way at most; how many are is found by `AdaptiveConcurrency`.
    thinking_tokens
        The most tokens that it may think with before it answers, beyond those of a request.
    patience
        How often requests are sent again, if their gate does not say.

    Raises
    ------
    GeppettoError
        If a parameter is a credential or not its own to say, or LiteLLM is missing.

    Examples
    --------
    >>> own = Endpoint("mine", "hosted_vllm/my-model", api_base="http://localhost:8000/v1")
    >>> own.identity.is_local, own.price(1000, 10) is None
    (False, True)
    """

    def __init__(  # noqa: PLR0913  settings, most of them by name
        self,
        name: str,
        model: str,
        *,
        api_base: str = "",
        kind: Kind = "chat",
        parameters: Mapping[str, JsonValue] | None = None,
        timeout: float = 120.0,
        capabilities: Capabilities | None = None,
        most_at_once: int = MOST_AT_ONCE,
        thinking_tokens: int = 0,
        patience: Patience | None = None,
    ) -> None:
        stated = parameters_of(name, api_base, parameters or {})
        self.identity = ModelIdentity(
            name=name,
            model=model,
            api_base=api_base,
            kind=kind,
            parameters=stated.text,
            thinking_tokens=thinking_tokens,
        )
        self.capabilities = capabilities or Capabilities()
        self._priced_as = str(stated.sent.get("base_model", model))
        self._prices = dict(stated.prices)
        self._timeout = timeout
        self._sent: dict[str, Any] = {
            **stated.sent,
            **({"api_base": api_base} if api_base else {}),
            "model": model,
            "timeout": timeout,
            "num_retries": 0,
            "max_retries": 0,
        }
        self.most_at_once = most_at_once
        refuse_unknown_address(name, self._sent)
        self._pace = AdaptiveConcurrency(most_at_once)
        self._patience = patience or Patience()
        self._limit = "max_tokens"
        limited = stated.rpm or stated.tpm
        self._rates = rates_of(model, api_base, stated.rpm, stated.tpm) if limited else None

    @property
    def scorer(self) -> None:
        """Nothing: its tokens are not known."""

    def refuse(self, request: Request) -> None:
        """Refuse text that servers read as the end of a turn; what else, only they know.

        Raises
        ------
        GeppettoError
            If it is one.
        """
        for text in (request.text, *(turn.content for turn in request.turns)):
            if control := _CONTROL.search(text):
                raise GeppettoError(
                    f"a request to {self.identity.name} holds {control[0]!r}, which servers read "
                    "as the end of a turn or another control token; change the item's text or the "
                    "strategy"
                )

    def length(self, text: str) -> int:
        """Number of a text's words."""
        return len(text.split())

    def connected(self) -> AbstractAsyncContextManager[None]:
        """Connections that are kept, shared, and closed with their event loop."""
        return connections()

    async def generate(self, request: Request, gate: RequestGate) -> Completion:
        """The completion of a request; one with an `error` after the last attempt.

        Raises
        ------
        GeppettoError
            If no request can succeed: the key, the model's name or a parameter is refused. Or if
            there is no leave to send this one.
        """
        import tenacity

        if not request.turns:
            self._refuse_chat_only()
        patience = gate.patience or self._patience
        tries = tenacity.AsyncRetrying(
            retry=tenacity.retry_if_exception_type(_PassedError),
            stop=tenacity.stop_after_attempt(patience.attempts),
            wait=lambda state: _pause(state, patience),
            sleep=gate.sleep,
            reraise=True,
        )
        try:
            completion: Completion = await tries(self._attempt, request, gate)
        except _PassedError as error:
            completion = Completion(finish="error", error=error.fault.said)
        return completion.model_copy(update={"attempts": tries.statistics["attempt_number"]})

    def price(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """What so many tokens cost in dollars; None if the price is not known.

        At an address of one's own the provider's prices are nobody's: only declared ones count.
        """
        if self.identity.api_base and not self._prices:
            return None
        litellm = library()
        try:
            costs = litellm.cost_per_token(
                model=self._priced_as,
                prompt_tokens=prompt_tokens,
                completion_tokens=completion_tokens,
                custom_cost_per_token=self._prices or None,
            )
        except litellm.exceptions.ModelNotMappedError:
            return None
        return float(sum(costs))

    @cached_property
    def _is_priced(self) -> bool:
        return self.price(1, 1) is not None

    async def _attempt(self, request: Request, gate: RequestGate) -> Completion:
        prompt, said = longest_prompt(request), self._most_said(request)
        most = self._most(prompt, said, gate.tracker.budget)
        async with AsyncExitStack() as held:
            async with gate.waiting():
                await held.enter_async_context(self._pace.place())
                attempt = await held.enter_async_context(gate.sending(most))
                sent = await self._rates.room(prompt, said) if self._rates else None
            attempt.usage = most
            began = time.monotonic()
            try:
                async with asyncio.timeout(self._timeout + _TRICKLE):
                    response, address = await self._send(request)
                seconds = time.monotonic() - began
                completion = read(response, request, self._priced_as)
            except Exception as error:
                what = fault(error)
                if not what.charged:
                    attempt.usage = Usage()
            else:
                self._pace.went_well()
                if self._rates and sent and completion.prompt_tokens:
                    self._rates.took(sent, completion.prompt_tokens, completion.completion_tokens)
                cost = self._cost(response, completion)
                known = {"seconds": seconds, "cost": cost, "address": address}
                completion = completion.model_copy(update=known)
                attempt.usage = usage_of(completion, most)
                return completion
            if what.overload:
                self._pace.overloaded(began, min(what.retry_after, LONGEST_PAUSE))
        if what.kind == "passing" and what.retry_after <= LONGEST_PAUSE:
            raise _PassedError(what)
        if what.kind == "filtered":
            return Completion(finish="filter")
        if what.kind == "hopeless":
            return Completion(finish="error", error=what.said, hopeless=True)
        advice = what.advice or f"it asks to come back in {what.retry_after / 60:.0f} minutes"
        raise GeppettoError(f"{self.identity.name} cannot be asked: {what.said}; {advice}")

    def _most_said(self, request: Request) -> int:
        """The most tokens that it may say; a server may take 0 for any number of them."""
        return 1 if request.echo else request.max_tokens + self.identity.thinking_tokens

    def _most(self, prompt: int, said: int, budget: Budget) -> Usage:
        """What an attempt can cost at most; dollars only if they are counted."""
        dollars = self.price(prompt, said) if budget.dollars is not None else None
        return Usage(prompt + said, dollars or 0.0)

    async def _send(self, request: Request) -> tuple[Any, str]:
        """What LiteLLM gives of a request, and where it sent it."""
        litellm = library()
        told: list[str] = []

        def before_sending(details: Mapping[str, Any]) -> None:
            if address := address_in(details):
                told.append(address)
                if not self.identity.api_base:
                    try:
                        refuse_address_of_environment(self.identity.name, address)
                    except GeppettoError as error:
                        raise UncaughtError(error) from error

        common = {**self._sent, "temperature": request.temperature, "logger_fn": before_sending}
        limit = self._limit if request.turns else "max_tokens"
        try:
            with watched(largest(request)):
                sent = {limit: self._most_said(request), **common}
                response = await self._called(request, sent)
        except UncaughtError as stopped:
            raise stopped.why from None
        except litellm.BadRequestError as error:
            known = limit == _OTHER_LIMIT or not request.turns
            if known or _OTHER_LIMIT not in str(error):
                raise
            self._limit = _OTHER_LIMIT  # the same by the name that newer models know
            return await self._send(request)
        return response, told[0] if told else ""

    async def _called(self, request: Request, common: Mapping[str, Any]) -> Any:
        """What LiteLLM gives of a request and what is sent with it."""
        litellm = library()
        if request.turns:
            ranked = {"logprobs": True, "top_logprobs": request.top_logprobs}
            turns = [turn.model_dump() for turn in request.turns]
            return await litellm.acompletion(
                messages=turns, **common, **(ranked if request.top_logprobs else {})
            )
        if request.echo:
            ranked = {"echo": True, "logprobs": max(1, request.top_logprobs)}
        else:
            ranked = {"logprobs": request.top_logprobs} if request.top_logprobs else {}
        return await litellm.atext_completion(prompt=request.text, **common, **ranked)

    def _refuse_chat_only(self) -> None:
        """Refuse plain text for a model to which LiteLLM would send it as a turn of a chat."""
        litellm = library()
        model, provider, *_ = litellm.get_llm_provider(self.identity.model)
        continues = (
            model not in litellm.open_ai_chat_completion_models
            if provider == "openai"
            else provider in {"text-completion-openai", "azure_text"}
            or provider in litellm.openai_text_completion_compatible_providers
        )
        if not continues:
            raise GeppettoError(
                f"{self.identity.name} cannot continue plain text, since LiteLLM sends "
                f"{self.identity.model} a chat; declare it `kind: chat`, or name a model that "
                "completes text, such as hosted_vllm/..."
            )

    def _cost(self, response: Any, completion: Completion) -> float | None:
        """What a reply cost in dollars; None if the price, or what it took, is not known."""
        if not self._is_priced or not completion.prompt_tokens:
            return None
        if self._prices:
            return self.price(completion.prompt_tokens, completion.completion_tokens)
        try:
            cost = float(library().completion_cost(response, model=self._priced_as))
        except Exception:  # LiteLLM has no error of its own for counts that make no sense
            return None
        return cost if 0 <= cost < math.inf else None


def _pause(state: Any, patience: Patience) -> float:
    """Seconds until a request is sent again."""
    longest = min(patience.longest, patience.first * 2 ** (state.attempt_number - 1))
    asked_for: float = state.outcome.exception().fault.retry_after
    return max(asked_for, random.uniform(longest / 2, longest))


class _PassedError(Exception):
    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.said)
        self.fault = fault
