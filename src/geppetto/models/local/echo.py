"""Which tokens of an echo are those of the text that was sent."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

from geppetto.models.requests import Token


def of_text(tokens: Sequence[Token], text: str) -> tuple[Token, ...]:
    """An echo's tokens without one that only opens texts, and without what was said afterwards."""
    opens = bool(tokens) and tokens[0].log_prob is None and not text.startswith(tokens[0].text)
    own = tokens[opens:]
    ends = accumulate(len(token.text) for token in own)
    return tuple(own[: 1 + sum(end < len(text) for end in ends)])
