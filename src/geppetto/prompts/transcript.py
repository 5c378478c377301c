"""What a model reads of a session, and where in it the responses are that it is scored on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Response:
    """A response in a transcript, and which one of the session it is, from 0.

    It stands from offset `start` to before `end`. At `opening` the text begins that announces it:
    the opening mark, or what a chat template writes between a question and its answer. The real
    response is among the legal `options`, of which there are none if it is open.
    """

    number: int
    opening: int
    start: int
    end: int
    options: tuple[str, ...] = ()


@dataclass(frozen=True)
class Transcript:
    """A text in which some responses are scored, each given all that stands before it.

    Attributes
    ----------
    responses
        Those that are scored, in order; others in the text are context.
    breaks
        Offsets at which the text is cut before it is tokenised, ascending: the end of persona and
        instructions, if there are any, and the beginning and the end of every response in it,
        scored or not. So every part has the same tokens wherever it stands.
    head
        Length of the beginning of the text that other transcripts of the same person and persona
        share; 0 if there are no others.

    Examples
    --------
    >>> Transcript("You press <<N", (Response(0, 10, 12, 13, ("N", "Z")),), (12, 13)).head
    0
    """

    text: str
    responses: tuple[Response, ...]
    breaks: tuple[int, ...]
    head: int = 0
