"""Speakers that must reply, since optimisers take what fails for bad texts and go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from geppetto.errors import GeppettoError
from geppetto.models.speaker import Capabilities, Reply, Request, Speaker, SpeakerIdentity
from geppetto.spending import BudgetReached


class _SilenceError(BaseException):
    """A request got no reply; no `Exception`, all of which optimisers catch."""

    def __init__(self, why: GeppettoError) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True)
class _Witness:
    """A speaker whose silence ends everything, and who passes on no text that is not whole.

    Where personas are written, what was cut off or filtered is not used; an optimiser that saw it
    would improve what nobody reads.
    """

    speaker: Speaker

    @property
    def identity(self) -> SpeakerIdentity:
        return self.speaker.identity

    @property
    def capabilities(self) -> Capabilities:
        return self.speaker.capabilities

    async def reply(self, request: Request) -> Reply:
        try:
            reply = await self.speaker.reply(request)
        except BudgetReached as reached:
            raise _SilenceError(
                BudgetReached(
                    f"{reached}: what was told is stored, so run it again with a larger budget to "
                    "go on from here"
                )
            ) from reached
        except GeppettoError as error:
            raise _SilenceError(error) from error
        if reply.error:
            raise _SilenceError(GeppettoError(_silence(self.identity.name, reply)))
        if reply.finish in ("length", "filter"):
            return reply.model_copy(update={"text": ""})
        return reply


@contextmanager
def all_heard(speakers: Mapping[str, Speaker]) -> Iterator[dict[str, _Witness]]:
    """Speakers none of whose requests may stay without a reply in this context.

    Raises
    ------
    BudgetReached
        If one did since the budget is reached.
    GeppettoError
        If one did for another reason; at once, whatever catches exceptions in between.
    """
    try:
        yield {name: _Witness(speaker) for name, speaker in speakers.items()}
    except _SilenceError as silence:
        raise silence.why from None


def _silence(name: str, reply: Reply) -> str:
    """What to do about a request without a reply."""
    if reply.hopeless:
        return (
            f"{name} cannot be asked this ({reply.error}), so nothing was compiled; let the "
            "strategy tell less (traits, answers), shorten `longest`, or name a writer and a "
            "reflector that read more"
        )
    return (
        f"{name} gave no reply ({reply.error}), so nothing was compiled; what was told until then "
        "is stored, so run it again to go on from here"
    )
