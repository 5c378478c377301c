"""A speaker that is asked the same once, by however many processes that share a store."""

from __future__ import annotations

import asyncio

from geppetto.answers.replies import ReplyClaims
from geppetto.answers.store import UNTIL_LOOKING_AGAIN
from geppetto.errors import GeppettoError
from geppetto.models.speaker import Capabilities, Reply, Request, Speaker, SpeakerIdentity
from geppetto.spending import Budget, BudgetReached, Spending


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
    spending
        What the run has spent so far, and may.
    """

    def __init__(self, speaker: Speaker, claims: ReplyClaims, spending: Spending) -> None:
        self._speaker = speaker
        self._claims = claims
        self._spending = spending
        self._ended = False

    @property
    def identity(self) -> SpeakerIdentity:
        return self._speaker.identity

    @property
    def capabilities(self) -> Capabilities:
        return self._speaker.capabilities

    def end(self) -> None:
        """Ask nothing more; what is under way is still stored."""
        self._ended = True

    async def reply(self, request: Request) -> Reply:
        """The reply to a request, which must say for whom it is drawn.

        Raises
        ------
        BudgetReached
            If the budget is, and it is not stored.
        GeppettoError
            As the speaker; or if a budget cannot be kept, since the reply does not say what it
            took.
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
            if self._ended:
                raise GeppettoError("the writing was stopped; run it again to go on from here")
            if key in mine:
                return await self._ask(key, request)
            await asyncio.sleep(UNTIL_LOOKING_AGAIN)

    async def _ask(self, key: str, request: Request) -> Reply:
        if reached := self._spending.reached:
            raise BudgetReached(f"the budget of {reached} is reached")
        reply = await self._speaker.reply(request)
        self._spending.add(reply)
        if reply.error:
            return reply
        stored = await asyncio.to_thread(self._claims.put, self.identity.name, {key: reply})
        if why := unmeasured(reply, self._spending.budget, self.identity.name):
            raise GeppettoError(why)
        return stored[key]


def unmeasured(reply: Reply, budget: Budget, name: str) -> str:
    """Why a budget cannot be kept with replies like this one of a model; empty if it can."""
    if reply.finish == "filter":
        return ""
    if (budget.dollars or budget.tokens) and not reply.prompt_tokens:
        return (
            f"{name} does not say how many tokens a reply took, so that a budget in dollars or "
            "tokens cannot be kept; budget minutes instead"
        )
    if budget.dollars and reply.cost is None:
        return f"{name} replied without a price; budget tokens instead"
    return ""
