"""How a session is put before a model: the `session:` part of an experiment file."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from geppetto._util.errors import GeppettoError
from geppetto._util.validation import Declared, refuse_repeated
from geppetto.prompts.chat import ChatTemplate

Presentation = Literal["text", "turns"]
History = Annotated[int, Field(ge=0, strict=True)] | Literal["all"]


def _listed(value: Any) -> Any:
    """A single value as a list of one, as experiment files may write it."""
    return value if value is None or isinstance(value, list | tuple) else [value]


class SessionLayout(Declared):
    """How much of a session a model reads, and as what.

    Attributes
    ----------
    presentation
        As plain "text" with the marks around responses kept, or as "turns" of the model's own
        chat template; several are compared. None takes "turns" for a chat model and "text" for a
        base model, which has no other.
    long
        What is done with a session that is longer than a model's context: "cut" leaves out the
        trials at its end, "windows" scores them in further transcripts that overlap.
    responses
        Only the first so many responses of each session are scored; None scores all.
    history
        How many earlier trials a response is given, or "all" of them; several are compared.

    Examples
    --------
    >>> SessionLayout(history=5, responses=20).history
    (5,)
    """

    presentation: Annotated[
        Annotated[tuple[Presentation, ...], Field(min_length=1)] | None, BeforeValidator(_listed)
    ] = None
    long: Literal["cut", "windows"] = "cut"
    responses: int | None = Field(None, ge=1, strict=True)
    history: Annotated[tuple[History, ...], BeforeValidator(_listed), Field(min_length=1)] = (
        "all",
    )

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        refuse_repeated(self.presentation or (), "presentation: ")
        refuse_repeated(self.history, "history: ")
        return self

    def presentations(
        self, model: str, template: ChatTemplate | None
    ) -> dict[Presentation, ChatTemplate | None]:
        """The template that a model reads each presentation in; None for plain text.

        A GeppettoError is raised if turns are asked of a base model.
        """
        wanted = self.presentation or (("text",) if template is None else ("turns",))
        if "turns" in wanted and template is None:
            raise GeppettoError(
                f"session: {model} is a base model and has no chat template, so it cannot read "
                "turns; leave `presentation` out, so that each model is given what it reads, or "
                "use `presentation: text`"
            )
        return {how: template if how == "turns" else None for how in wanted}
