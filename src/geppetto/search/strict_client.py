"""Models that must reply, since optimisers take what fails for bad texts and go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial

from geppetto._util.errors import GeppettoError, UncaughtError
from geppetto.models.budget import BudgetReached
from geppetto.models.endpoint.litellm_provider import Completes
from geppetto.models.requests import Completion, Request


@contextmanager
def all_completions(asked: Mapping[str, Completes]) -> Iterator[dict[str, Completes]]:
    """Models none of whose requests may stay without a completion in this context.

    Raises
    ------
    GeppettoError
        If one did, at once, whatever catches exceptions in between; `BudgetReached` if that is why.
    """
    try:
        yield {name: partial(_whole, name, completes) for name, completes in asked.items()}
    except UncaughtError as silence:
        raise silence.why from None


async def _whole(name: str, completes: Completes, request: Request) -> Completion:
    """A completion, without its text if that is not whole.

    Where personas are written, what was cut off or filtered is not used; an optimiser that saw it
    would improve what nobody reads.
    """
    try:
        completion = await completes(request)
    except BudgetReached as reached:
        raise UncaughtError(
            BudgetReached(
                f"{reached}: what was told is stored, so run it again with a larger budget to "
                "go on from here"
            )
        ) from reached
    except GeppettoError as error:
        raise UncaughtError(error) from error
    if completion.error:
        raise UncaughtError(GeppettoError(_silence(name, completion)))
    if completion.finish in ("length", "filter"):
        return completion.model_copy(update={"text": ""})
    return completion


def _silence(name: str, completion: Completion) -> str:
    """What to do about a request without a reply."""
    if completion.hopeless:
        return (
            f"{name} cannot be asked this ({completion.error}), so nothing was compiled; let the "
            "strategy tell less (traits, answers), shorten `longest`, or name a writer and a "
            "reflector that read more"
        )
    return (
        f"{name} gave no reply ({completion.error}), so nothing was compiled; what was told until "
        "then is stored, so run it again to go on from here"
    )
