"""A model's own chat template, verified before it is used."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from geppetto._util.errors import GeppettoError
from geppetto._util.reasoning import opened as opened_reasoning

AS_BASE = "declare the model `kind: base` to score it on plain text"
"""What to do about a template that cannot be used."""

_TODAY = "strftime_now"
"""The function by which templates write today's date."""

_SYSTEM, _USER, _ANSWER = "\ue000", "\ue001", "\ue002"


class Turn(BaseModel):
    """One message of a chat."""

    model_config = ConfigDict(frozen=True)

    role: Literal["system", "user", "assistant"]
    content: str


class ChatTemplate(BaseModel):
    """A Jinja chat template as stored with a model's weights.

    It may ask for the texts of the model's first and last tokens, `bos` and `eos`, and for today's
    date, which is the `date` that is declared of the model: another one would be another prompt.

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
    date: datetime.date | None = None

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
        last = text.rfind(turns[-1].content)
        refuse_open_reasoning(text[:last], text[last:].removeprefix(turns[-1].content))
        for turn in turns:
            if text.count(turn.content) != 1:
                raise GeppettoError(
                    f"the chat template does not render the {turn.role} turn exactly once as "
                    f"written: {turn.content[:60]!r}; it may not begin or end with space, nor "
                    "stand in another turn"
                )
        return text

    @property
    def written_date(self) -> str:
        """The declared date, if the template asks for one: then another is another prompt."""
        return str(self.date) if self.date and _TODAY in self.source else ""

    @cached_property
    def end_of_answer(self) -> str:
        """The text that the template writes after a finished answer, spaces before it aside.

        It begins with what ends a turn; empty if the template writes nothing there.
        """
        turns = [Turn(role="user", content=_USER), Turn(role="assistant", content=_ANSWER)]
        return self.rendered(turns, open_ended=False).rpartition(_ANSWER)[2].lstrip(" ")

    @cached_property
    def has_system_role(self) -> bool:
        """Whether the template writes a system turn, also where an answer follows.

        Some write it in the last turn of all, which only fits where that is the user's.
        """
        turns = [Turn(role="system", content=_SYSTEM), Turn(role="user", content=_USER)]
        answer = Turn(role="assistant", content=_ANSWER)
        try:
            opened = self.rendered(turns, open_ended=True)
            finished = self.rendered([*turns, answer], open_ended=False)
        except _RefusalError:
            return False
        return _SYSTEM in opened and _SYSTEM in finished[: finished.find(_USER)]

    def rendered(self, turns: Sequence[Turn], open_ended: bool) -> str:
        """What the template makes of some turns, unchecked; `open_ended` lets an answer follow.

        A GeppettoError is raised if it refuses the conversation, or cannot be rendered.
        """
        from jinja2 import TemplateError

        self._compiled.environment.begin()
        wrong = (TemplateError, TypeError, ValueError, LookupError, ArithmeticError, RecursionError)
        try:
            text: str = self._compiled.render(
                messages=[{"role": turn.role, "content": turn.content} for turn in turns],
                add_generation_prompt=open_ended,
                bos_token=self.bos,
                eos_token=self.eos,
                enable_thinking=False,
            )
        except wrong as error:
            if f"'{_TODAY}' is undefined" in str(error):
                raise GeppettoError(
                    "the model's chat template writes today's date, with which prompts would be "
                    "others every day; declare one for the model, as in `date: 2026-01-31`"
                ) from error
            raise GeppettoError(
                f"the model's chat template cannot be rendered: {error}; {AS_BASE}"
            ) from error
        return text

    @cached_property
    def _compiled(self) -> Any:
        from jinja2 import TemplateError

        environment = _environment()
        environment.globals["raise_exception"] = _refuse
        if self.date is not None:
            environment.globals[_TODAY] = self.date.strftime
        try:
            return environment.from_string(self.source)
        except TemplateError as error:
            raise GeppettoError(
                f"the model's chat template is not valid Jinja: {error}; {AS_BASE}"
            ) from error


def _environment() -> Any:
    """What published templates are written for: Jinja as Hugging Face's and llama.cpp's have it."""
    from jinja2.ext import Extension, loopcontrols

    from geppetto.prompts.bounded import BoundedEnvironment

    class Generation(Extension):
        """A tag around what the model says, which training needs and prompts do not."""

        tags = {"generation"}  # noqa: RUF012  as Jinja declares it

        def parse(self, parser: Any) -> Any:
            next(parser.stream)
            return parser.parse_statements(("name:endgeneration",), drop_needle=True)

    environment = BoundedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, Generation]
    )
    environment.filters["tojson"] = _json
    return environment


def _json(value: Any, indent: int | None = None) -> str:
    """A value as JSON, without what Jinja escapes for web pages."""
    return json.dumps(value, indent=indent, ensure_ascii=False)


def answer_prefix(*openings: str) -> str:
    """The longest of the texts that a template writes before an answer.

    A GeppettoError is raised if another does not begin it.
    """
    longest = max(openings, key=len)
    if not all(longest.startswith(opening) for opening in openings):
        raise GeppettoError(
            "the chat template writes another text before a finished answer than before an "
            f"open one, so an answer's place cannot be verified; {AS_BASE}"
        )
    return longest


def refuse_open_reasoning(before: str, opening: str) -> None:
    """Refuse what a template writes before an answer if it opens reasoning and does not close it.

    Parameters
    ----------
    before, opening
        What it writes before the last turn, and between that and the answer.
    """
    if opened := opened_reasoning(before, opening):
        raise GeppettoError(
            f"the chat template opens reasoning ({opened}) before an answer and does not close it, "
            f"so an answer would be read as reasoning; {AS_BASE}"
        )


class _RefusalError(GeppettoError):
    """What a template raises itself, when it does not accept a conversation."""


def _refuse(message: str) -> None:
    raise _RefusalError(f"the model's chat template refuses the conversation: {message}; {AS_BASE}")
