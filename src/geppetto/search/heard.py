"""Speakers whose failures are remembered, since optimisers take them for bad texts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from geppetto.errors import GeppettoError
from geppetto.models.speaker import Capabilities, Reply, Request, Speaker, SpeakerIdentity


@dataclass(frozen=True)
class _Witness:
    """A speaker who keeps why requests got no reply, and passes on no text that is not whole.

    Where personas are written, what was cut off or filtered is not used; an optimiser that saw it
    would improve what nobody reads.
    """

    speaker: Speaker
    failures: list[str] = field(default_factory=list)

    @property
    def identity(self) -> SpeakerIdentity:
        return self.speaker.identity

    @property
    def capabilities(self) -> Capabilities:
        return self.speaker.capabilities

    async def reply(self, request: Request) -> Reply:
        try:
            reply = await self.speaker.reply(request)
        except GeppettoError as error:
            self.failures.append(str(error))
            raise
        if reply.error:
            self.failures.append(reply.error)
        if reply.finish in ("length", "filter"):
            return reply.model_copy(update={"text": ""})
        return reply


@contextmanager
def all_heard(speakers: Mapping[str, Speaker]) -> Iterator[dict[str, _Witness]]:
    """Speakers none of whose requests may stay without a reply in this context.

    Raises
    ------
    GeppettoError
        At the end, if one did.
    """
    witnesses = {name: _Witness(speaker) for name, speaker in speakers.items()}
    yield witnesses
    for name, witness in witnesses.items():
        if witness.failures:
            raise GeppettoError(
                f"{len(witness.failures):,} requests to {name} got no reply "
                f"({witness.failures[0]}), so nothing was compiled; run it again"
            )
