"""By which numbers arms are compared, and what does not apply to sessions."""

from __future__ import annotations

from typing import Literal, get_args

from geppetto._util.errors import GeppettoError, unknown
from geppetto.evaluation.responses import Responses

Measure = Literal["nll", "nll_full", "nll_calibrated", "nll_each_calibrated", "brier"]

MEASURES: tuple[Measure, ...] = get_args(Measure)[:-1]
"""The measures of all results; the Brier score is shown beside them where answers are sampled."""

NOT_IN_SESSIONS = {
    "items": "each person has items of their own",
    "individuation": "options of different people do not mean the same, so that expected responses "
    "cannot be compared; whether people are found by their personas is told (identification)",
    "second_opinion": "a mixed model needs items that people share",
    "skill": "what others responded says nothing of options that are one's own",
    "ceilings": "there are no constructs and second occasions",
}
"""Tables of results that are left out of sessions, and why."""

ALL_OPEN = "all responses are open: they have no legal options to be sure of"


def measures_of(responses: Responses) -> tuple[Measure, ...]:
    """The measures that exist of these responses, the one that answers the question first.

    That is "nll", over the legal options, unless a response is open: then it is "nll_full", which
    is about everybody, and the others are about those who have closed responses, if there are any.
    """
    closed = responses.choices[responses.answered] > 0
    if closed.all():
        return MEASURES
    if closed.any():
        return ("nll_full", *(measure for measure in MEASURES if measure != "nll_full"))
    return ("nll_full",)


def must_exist(measure: Measure, responses: Responses) -> None:
    """Refuse a measure that does not exist of these responses.

    Raises
    ------
    GeppettoError
        If all responses are open and it is over options, or there is no such measure at all.
    """
    if measure not in get_args(Measure):
        raise unknown("measure", measure, get_args(Measure))
    if measure != "nll_full" and measures_of(responses) == ("nll_full",):
        raise GeppettoError(f"measure {measure}: {ALL_OPEN}; use nll_full")
