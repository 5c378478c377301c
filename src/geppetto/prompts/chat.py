"""A model's own chat template, verified before it is used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from geppetto._util.errors import GeppettoError

_SYSTEM, _USER, _ANSWER = "\ue000", "\ue001", "\ue002"
_OPEN_REASONING = re.compile(r"<(think|thinking|thought|reason|reasoning)>\s*$")


class Turn(BaseModel):
    """One message of a chat."""

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant"]
    content: str


class ChatTemplate(BaseModel):
    """A Jinja chat template as stored with a model's weights.

    It may ask for the texts of the model's first and last tokens, `bos` and `eos`.

    Examples
    --------
    >>> template = ChatTemplate(source="{% for m in messages %}[{{ m.role }}] {{ m.content }}\\n"
    ...     "{% endfor %}{% if add_generation_prompt %}[assistant] {% endif %}")
    >>> template.render([Turn(role="user", content="Hello?")])
    '[user] Hello?\\n[assistant] '
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
        A GeppettoError is raised if the template drops, alters or repeats a turn.
        """
        if not self.has_system_role:  # then the system turn's text opens the user turn
            turns = [Turn(role="user", content="\n\n".join(turn.content for turn in turns))]
        answered = [*turns, Turn(role="assistant", content=_ANSWER)]
        finished = self.rendered(answered, open_ended=False)
        if finished.count(_ANSWER) != 1:
            raise GeppettoError("the chat template does not render an assistant turn as written")
        text = answer_prefix(
            self.rendered(turns, open_ended=True), finished[: finished.index(_ANSWER)]
        )
        for turn in turns:
            if text.count(turn.content) != 1:
                raise GeppettoError(
                    f"the chat template does not render the {turn.role} turn exactly once as "
                    f"written: {turn.content[:60]!r}; it may not begin or end with space, nor "
                    "stand in another turn"
                )
        return text

    @cached_property
    def end_of_answer(self) -> str:
        """The text that the template writes after a finished answer, spaces before it aside.

        It begins with what ends a turn; empty if the template writes nothing there.
        """
        turns = [Turn(role="user", content=_USER), Turn(role="assistant", content=_ANSWER)]
        return self.rendered(turns, open_ended=False).rpartition(_ANSWER)[2].lstrip(" ")

    @cached_property
    def has_system_role(self) -> bool:
        """Whether the template accepts a system turn and writes its content."""
        turns = [Turn(role="system", content=_SYSTEM), Turn(role="user", content=_USER)]
        try:
            return _SYSTEM in self.rendered(turns, open_ended=True)
        except _RefusalError:
            return False

    def rendered(self, turns: Sequence[Turn], open_ended: bool) -> str:
        """What the template makes of some turns, unchecked; `open_ended` lets an answer follow.

        A GeppettoError is raised if it refuses the conversation, or cannot be rendered.
        """
        from jinja2 import TemplateError

        self._compiled.environment.begin()
        try:
            text: str = self._compiled.render(
                messages=[{"role": turn.role, "content": turn.content} for turn in turns],
                add_generation_prompt=open_ended,
                bos_token=self.bos,
                eos_token=self.eos,
                enable_thinking=False,
            )
        except TemplateError as error:
            raise GeppettoError(
                f"the model's chat template cannot be rendered: {error}; declare the model "
                "`kind: base` to score it on plain text"
            ) from error
        return text

    @cached_property
    def _compiled(self) -> Any:
        from jinja2 import TemplateError

        from geppetto.prompts.bounded import BoundedEnvironment

        environment = BoundedEnvironment(trim_blocks=True, lstrip_blocks=True)
        environment.globals["raise_exception"] = _refuse
        try:
            return environment.from_string(self.source)
        except TemplateError as error:
            raise GeppettoError(f"the model's chat template is not valid Jinja: {error}") from error


def answer_prefix(*openings: str) -> str:
    """The longest of the texts that a template writes before an answer.

    A GeppettoError is raised if another does not begin it, or it ends in open reasoning.
    """
    longest = max(openings, key=len)
    if not all(longest.startswith(opening) for opening in openings):
        raise GeppettoError(
            "the chat template writes another text before a finished answer than before an "
            "open one, so an answer's place cannot be verified; declare the model "
            "`kind: base` to score it on plain text"
        )
    if opened := _OPEN_REASONING.search(longest):
        raise GeppettoError(
            f"the chat template opens reasoning ({opened[0].strip()}) before an answer and does "
            "not close it, so an answer would be read as reasoning; declare the model "
            "`kind: base` to score it on plain text"
        )
    return longest


class _RefusalError(GeppettoError):
    """What a template raises itself, when it does not accept a conversation."""


def _refuse(message: str) -> None:
    raise _RefusalError(
        f"the model's chat template refuses the conversation: {message}; declare the model "
        "`kind: base` to score it on plain text"
    )
