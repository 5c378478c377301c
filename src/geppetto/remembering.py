"""A speaker that is asked the same once, by however many processes that share a store."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Iterator
from concurrent.futures import wait
from contextlib import contextmanager

from geppetto.answers.replies import ReplyClaims
from geppetto.answers.store import UNTIL_LOOKING_AGAIN
from geppetto.conversation import STOPPING, asked, within
from geppetto.errors import GeppettoError
from geppetto.models.litellm_local import Service
from geppetto.models.speaker import Capabilities, Reply, Request, Speaker, SpeakerIdentity
from geppetto.sending import Leave
from geppetto.spending import unmeasured


class RememberingSpeaker:
    """A speaker whose replies are stored before anything follows from them.

    What is stored is not asked again, and what another process is asking is left to it. An error is
    not stored, so that it is asked again the next time.

    Parameters
    ----------
    speaker
        Who is asked what is not stored.
    claims
        Where replies are stored, and who asks for which.
    leave
        To ask.
    """

    def __init__(self, speaker: Speaker, claims: ReplyClaims, leave: Leave) -> None:
        self._speaker = within(speaker, leave)
        self._claims = claims
        self._leave = leave

    @property
    def identity(self) -> SpeakerIdentity:
        return self._speaker.identity

    @property
    def capabilities(self) -> Capabilities:
        return self._speaker.capabilities

    async def reply(self, request: Request) -> Reply:
        """The reply to a request, which must say for whom it is drawn.

        Raises
        ------
        GeppettoError
            As the speaker; if it is not stored and there is no leave; or if a budget cannot be
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
            if self._leave.ended:
                raise self._leave.ended
            if key in mine:
                return await self._ask(key, request)
            await asyncio.sleep(UNTIL_LOOKING_AGAIN)

    async def _ask(self, key: str, request: Request) -> Reply:
        reply = await asked(self._speaker, request, self._leave)
        if reply.error:
            return reply
        stored = await asyncio.to_thread(self._claims.put, self.identity.name, {key: reply})
        if why := unmeasured(reply, self._leave.spending.budget, self.identity.name):
            raise GeppettoError(why)
        return stored[key]


@contextmanager
def finishing(service: Service, leave: Leave) -> Iterator[None]:
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
        service.loop.call_soon_threadsafe(leave.end, GeppettoError("it was interrupted"))
        wait(tuple(service.under_way))
        raise
