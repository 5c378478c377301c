"""Limits of requests and tokens a minute: kept in every minute, whenever it begins.

LiteLLM's router counts by minutes of the clock, in which twice as much may fall into one minute
across two of them, and refuses what is too much; here it waits.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections import deque
from dataclasses import dataclass
from functools import cache
from threading import Lock

MINUTE = 61.0
"""Seconds: one more than a minute, since some requests take longer to arrive than others."""

_LOOKING = 1.0
"""Seconds after which those that wait look again: replies may have been shorter than they could."""

_MARGIN = 1.1
"""How much more of the tokens that it can have a prompt is taken to have than any one before."""


@dataclass
class Sent:
    """An attempt that counts.

    Attributes
    ----------
    at
        When it was sent, in seconds of the monotonic clock.
    prompt
        Tokens that its prompt can have at most.
    tokens
        That it takes, prompt and reply together: expected, until they are known.
    """

    at: float
    prompt: int
    tokens: int


class Rates:
    """What is sent to one model in a minute.

    Until the first replies a prompt is taken to have the most tokens that it can have; then, as
    large a share of them as any had, and a tenth more.

    Parameters
    ----------
    requests, tokens
        The most in any minute; every attempt counts, and tokens sent and said together. A request
        that alone may take more tokens is sent when nothing else was for a minute.
    """

    def __init__(self, requests: int | None, tokens: int | None) -> None:
        self._requests = requests
        self._tokens = tokens
        self._sent: deque[Sent] = deque()
        self._taken = 0
        self._share = 0.0
        self._one_at_a_time = Lock()

    async def room(self, prompt: int, said: int) -> Sent:
        """Wait until a request may be sent whose prompt and reply have so many tokens at most."""
        while True:
            with self._one_at_a_time:
                now = time.monotonic()
                share = min(1.0, self._share * _MARGIN) or 1.0
                sent = Sent(now, prompt, math.ceil(prompt * share) + said)
                wait = self._until_room(sent)
                if wait <= 0:
                    self._sent.append(sent)
                    self._taken += sent.tokens
                    return sent
            await asyncio.sleep(min(wait, _LOOKING))

    def took(self, sent: Sent, prompt: int, said: int) -> None:
        """Count the tokens that a request had, once its reply says so."""
        with self._one_at_a_time:
            now = time.monotonic()
            self._forget(now)
            if now < sent.at + MINUTE:
                self._taken += prompt + said - sent.tokens
                sent.tokens = prompt + said
            self._share = max(self._share, prompt / sent.prompt)

    def _forget(self, now: float) -> None:
        """Forget what was sent more than a minute ago."""
        while self._sent and self._sent[0].at + MINUTE <= now:
            self._taken -= self._sent.popleft().tokens

    def _until_room(self, next_one: Sent) -> float:
        """Seconds until one more may be sent."""
        self._forget(next_one.at)
        wait = 0.0
        if self._requests and len(self._sent) >= self._requests:
            wait = self._sent[-self._requests].at + MINUTE - next_one.at
        if self._tokens:
            too_many = self._taken + next_one.tokens - self._tokens
            for one in self._sent:
                if too_many <= 0:
                    break
                too_many -= one.tokens
                wait = max(wait, one.at + MINUTE - next_one.at)
        return wait


@cache
def rates_of(model: str, api_base: str, requests: int | None, tokens: int | None) -> Rates:
    """The limits of a model, of which a process has one, however often the model is opened."""
    return Rates(requests, tokens)
