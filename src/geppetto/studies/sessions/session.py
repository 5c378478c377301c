"""A behavioural session: everything one person read and did, in order."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

OPENING, CLOSING = "<<", ">>"
"""Marks around each response in the text of a session."""


@dataclass(frozen=True, slots=True)
class Span:
    """Where a response stands in the text of its session, and what else could stand there.

    From its first character to the one after its last, without the marks around it. The legal
    responses stand in the order of the alphabet; there are none if the response is open.

    Examples
    --------
    >>> text = "You press <<N>> and win."
    >>> span = Span(12, 13, options=("N", "Z"))
    >>> text[span.start : span.end]
    'N'
    """

    start: int
    end: int
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Session:
    """One participant's session: what was read and done, each response between marks.

    Attributes
    ----------
    trials
        Offsets at which trials begin, ascending, and at last the end of the text. What stands
        before the first are the instructions. Each trial has at least one response.

    Examples
    --------
    >>> from geppetto.studies.sessions import parsed
    >>> session = parsed("Two machines.\\nYou press <<N>>.\\nYou press <<Z>>.\\n")
    >>> session.responses, session.instructions
    (('N', 'Z'), 'Two machines.\\n')
    """

    text: str
    spans: tuple[Span, ...]
    trials: tuple[int, ...]

    @property
    def responses(self) -> tuple[str, ...]:
        return tuple(self.text[span.start : span.end] for span in self.spans)

    @property
    def instructions(self) -> str:
        """What was read before the first trial."""
        return self.text[: self.trials[0]]

    def first_response(self, trial: int) -> int:
        """Number of the first response of a trial, or of the one after the last trial's."""
        return bisect_left(self.spans, self.trials[trial], key=lambda span: span.start)

    def trial_of(self, response: int) -> int:
        """Number of the trial in which a response stands, from 0."""
        start = self.spans[response].start
        return sum(begin <= start for begin in self.trials[:-1]) - 1


def options_of(responses: Sequence[str]) -> tuple[str, ...]:
    """The distinct ones of some responses, in the order of the alphabet."""
    return tuple(sorted(set(responses)))
