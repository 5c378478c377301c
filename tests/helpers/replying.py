"""What every model for logic has that is asked by requests."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from geppetto.models.base import Scorer
from geppetto.models.gate import RequestGate
from geppetto.models.identity import ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Request


class Replying(ABC):
    """Replies with `completion`, once its gate gives leave."""

    identity: ModelIdentity
    capabilities: Capabilities
    scorer: Scorer | None = None
    most_at_once = 8

    @abstractmethod
    async def completion(self, request: Request) -> Completion:
        """The reply."""

    async def generate(self, request: Request, gate: RequestGate) -> Completion:
        return await gate.once(lambda: self.completion(request))

    def refuse(self, request: Request) -> None:
        return

    def price(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        return 0.0

    def length(self, text: str) -> int:
        return len(text)

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        yield
