"""Bounds of options' probabilities when some mass is known to exist but not whose it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp


@dataclass(frozen=True)
class Pool:
    """Probability that may belong to options, or to none.

    Attributes
    ----------
    mass
        How much there is, as a log-probability.
    most
        How much of it each option may have at most, as log-probabilities.
    """

    mass: float
    most: tuple[float, ...]


def bounds(
    known: Sequence[float], pools: Sequence[Pool]
) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Lowest and highest log-probability of each option among the options, in nats.

    An option is highest when it is given all that it may have and the others nothing, and lowest
    when it is given nothing and the others all that they may have; both are possible, so these
    bounds are sharp.

    Parameters
    ----------
    known
        Log-probability that each option is known to have, at least.
    pools
        What may be added to them.
    """
    low, high = [], []
    for option, own in enumerate(known):
        others = logsumexp([-np.inf, *np.delete(known, option)])
        to_it = logsumexp([own, *(min(pool.mass, pool.most[option]) for pool in pools)])
        to_others = logsumexp([others, *(_to_others(pool, option) for pool in pools)])
        low.append(_share(own, to_others, if_nothing=-np.inf))
        high.append(_share(to_it, others, if_nothing=0.0))
    return tuple(low), tuple(high)


def _to_others(pool: Pool, option: int) -> float:
    return min(pool.mass, float(logsumexp([-np.inf, *np.delete(pool.most, option)])))


def _share(own: float, others: float, if_nothing: float) -> float:
    total = float(np.logaddexp(own, others))
    return float(own) - total if np.isfinite(total) else if_nothing
