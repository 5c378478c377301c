"""A part of a session as a model reads it, with or without a persona: text, or chat turns."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

from geppetto.errors import GeppettoError
from geppetto.personas.strategy import Persona
from geppetto.prompts.chat import ChatTemplate, Turn
from geppetto.prompts.transcript import Response, Transcript
from geppetto.prompts.turns import around, own_system
from geppetto.studies.session import CLOSING, OPENING, Session

_END_OF_SENTENCE = re.compile(r"\A[.,;:!?)\]\"'’”]+(?=\s|$)")


@dataclass(frozen=True)
class Window:
    """Which part of a session is shown, after the instructions, and what of it is scored.

    Attributes
    ----------
    trial
        The first trial that is shown.
    start, stop
        Numbers of the first response that is scored and of the one after the last. Nothing after
        the last is shown; shown responses before the first are context.
    """

    trial: int
    start: int
    stop: int


@dataclass(frozen=True)
class Step:
    """A response and what is read between the one before and it.

    Attributes
    ----------
    before
        What is read.
    announcing
        How many characters at its end announce the response.
    response
        What was done.
    """

    before: str
    announcing: int
    response: str


@dataclass(frozen=True)
class Script:
    """Everything that a model reads, in order.

    Attributes
    ----------
    head
        Persona and instructions, with what stands around them.
    first
        Number in the session of the first response.
    steps
        The responses from there on.
    """

    head: str
    first: int
    steps: tuple[Step, ...]


def script(
    persona: Persona | None, session: Session, window: Window, template: ChatTemplate | None
) -> Script:
    """What a model reads of a window: plain text or, with a template, turns.

    Raises
    ------
    GeppettoError
        If the template does not write the turns as given, or there is nothing to ask in a turn.
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
    """One transcript for each window, all with the same persona and instructions.

    Raises
    ------
    GeppettoError
        As `script`.
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
    numbers = _shown(session, window)
    places = [session.trials[window.trial], *(session.spans[n].end for n in numbers)]
    steps = []
    for number, place in zip(numbers, places, strict=False):
        before = session.text[place : session.spans[number].start]
        if not before.endswith(OPENING):
            raise RuntimeError(f"response {number} does not follow {OPENING}")
        steps.append(Step(before, len(OPENING), _response(session, number)))
    return Script(opening + session.instructions, numbers[0], tuple(steps))


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
    asked: list[tuple[str, list[str]]] = []
    numbers = _shown(session, window)
    for number, question in zip(numbers, _questions(session, window, numbers), strict=True):
        if question or not asked:
            asked.append((question, []))
        asked[-1][1].append(_response(session, number))
    if not asked[0][0]:
        raise GeppettoError(
            f"trial {window.trial + 1} of a session has nothing to read before its response, so no "
            "turn can ask for it; use `presentation: text`"
        )
    lead = "".join(f"{text}\n\n" for text in user)
    turns = [Turn(role="system", content="\n\n".join(system))] if system else []
    for question, answers in asked:
        turns.append(Turn(role="user", content=question))
        turns.append(Turn(role="assistant", content="\n".join(answers)))
    first = len(turns) - 2 * len(asked)
    turns[first] = Turn(role="user", content=lead + asked[0][0])
    standing = list(around(turns, template))
    head = "".join(
        [*(text for n in range(first) for text in (standing[n], turns[n].content)), standing[first]]
    )
    standing[first] = ""
    steps = []
    for (question, answers), ask, answer in zip(
        asked, standing[first::2], standing[first + 1 :: 2], strict=True
    ):
        steps.append(Step(ask + question + answer, len(answer), answers[0]))
        steps += [Step("\n", 1, later) for later in answers[1:]]
    return Script(head + lead, numbers[0], tuple(steps))


def _questions(session: Session, window: Window, numbers: range) -> Iterator[str]:
    """What is read before each response, without marks; empty where that is nothing."""
    place = session.trials[window.trial]
    for number in numbers:
        read = session.text[place : session.spans[number].start].removesuffix(OPENING)
        if read.startswith(CLOSING):
            read = _END_OF_SENTENCE.sub("", read.removeprefix(CLOSING))
        yield read.strip()
        place = session.spans[number].end


def _shown(session: Session, window: Window) -> range:
    """Numbers of the responses in a window."""
    return range(session.first_response(window.trial), window.stop)


def _response(session: Session, number: int) -> str:
    span = session.spans[number]
    return session.text[span.start : span.end]
