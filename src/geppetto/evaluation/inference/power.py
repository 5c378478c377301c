"""How many people a question needs, before any are asked.

Tests are two-sided paired t-tests of participants' differences at the 5% level, and equivalence
tests of two one-sided t-tests at 5% each. If whole clusters are drawn, `people` are clusters.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, special

ALPHA = 0.05
POWER = 0.8
"""Power that people are counted for."""

_MOST = 2**30
"""So many people are counted; more are `math.inf`."""

_QUANTILES = (np.arange(400) + 0.5) / 400


def power_to_find(d_z: float, people: int) -> float:
    """Probability that a paired t-test finds an effect.

    With s the standard deviation of n differences as a multiple of its true value, the test
    succeeds where |mean| > t s / sqrt(n), which has the probability E[Phi(sqrt(n) d_z - t s) +
    Phi(-sqrt(n) d_z - t s)] over the distribution of s: the noncentral t distribution (Cohen 1988,
    chapter 2), but without its overflow for many people. d_z is the true mean difference over the
    standard deviation of participants' differences.
    """
    shift = np.sqrt(people) * d_z
    bound = -special.stdtrit(people - 1, ALPHA / 2) * _spreads(people)
    return float((special.ndtr(shift - bound) + special.ndtr(-shift - bound)).mean())


def power_to_exclude(d_z: float, people: int) -> float:
    """Probability that an equivalence test excludes effects of this size when there is none.

    With s as in `power_to_find`, the test succeeds where |mean| + t s / sqrt(n) is less than the
    bound, which has the probability E[2 Phi(sqrt(n) d_z - t s) - 1], where that is positive
    (Schuirmann 1987).
    """
    bound = -special.stdtrit(people - 1, ALPHA) * _spreads(people)
    room = np.maximum(np.sqrt(people) * abs(d_z) - bound, 0)
    return float((2 * special.ndtr(room) - 1).mean())


@lru_cache(1024)
def _spreads(people: int) -> NDArray[np.float64]:
    """Equally probable standard deviations of a sample, as multiples of the true one."""
    degrees = people - 1
    return np.asarray(np.sqrt(2 * special.gammaincinv(degrees / 2, _QUANTILES) / degrees))


def minimal_effect(people: int, sd: float = 1.0, power: float = POWER) -> float:
    """Smallest effect that so many people find with this power.

    It is in the unit of the standard deviation of participants' differences: with 1 it is d_z.
    """
    most = 1000 / np.sqrt(people)
    d_z = optimize.brentq(lambda effect: power_to_find(effect, people) - power, 0, most)
    return sd * float(d_z)


def people_to_find(d_z: float, power: float = POWER) -> float:
    """Smallest number of people who find an effect of this size; infinite beyond 2**30."""
    z = special.ndtri(1 - ALPHA / 2) + special.ndtri(power)
    return _fewest(lambda people: power_to_find(d_z, people) >= power, z, d_z)


def people_to_exclude(d_z: float, power: float = POWER) -> float:
    """Smallest number who exclude effects of this size, if there is none; see `people_to_find`."""
    z = special.ndtri(1 - ALPHA) + special.ndtri((1 + power) / 2)
    return _fewest(lambda people: power_to_exclude(d_z, people) >= power, z, d_z)


def people_to_decide(smallest: float, sd: float, power: float = POWER) -> float:
    """How many people would decide a question either way; infinite if more than can be counted.

    With so many, an effect of at least the smallest size of interest is found, and if there is none
    at all that is shown, each with this power. Both `smallest` and `sd`, the standard deviation of
    participants' differences, are in nats.
    """
    d_z = smallest / sd if sd > 0 else np.inf
    if d_z > 100:
        return 2
    return max(people_to_find(d_z, power), people_to_exclude(d_z, power))


def people_to_find_observed(mean: float, sd: float) -> float | None:
    """Smallest number of people who find an effect of the size that was observed.

    None if it is next to nothing: less than a ten-thousandth of the standard deviation.
    """
    if sd == 0:
        return 2 if mean else None
    d_z = abs(mean) / sd
    return None if d_z < 1e-4 else people_to_find(d_z)


def _fewest(enough: Callable[[int], bool], z: float, d_z: float) -> float:
    """Smallest number of people, at least two, who are enough.

    It is sought from where it would be if the standard deviation were known: (z / d_z)^2 people.
    """
    root = min(z / abs(d_z), math.sqrt(_MOST)) if d_z else math.sqrt(_MOST)
    few = many = max(2, round(root**2))
    step = 1
    while not enough(many):
        if many == _MOST:
            return math.inf
        few, many, step = many, min(many + step, _MOST), 2 * step
    while few > 2 and enough(few):
        few, many, step = max(2, few - step), few, 2 * step
    return few + bisect_left(range(few, many), True, key=enough)
