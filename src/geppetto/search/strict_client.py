"""Models that must reply, since optimisers take what fails for bad texts and go on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from geppetto._util.errors import GeppettoError
from geppetto.models.budget import BudgetReached
from geppetto.models.requests import Capabilities, Completion, Request, TextModel, TextModelIdentity


class _SilenceError(BaseException):
    """A request got no reply; no `Exception`, all of which optimisers catch."""

    def __init__(self, why: GeppettoError) -> None:
        super().__init__(str(why))
        self.why = why


@dataclass(frozen=True)
class _Witness:
    """A model whose silence ends everything, and who passes on no text that is not whole.

    Where personas are written, what was cut off or filtered is not used; an optimiser that saw it
    would improve what nobody reads.
    """

    text_model: TextModel

    @property
    def identity(self) -> TextModelIdentity:
        return self.text_model.identity

    @property
    def capabilities(self) -> Capabilities:
        return self.text_model.capabilities

    async def completion(self, request: Request) -> Completion:
        try:
            completion = await self.text_model.completion(request)
        except BudgetReached as reached:
            raise _SilenceError(
                BudgetReached(
                    f"{reached}: what was told is stored, so run it again with a larger budget to "
                    "go on from here"
                )
            ) from reached
        except GeppettoError as error:
            raise _SilenceError(error) from error
        if completion.error:
            raise _SilenceError(GeppettoError(_silence(self.identity.name, completion)))
        if completion.finish in ("length", "filter"):
            return completion.model_copy(update={"text": ""})
        return completion


@contextmanager
def all_completions(text_models: Mapping[str, TextModel]) -> Iterator[dict[str, _Witness]]:
    """Models none of whose requests may stay without a reply in this context.

    Raises
    ------
    BudgetReached
        If one did since the budget is reached.
    GeppettoError
        If one did for another reason; at once, whatever catches exceptions in between.
    """
    try:
        yield {name: _Witness(text_model) for name, text_model in text_models.items()}
    except _SilenceError as silence:
        raise silence.why from None


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
