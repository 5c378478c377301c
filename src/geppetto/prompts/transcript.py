"""What a model reads of a session, and where in it the responses are that it is scored on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Response:
    """A response in a transcript.

    Attributes
    ----------
    number
        Which response of the session it is, from 0.
    opening
        Offset at which the text begins that announces the response: the opening mark, or what a
        chat template writes between a question and its answer.
    start, end
        Offsets of its first character and after its last one.
    options
        The legal responses there, the real one among them; none if it is open.
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
    text
        Everything the model reads.
    responses
        Those that are scored, in order; others in the text are context.
    breaks
        Offsets at which the text is cut before it is tokenised, ascending: the end of persona and
        instructions, if there are any, and the beginning and the end of every response in it,
        scored or not. So every part has the same tokens wherever it stands.
    head
        Length of the beginning of the text that other transcripts of the same person and persona
        share; 0 if there are no others.
    """

    text: str
    responses: tuple[Response, ...]
    breaks: tuple[int, ...]
    head: int = 0
