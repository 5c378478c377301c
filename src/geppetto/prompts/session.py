"""A part of a session as a model reads it, with or without a persona: text, or chat turns."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from geppetto._util.errors import GeppettoError
from geppetto.personas.base import Persona
from geppetto.prompts.chat import ChatTemplate, Turn
from geppetto.prompts.transcript import Response, Transcript
from geppetto.prompts.turns import around, own_system
from geppetto.studies.sessions.session import CLOSING, OPENING, Session, Span

_END_OF_SENTENCE = re.compile(r"\A[.,;:!?)\]\"'’”]+(?=\s|$)")


@dataclass(frozen=True)
class Window:
    """Which part of a session is shown, after the instructions, and what of it is scored.

    It begins with a trial. Responses from number `start` to before `stop` are scored; what is shown
    before them is context, and nothing after them is shown.
    """

    trial: int
    start: int
    stop: int


@dataclass(frozen=True)
class Step:
    """A response and what is read before it, whose last characters announce it."""

    before: str
    announcing: int
    response: str


@dataclass(frozen=True)
class Script:
    """Everything that a model reads, in order.

    Persona and instructions, with what stands around them, are its `head`; then come responses,
    from number `first` of the session on.
    """

    head: str
    first: int
    steps: tuple[Step, ...]


def script(
    persona: Persona | None, session: Session, window: Window, template: ChatTemplate | None
) -> Script:
    """What a model reads of a window: plain text or, with a template, turns.

    A GeppettoError is raised if the template does not write the turns as given, or there is nothing
    to ask in a turn.
    """
    if template is None:
        return _as_text(persona, session, window)
    return _as_turns(persona, session, window, template)


def transcripts(
    persona: Persona | None,
    session: Session,
    windows: Sequence[Window],
    template: ChatTemplate | None,
) -> tuple[Transcript, ...]:
    """One transcript for each window, all with the same persona and instructions; see `script`.

    Examples
    --------
    >>> from geppetto.personas import Persona
    >>> from geppetto.studies.sessions import parsed
    >>> session = parsed("You press <<N>>.\\nYou press <<Z>>.\\n")
    >>> (read,) = transcripts(Persona("You are 34."), session, [Window(0, 1, 2)], None)
    >>> read.text
    'You are 34.\\n\\nYou press <<N>>.\\nYou press <<Z'
    """
    return tuple(
        _transcript(script(persona, session, window, template), session, window, len(windows) > 1)
        for window in windows
    )


def _transcript(made: Script, session: Session, window: Window, shared: bool) -> Transcript:
    parts = [made.head, *(part for step in made.steps for part in (step.before, step.response))]
    ends = list(accumulate(map(len, parts)))
    text = "".join(parts)
    responses = []
    for number, start, end, step in zip(
        range(made.first, window.stop), ends[1::2], ends[2::2], made.steps, strict=True
    ):
        span = session.spans[number]
        if text[start:end] != session.text[span.start : span.end]:
            raise RuntimeError(f"response {number} is not where it was written")
        if number >= window.start:
            responses.append(Response(number, start - step.announcing, start, end, span.options))
    breaks = tuple(ends if made.head else ends[1:])
    return Transcript(text, tuple(responses), breaks, head=ends[0] if shared else 0)


def _as_text(persona: Persona | None, session: Session, window: Window) -> Script:
    """Persona, blank line and the session as its source has it."""
    opening = f"{persona.text}\n\n" if persona else ""
    place = session.trials[window.trial]
    steps = []
    for span in _shown(session, window):
        before = session.text[place : span.start]
        if not before.endswith(OPENING):
            raise RuntimeError(f"the response at character {span.start} has no {OPENING} before it")
        steps.append(Step(before, len(OPENING), session.text[span.start : span.end]))
        place = span.end
    return Script(
        head=opening + session.instructions,
        first=session.first_response(window.trial),
        steps=tuple(steps),
    )


def _as_turns(
    persona: Persona | None, session: Session, window: Window, template: ChatTemplate
) -> Script:
    """The instructions as system turn, what is read as user turns, responses as answers.

    The persona stands at the end of the system turn or, before the task, at the beginning of the
    first user turn, as it does where a survey is answered. Without a system role both open the
    first user turn. Instructions in the user turn would leave the system turn to templates that
    then write a persona of their own into it.

    Marks are left out. So is the punctuation after one that ended the response's sentence.
    Responses between which nothing is read are lines of one answer, since a turn may not be empty.
    """
    system, lead = _introduction(persona, session, template)
    wanted = _questions(session, window)
    turns = [Turn(role="system", content=system)] if system else []
    first = len(turns)
    for question, answers in wanted:
        opening = lead if len(turns) == first else ""
        turns.append(Turn(role="user", content=opening + question))
        turns.append(Turn(role="assistant", content="\n".join(answers)))
    before = around(turns, template)
    told = "".join(text + turn.content for text, turn in zip(before, turns[:first], strict=False))
    steps = []
    for (question, answers), ask, answer in zip(
        wanted, ("", *before[first + 2 :: 2]), before[first + 1 :: 2], strict=True
    ):
        steps.append(Step(ask + question + answer, len(answer), answers[0]))
        steps += [Step("\n", 1, later) for later in answers[1:]]
    return Script(
        head=told + before[first] + lead,
        first=session.first_response(window.trial),
        steps=tuple(steps),
    )


def _introduction(
    persona: Persona | None, session: Session, template: ChatTemplate
) -> tuple[str, str]:
    """The system turn, empty if there is none, and what opens the first user turn."""
    instructions = session.instructions.strip()
    system, user = [instructions] if instructions else [], list[str]()
    if persona is not None:
        (system if persona.placement == "system" else user).append(persona.text)
    if not template.has_system_role:
        system, user = [], [*system, *user]
    if not system and (own := own_system(template)):
        raise GeppettoError(
            f"the chat template writes a persona of its own ({own.strip()[:60]!r}) where there is "
            "no system turn, and this session has no instructions to stand there; declare where "
            "its first trial begins, or use `presentation: text`"
        )
    return "\n\n".join(system), "".join(f"{text}\n\n" for text in user)


def _questions(session: Session, window: Window) -> list[tuple[str, list[str]]]:
    """What is read, without marks, and the responses that follow it with nothing between them."""
    wanted: list[tuple[str, list[str]]] = []
    place = session.trials[window.trial]
    for span in _shown(session, window):
        read = session.text[place : span.start].removesuffix(OPENING)
        if wanted:
            read = _END_OF_SENTENCE.sub("", read.removeprefix(CLOSING))
        question = read.strip()
        if not question and not wanted:
            raise GeppettoError(
                f"trial {window.trial + 1} of a session has nothing to read before its response, "
                "so no turn can ask for it; use `presentation: text`"
            )
        if question:
            wanted.append((question, []))
        wanted[-1][1].append(session.text[span.start : span.end])
        place = span.end
    return wanted


def _shown(session: Session, window: Window) -> tuple[Span, ...]:
    return session.spans[session.first_response(window.trial) : window.stop]
