"""A model that is asked the same once, by however many processes that share a store."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager

from geppetto._util.errors import GeppettoError
from geppetto.answers.client import STOPPING, completion_of, within
from geppetto.answers.completions import CompletionClaims
from geppetto.answers.store import UNTIL_LOOKING_AGAIN
from geppetto.models.budget import unmeasured
from geppetto.models.endpoint.gate import RequestGate
from geppetto.models.endpoint.litellm_provider import Service
from geppetto.models.requests import Capabilities, Completion, Request, TextModel, TextModelIdentity


class CachedModel:
    """A model whose replies are stored before anything follows from them.

    What is stored is not asked again, and what another process is asking is left to it. An error is
    not stored, so that it is asked again the next time.

    Parameters
    ----------
    text_model
        Who is asked what is not stored.
    claims
        Where replies are stored, and who asks for which.
    gate
        To ask.
    """

    def __init__(self, text_model: TextModel, claims: CompletionClaims, gate: RequestGate) -> None:
        self._text_model = within(text_model, gate)
        self._claims = claims
        self._gate = gate

    @property
    def identity(self) -> TextModelIdentity:
        return self._text_model.identity

    @property
    def capabilities(self) -> Capabilities:
        return self._text_model.capabilities

    async def completion(self, request: Request) -> Completion:
        """The reply to a request, which must say for whom it is drawn.

        Raises
        ------
        GeppettoError
            As the model; if it is not stored and the gate is closed; or if a budget cannot be
            kept, since the reply does not say what it took.
        """
        if not request.drawn_for:
            raise GeppettoError(
                f"{self.identity.name} was asked from a thread that a module began; let modules "
                "ask one thing after the other, so that what they write can be written again"
            )
        key = request.id(self.identity)
        while True:
            stored, mine = await asyncio.to_thread(self._claims.take, {key})
            if key in stored:
                return stored[key]
            if self._gate.ended:
                raise self._gate.ended
            if key in mine:
                return await self._ask(key, request)
            await asyncio.sleep(UNTIL_LOOKING_AGAIN)

    async def _ask(self, key: str, request: Request) -> Completion:
        completion = await completion_of(self._text_model, request, self._gate)
        if completion.error:
            return completion
        stored = await asyncio.to_thread(self._claims.put, self.identity.name, {key: completion})
        if why := unmeasured(completion, self._gate.tracker.budget, self.identity.name):
            raise GeppettoError(why)
        return stored[key]


@contextmanager
def finishing(service: Service, gate: RequestGate) -> Iterator[None]:
    """Let the first interrupt wait for what is under way, which is stored then.

    Raises
    ------
    KeyboardInterrupt
        If it is interrupted.
    """
    try:
        yield
    except KeyboardInterrupt:
        print(STOPPING, file=sys.stderr)
        service.loop.call_soon_threadsafe(gate.end, GeppettoError("it was interrupted"))
        wait(tuple(service.under_way))
        raise
