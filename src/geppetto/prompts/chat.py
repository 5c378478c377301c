"""A model's own chat template, verified before it is used."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment
from pydantic import BaseModel, ConfigDict

from geppetto.errors import GeppettoError

_SYSTEM, _USER, _ANSWER = "\ue000", "\ue001", "\ue002"


class Turn(BaseModel):
    """One message of a chat."""

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user"]
    content: str


class ChatTemplate(BaseModel):
    """A Jinja chat template as stored with a model's weights.

    Attributes
    ----------
    source
        The template's text.
    bos, eos
        The texts of the model's first and last tokens, which templates may ask for.
    """

    model_config = ConfigDict(frozen=True)

    source: str
    bos: str = ""
    eos: str = ""

    def render(self, turns: Sequence[Turn]) -> str:
        """The text up to where the assistant's answer begins.

        The answer's place is found twice: where the template opens an answer, and where it
        puts a sentinel that stands for a finished one. One must begin the other; the longer is
        taken, so that whatever comes before an answer (an empty reasoning block, say) is there.

        Raises
        ------
        GeppettoError
            If the template drops, alters or repeats a turn.
        """
        turns = self._without_system_role(turns) if not self.has_system_role else turns
        try:
            text = self._before_answer([turn.model_dump() for turn in turns])
        except _RefusalError as error:
            raise GeppettoError(
                f"the model's chat template refuses the conversation: {error}; declare the model "
                "`kind: base` to score it on plain text"
            ) from error
        for turn in turns:
            if text.count(turn.content) != 1:
                raise GeppettoError(
                    f"the chat template does not render the {turn.role} turn exactly once as "
                    f"written: {turn.content[:60]!r}; it may not begin or end with space, nor "
                    "stand in another turn"
                )
        return text

    @cached_property
    def has_system_role(self) -> bool:
        """Whether the template accepts a system turn and writes its content."""
        try:
            return _SYSTEM in self._before_answer(
                [{"role": "system", "content": _SYSTEM}, {"role": "user", "content": _USER}]
            )
        except _RefusalError:
            return False

    @staticmethod
    def _without_system_role(turns: Sequence[Turn]) -> list[Turn]:
        """The system turn's text at the start of the first user turn."""
        text = "\n\n".join(turn.content for turn in turns)
        return [Turn(role="user", content=text)]

    def _before_answer(self, messages: list[dict[str, str]]) -> str:
        answered = [*messages, {"role": "assistant", "content": _ANSWER}]
        open_ended = self._render(messages, add_generation_prompt=True)
        finished = self._render(answered, add_generation_prompt=False)
        if finished.count(_ANSWER) != 1:
            raise GeppettoError("the chat template does not render an assistant turn as written")
        before_answer = finished[: finished.index(_ANSWER)]
        shorter, longer = sorted((open_ended, before_answer), key=len)
        if not longer.startswith(shorter):
            raise GeppettoError(
                "the chat template writes another text before a finished answer than before an "
                "open one, so an answer's place cannot be verified; declare the model "
                "`kind: base` to score it on plain text"
            )
        return longer

    def _render(self, messages: list[dict[str, str]], add_generation_prompt: bool) -> str:
        try:
            text: str = self._compiled.render(
                messages=messages,
                add_generation_prompt=add_generation_prompt,
                bos_token=self.bos,
                eos_token=self.eos,
                enable_thinking=False,
            )
        except _RefusalError:
            raise
        except TemplateError as error:
            raise GeppettoError(
                f"the model's chat template cannot be rendered: {error}; declare the model "
                "`kind: base` to score it on plain text"
            ) from error
        return text

    @cached_property
    def _compiled(self) -> Any:
        environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = _refuse
        try:
            return environment.from_string(self.source)
        except TemplateError as error:
            raise GeppettoError(f"the model's chat template is not valid Jinja: {error}") from error


class _RefusalError(Exception):
    """What a template raises itself, when it does not accept a conversation."""


def _refuse(message: str) -> None:
    raise _RefusalError(message)
