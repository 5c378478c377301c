"""From the text of a session to its responses and trials: pure functions."""

from __future__ import annotations

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

from geppetto.studies.sessions.session import CLOSING, OPENING, Session, Span

_MARKS = re.compile(r"<{2,}|>{2,}")
ALIKE = 10
"""Trials that must have as many lines as the second one for the first to be counted the same."""


@dataclass(frozen=True)
class Defect:
    """Why a text is no session: what is wrong and to be changed, and where it is."""

    reason: str
    excerpt: str


def parsed(text: str, first_trial: str | None = None) -> Session | Defect | None:
    """A text with marked responses as a session; None if it has no mark at all.

    A trial ends with the line in which its last response stands. What the first trial begins with
    is given, or see `_begin`. Where later trials begin with it too, what stands between a response
    and them, such as feedback, belongs to the trial of the response.

    Examples
    --------
    >>> parsed("You press <<N>>.").trials
    (0, 16)
    """
    spans = _spans(text)
    if isinstance(spans, Defect):
        return spans
    if not spans:
        return None
    lines = _lines(text, spans)
    begin = (
        _begin(text, lines) if first_trial is None else text.rfind(first_trial, 0, spans[0].start)
    )
    if begin < 0:
        reason = "`first_trial` does not stand before the first response; correct it"
        return Defect(reason, text[: spans[0].start][-40:])
    ends = [end for _, end in lines[:-1]]
    if first_trial is not None:
        nexts = (spans[bisect_left(spans, end, key=lambda span: span.start)].start for end in ends)
        ends = [
            max(end, text.find(first_trial, end, place))
            for end, place in zip(ends, nexts, strict=True)
        ]
    return Session(text, spans, (begin, *ends, len(text)))


def _spans(text: str) -> tuple[Span, ...] | Defect:
    spans: list[Span] = []
    opened: int | None = None
    for mark in _MARKS.finditer(text):
        # marks end a response as soon as they can, as in "<<a>>>"
        response = None if opened is None else text[opened : mark.start()]
        reason = _wrong(mark[0], response)
        if reason:
            return Defect(reason, _excerpt(text, mark.start()))
        if opened is not None:
            spans.append(Span(opened, mark.start()))
        opened = mark.end() if opened is None else None
    if opened is not None:
        return Defect(f"{OPENING} is never closed; mark the end of the response", text[-40:])
    return tuple(spans)


def _wrong(mark: str, response: str | None) -> str | None:
    """What is wrong with a mark that ends a response, or begins one if there is none before it."""
    if mark[0] == "<" and response is not None:
        return f"a second {OPENING} before the response ends; close the first one"
    if mark[0] == ">" and response is None:
        return f"{CLOSING} without {OPENING} before it; mark where the response begins"
    if mark[0] == "<" and len(mark) > 2:
        return f"more than two < in a row, so it is unclear which are the marks; write {OPENING}"
    if response is not None and not response.strip():
        return "an empty response; write what was answered, or take the marks out"
    if response is not None and response != response.strip():
        return "spaces around a response, inside its marks; move them outside"
    return None


def _excerpt(text: str, place: int) -> str:
    return " ".join(text[max(0, place - 25) : place + 15].split())


def _lines(text: str, spans: tuple[Span, ...]) -> list[tuple[int, int]]:
    """Beginning and end of each line with a response, a line that has several once."""
    lines: list[tuple[int, int]] = []
    for span in spans:
        if lines and span.start < lines[-1][1]:
            continue
        end = text.find("\n", span.end)
        lines.append((text.rfind("\n", 0, span.start) + 1, end + 1 if end >= 0 else len(text)))
    return lines


def _begin(text: str, lines: list[tuple[int, int]]) -> int:
    """Where the first trial begins, after the instructions.

    At the line that the second trial begins with as well, if it stands before the first response.
    Otherwise, the first trial has as many lines as the second one if those up to the tenth all
    have; and if they do not, or there is no second one, it is the line with the response.
    """
    trials = [text[end:last] for (_, end), (_, last) in pairwise(lines)]
    line = lines[0][0]
    if not trials:
        return line
    anchor = next(row for row in trials[0].split("\n") if row.strip())
    found = f"\n{text[:line]}".rfind(f"\n{anchor}\n")
    if found >= 0:
        return found
    counts = {trial.count("\n", 0, -1) for trial in trials[: ALIKE - 1]}
    if len(counts) > 1:
        return line
    for _ in range(counts.pop()):
        line = text.rfind("\n", 0, max(line - 1, 0)) + 1
    return line
