"""How much of a session is shown and scored, so that every arm and model scores the same."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile

import numpy as np
from numpy.typing import NDArray

from geppetto.personas.base import Persona
from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.session import Window, script
from geppetto.prompts.session_layout import History, SessionLayout
from geppetto.studies.sessions.session import Session


@dataclass(frozen=True)
class Reader:
    """A model that reads sessions as plain text or, with a template, in turns.

    Attributes
    ----------
    count
        Number of tokens of a text that continues another: without a leading token.
    context
        The most tokens that a transcript may have.
    """

    model: str
    template: ChatTemplate | None
    count: Callable[[str], int]
    context: int


@dataclass(frozen=True)
class Shown:
    """What is shown of one session, and scored, in every arm by every model.

    Attributes
    ----------
    windows
        The windows of each history. Each history scores the same responses, each of them once.
    scored
        How many responses are scored: the first ones of the session. None if not even the first
        trial fits.
    cut
        How many are left out because they do not fit.
    beyond
        How many are left out because the layout asks for the first ones only.
    """

    windows: Mapping[History, tuple[Window, ...]]
    scored: int
    cut: int
    beyond: int


def fit(
    session: Session, personas: Mapping[Reader, Sequence[Persona | None]], layout: SessionLayout
) -> Shown:
    """Decide what is shown of a session so that it fits with the longest persona of any arm.

    Whole trials are shown. In windows, a later one begins with trials that were scored before and
    fill at most half of what persona and instructions leave, fewer where the next trial is long.
    A history of fewer trials is never shortened: where it does not fit, the session is cut there.
    Each reader is given some personas for the participant, None among them for none. See `script`
    for what a template may be refused for.
    """
    wanted = min(layout.responses or len(session.spans), len(session.spans))
    room = _Room(
        session, wanted, tuple(_measure(session, wanted, *item) for item in personas.items())
    )
    windows = {
        history: _windows(room, layout) if history == "all" else _short(room, history)
        for history in layout.history
    }
    scored = min(made[-1].stop if made else 0 for made in windows.values())
    return Shown(
        windows={history: _until(scored, made) for history, made in windows.items()},
        scored=scored,
        cut=wanted - scored,
        beyond=len(session.spans) - wanted,
    )


@dataclass(frozen=True)
class _Measure:
    """Tokens of a session as one reader reads it.

    Attributes
    ----------
    room
        Tokens left by the longest persona and the instructions.
    opening
        Tokens that a transcript has between these and the first response of a trial it begins with.
    starts, ends
        Tokens from the first response to the beginning of each, and to the end of each and of the
        longest option there, shape (responses,).
    """

    room: int
    opening: Callable[[int], int]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


def _measure(
    session: Session, wanted: int, reader: Reader, personas: Sequence[Persona | None]
) -> _Measure:
    count = cache(reader.count)

    @cache
    def opening(trial: int) -> int:
        first = session.first_response(trial)
        made = script(personas[0], session, Window(trial, first, first + 1), reader.template)
        return count(made.steps[0].before)

    start = Window(0, 0, 1)
    heads = [count(script(each, session, start, reader.template).head) for each in personas]
    steps = script(personas[0], session, Window(0, 0, wanted), reader.template).steps
    before = np.array([count(step.before) for step in steps])
    lengths = np.array([count(step.response) for step in steps])
    longest = np.array(
        [
            max(map(count, (step.response, *span.options)))
            for step, span in zip(steps, session.spans, strict=False)
        ]
    )
    starts = np.cumsum(before) - before[0] + np.cumsum(lengths) - lengths
    leading_token = 1
    return _Measure(
        room=reader.context - max(heads) - leading_token,
        opening=opening,
        starts=starts,
        ends=np.maximum.accumulate(starts + longest),
    )


@dataclass(frozen=True)
class _Room:
    """Where trials of a session, of which so many responses are wanted, fit for every reader."""

    session: Session
    wanted: int
    measures: tuple[_Measure, ...]

    @property
    def trials(self) -> int:
        """How many trials have responses that are wanted."""
        return self.session.trial_of(self.wanted - 1) + 1

    def stop(self, trial: int) -> int:
        """Number of the response after the last one that is wanted before a trial."""
        return min(self.session.first_response(trial), self.wanted)

    def holds(self, first: int, end: int, share: float = 1) -> bool:
        """Whether the trials from the first to before the end fit into a share of the room."""
        response = self.session.first_response(first)
        last = self.stop(end) - 1
        return all(
            m.opening(first) + m.ends[last] - m.starts[response] <= share * m.room
            for m in self.measures
        )

    def furthest(self, first: int, most: int) -> int:
        """The last trial, at most the given one, before which all from the first fit."""
        ends = range(first + 1, most + 1)
        return first + bisect_left(ends, True, key=lambda end: not self.holds(first, end))


def _windows(room: _Room, layout: SessionLayout) -> tuple[Window, ...]:
    """Windows that give each response all trials before it, or as many as fit."""
    made: list[Window] = []
    first = scored = 0
    while (end := room.furthest(first, room.trials)) > scored:
        made.append(Window(first, room.stop(scored), room.stop(end)))
        if layout.long == "cut" or end == room.trials:
            break
        first, scored = _context(room, first, end), end
    return tuple(made)


def _context(room: _Room, earliest: int, trial: int) -> int:
    """The first trial of the context before a trial that begins to be scored."""

    def fits(first: int) -> bool:
        return room.holds(first, trial, share=0.5) and room.holds(first, trial + 1)

    firsts = range(earliest, trial)
    return earliest + bisect_left(firsts, True, key=fits)


def _short(room: _Room, history: int) -> tuple[Window, ...]:
    """Windows that give each response the trials before it up to a number.

    The first trials have fewer before them, so one window scores them all.
    """
    end = room.furthest(0, min(history + 1, room.trials))
    if not end:
        return ()
    made = [Window(0, 0, room.stop(end))]
    if end == history + 1:
        later = range(end, room.trials)
        for trial in takewhile(lambda trial: room.holds(trial - history, trial + 1), later):
            made.append(Window(trial - history, room.stop(trial), room.stop(trial + 1)))
    return tuple(made)


def _until(stop: int, windows: Sequence[Window]) -> tuple[Window, ...]:
    return tuple(
        Window(window.trial, window.start, min(window.stop, stop))
        for window in windows
        if window.start < stop
    )
