"""Leave to send requests, which every attempt needs: none once a conversation is to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from geppetto.models.budget import BudgetTracker, Usage, usage_of
from geppetto.models.requests import Completion


@dataclass(frozen=True)
class Patience:
    """How often and when a request is sent again that failed in passing.

    Attributes
    ----------
    attempts
        How often it is sent at most.
    first, longest
        Seconds until it is sent again: `first`, then twice as long each time up to `longest`, each
        between half and all of it at random; and never less than the endpoint asks for.
    """

    attempts: int = 8
    first: float = 1.0
    longest: float = 60.0


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
    """Gate requests so that none starts after their conversation has ended, in one event loop.

    Attributes
    ----------
    tracker
        What the run has spent so far, and may.
    patience
        How often requests are sent again; None as their model does it.
    ended
        Why no more is sent, if so.
    """

    def __init__(
        self, tracker: BudgetTracker | None = None, patience: Patience | None = None
    ) -> None:
        self.tracker = tracker or BudgetTracker()
        self.patience = patience
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

    async def once(self, ask: Callable[[], Awaitable[Completion]]) -> Completion:
        """What comes of asking once, which takes nothing that has to be set apart for it.

        Raises
        ------
        GeppettoError
            If the conversation has ended, or the budget is reached.
        """
        async with AsyncExitStack() as held:
            async with self.waiting():
                attempt = await held.enter_async_context(self.sending(Usage()))
            completion = await ask()
            attempt.usage = usage_of(completion)
            return completion
