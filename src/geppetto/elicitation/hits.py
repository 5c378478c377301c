"""Whether a response is the most probable option, and whether it could be."""

from __future__ import annotations

from collections.abc import Sequence


def hit(log_probs: Sequence[float], response: int) -> float:
    """1 if the response is the most probable option, 1/m if it is one of m that tie, or else 0."""
    best = max(log_probs)
    return 1 / list(log_probs).count(best) if log_probs[response] == best else 0.0


def hit_bounds(low: Sequence[float], high: Sequence[float], response: int) -> tuple[float, float]:
    """Whether the response surely is the most probable option, and whether it may be.

    Parameters
    ----------
    low, high
        Bounds of each option's log-probability, see `geppetto.elicitation.bounds.bounds`.
        Not all options can be at their ends at once, so that an answer may seem open that is not,
        but never closed where it is open.
    response
        Place of the response among the options.
    """
    others = [option for option in range(len(low)) if option != response]
    surely = all(low[response] > high[option] for option in others)
    possibly = all(high[response] >= low[option] for option in others)
    return float(surely), float(possibly)
