"""What can be a log-probability, wherever one comes from: what servers write instead is refused."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from geppetto.models.requests import Token

LEAST = -100.0
"""Nats at or below which a number stands for "not given": the least number above zero that 32 bits
hold is exp(-103), and servers write -9999 or the least number that they have."""

ROUNDING = 0.01
"""How far rounding may lift a sum of probabilities above 1, or a log-probability above 0."""

_UNSPELLED = " \ufffd"
"""What different tokens look like that spell part of a letter, or nothing."""


def fault(log_probs: Sequence[float | None]) -> str:
    """What shows that some of these are no log-probabilities; empty if they may be.

    Examples
    --------
    >>> fault([-0.1, -7.5])
    ''
    >>> fault([-0.1, -9999.0])
    '-9999 is no log-probability'
    """
    for value in log_probs:
        if value is None or not LEAST < value <= ROUNDING:
            said = "nothing" if value is None else f"{value:g}"
            return f"{said} is no log-probability"
    return ""


def fault_of_alternatives(token: Token) -> str:
    """What shows that a token and its alternatives have no probabilities; empty if they may.

    Two alternatives with the same text may be different tokens; with the same probability as well
    they are one that is there twice.
    """
    own = () if token.log_prob is None else (token.log_prob,)
    if wrong := fault([*own, *(log_prob for _, log_prob in token.top)]):
        return wrong
    twice = [text for (text, _), times in Counter(token.top).items() if times > 1]
    if repeated := [text for text in twice if text.strip(_UNSPELLED)]:
        return f"{repeated[0]!r} is there twice"
    total = math.fsum(math.exp(log_prob) for _, log_prob in token.top)
    if not any(text == token.text for text, _ in token.top):
        total += math.fsum(map(math.exp, own))
    return f"the probabilities at {token.text!r} sum to {total:.2f}" if total > 1 + ROUNDING else ""
