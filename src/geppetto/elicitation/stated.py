"""The percentages that a model states for the options."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar

import numpy as np
from pydantic import Field, TypeAdapter, ValidationError

from geppetto.elicitation.base import Elicitation, Question, Reading, unreachable
from geppetto.elicitation.outcomes import outcome
from geppetto.elicitation.parsing import said
from geppetto.models.identity import Kind
from geppetto.models.requests import Capabilities, Completion, Request

RESOLUTION = 0.5
"""Per cent of what is stated in total. Whole numbers are what is stated, so that 0 means less than
half a per cent: a lower share counts as this much."""

TOTAL = (95.0, 105.0)
"""Per cent. Percentages with such a total are divided by it; others are no distribution."""

_CUE = "Percentages:"
_FENCED = re.compile(r"```(?:json)?\s*(.*?)\s*```", re.DOTALL)
_PERCENTAGES = TypeAdapter(
    dict[str, Annotated[float, Field(strict=True, ge=0, le=100, allow_inf_nan=False)]]
)


class Stated(Elicitation):
    """One reply: an object in JSON with the percentage of each option, and nothing else.

    A block of code may enclose it. Every answer must be there once, spelled as asked for, with a
    number from 0 to 100, which is taken as a share of their total. One below half a per cent, of
    which nearly all are a stated 0, counts as half a per cent, so that what it costs is a
    convention: were it a tenth of a per cent, every response that was stated to be as good as
    impossible would cost log 5 = 1.6 nats more. How many there are in each arm is told
    (`floored`).
    """

    name: ClassVar[str] = "stated"

    def lacks(self, can: Capabilities, kind: Kind) -> str:
        return unreachable(can, kind, 0.0)

    def requests(
        self, question: Question, completions: Sequence[Completion]
    ) -> tuple[Request, ...]:
        if completions:
            return ()
        shape = ", ".join(
            f"{json.dumps(answer, ensure_ascii=False)}: ..." for answer in question.answers
        )
        instruction = (
            "Do not give one answer. State instead how probable each answer is, in per cent that "
            f"are 100 in total. Reply with JSON only, on one line: {{{shape}}}"
        )
        room = 32 + sum(12 + len(answer) for answer in question.answers)
        return (question.request(room, instruction, _CUE),)

    def read(self, question: Question, completions: Sequence[Completion]) -> Reading:
        """The stated distribution; without one, each option between the least and most statable."""
        count = len(question.options)
        most = 100 + RESOLUTION * (count - 1)
        low, high = (np.log(RESOLUTION / most),) * count, (np.log(100 / most),) * count
        if not completions:
            return Reading((), tuple(map(float, low)), tuple(map(float, high)), ())
        (completion,) = completions
        text = said(completion, question.kind)
        stated = percentages(text, question.answers)
        became = outcome(completion, question.kind, text, stated is not None)
        if stated is None or became != "answered":
            return Reading((), tuple(map(float, low)), tuple(map(float, high)), (became,))
        total = sum(stated)
        shares = 100 * np.array(stated) / total
        counted = np.maximum(shares, RESOLUTION)
        log_probs = tuple(np.log(counted / counted.sum()).tolist())
        floored = tuple((shares < RESOLUTION).tolist())
        return Reading(log_probs, log_probs, log_probs, (became,), floored=floored)


def percentages(text: str, answers: Sequence[str]) -> tuple[float, ...] | None:
    """The percentage of each answer, if a text states them as it was asked to."""
    fenced = _FENCED.fullmatch(text)
    try:
        stated = _PERCENTAGES.validate_python(
            json.loads(fenced[1] if fenced else text, object_pairs_hook=_without_repetition)
        )
    except (ValueError, ValidationError, RecursionError):
        return None
    if set(stated) != set(answers) or not TOTAL[0] <= sum(stated.values()) <= TOTAL[1]:
        return None
    return tuple(stated[answer] for answer in answers)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len({key for key, _ in pairs}) < len(pairs):
        raise ValueError("an answer is stated twice")
    return dict(pairs)
