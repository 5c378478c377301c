"""How many requests an endpoint is sent at once: as many as it bears, found by trying.

It begins with `START`. While all goes well, every reply allows one more at once; from the first
overload on, each round of replies allows one more. An overload halves the number, once for all
requests that were under way together (Chiu & Jain 1989: additive increase, multiplicative
decrease, which is what TCP does). Where the endpoint says when to come back, all wait.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

START = 8
"""Requests at once to begin with."""

MOST_AT_ONCE = 64
"""Requests at once at most, if nothing else is said."""

CONNECTIONS = 500
"""The most that LiteLLM opens to one host: more requests at once would wait unseen."""


class AdaptiveConcurrency:
    """The number of requests at once, and who waits for a place among them.

    It outlives an event loop, so that what was found out serves the next one.

    Attributes
    ----------
    allowed
        How many requests may be under way now.
    """

    def __init__(self, most_at_once: int) -> None:
        self._most = most_at_once
        self.allowed = float(min(START, most_at_once))
        self._under_way = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._paused_until = 0.0
        self._slowed = 0.0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place among the requests under way, once there is one."""
        await self._wait()
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1
            self._let_in()

    def went_well(self) -> None:
        """Allow more after a reply."""
        more = 1 / self.allowed if self._slowed else 1
        self.allowed = min(self.allowed + more, self._most)

    def overloaded(self, began: float, pause: float = 0.0) -> None:
        """Allow fewer, unless that was done since a request began; nobody begins for a pause."""
        now = time.monotonic()
        self._paused_until = max(self._paused_until, now + pause)
        if began > self._slowed:
            self._slowed = now
            self.allowed = max(1.0, self.allowed / 2)

    async def _wait(self) -> None:
        while True:
            pause = self._paused_until - time.monotonic()
            if pause > 0:
                await asyncio.sleep(pause)
            elif self._under_way < int(self.allowed):
                return
            else:
                self._waiting.append(turn := asyncio.get_running_loop().create_future())
                try:
                    await turn
                except asyncio.CancelledError:
                    self._let_in()
                    raise

    def _let_in(self) -> None:
        free = int(self.allowed) - self._under_way
        while free > 0 and self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                free -= 1
