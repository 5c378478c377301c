"""Leave to send requests, which every attempt needs: none once a conversation is to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from geppetto.models.budget import BudgetTracker, Usage


@dataclass
class Attempt:
    """An attempt at a request that may be sent.

    Attributes
    ----------
    usage
        What it took, as far as it is known: nothing until it is sent.
    """

    usage: Usage


class RequestGate:
    """Of one conversation, in one event loop.

    Attributes
    ----------
    ended
        Why no more is sent, if so.
    """

    def __init__(self, tracker: BudgetTracker | None = None) -> None:
        self.tracker = tracker or BudgetTracker()
        self.ended: Exception | None = None
        self._waits: set[asyncio.Timeout] = set()
        self._settled = asyncio.Event()

    def end(self, why: Exception) -> None:
        """Let nothing more be sent; all that waits for being sent fails, what is sent goes on."""
        self.ended = self.ended or why
        for wait in self._waits:
            if not wait.expired():
                wait.reschedule(asyncio.get_running_loop().time())

    @asynccontextmanager
    async def waiting(self) -> AsyncIterator[None]:
        """A time in which nothing is under way: it ends with the conversation and the minutes.

        Raises
        ------
        GeppettoError
            If one of them ends first; says why.
        """
        if self.ended:
            raise self.ended
        try:
            async with asyncio.timeout(self.tracker.seconds_left) as wait:
                self._waits.add(wait)
                try:
                    yield
                finally:
                    self._waits.discard(wait)
        except TimeoutError:
            if not wait.expired():
                raise
            raise self.ended or self.tracker.minutes_reached from None

    async def sleep(self, seconds: float) -> None:
        """Wait before the next attempt."""
        async with self.waiting():
            await asyncio.sleep(seconds)

    @asynccontextmanager
    async def sending(self, most: Usage) -> AsyncIterator[Attempt]:
        """An attempt that can cost so much at most, once the budget is seen to suffice for it.

        Raises
        ------
        GeppettoError
            If the conversation has ended, or the budget is reached.
        """
        while not self.tracker.reserve(most):
            self._settled.clear()
            await self._settled.wait()
        attempt = Attempt(Usage())
        try:
            yield attempt
        finally:
            self.tracker.settle(most, attempt.usage)
            self._settled.set()
