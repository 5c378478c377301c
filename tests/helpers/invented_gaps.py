"""Invented people of whom some lost something that may be won back."""

from __future__ import annotations

import numpy as np

from geppetto.evaluation.arrays import Floats


def people_of(
    rng: np.random.Generator, people: int, gap: float, part: float, skewed: bool, together: float
) -> tuple[Floats, Floats]:
    """What a persona saves and the gap of invented people, correlated by `together`."""
    if skewed:
        one, other = rng.exponential(size=(2, people)) - 1
    else:
        one, other = rng.normal(size=(2, people))
    mixed = together * one + np.sqrt(1 - together**2) * other
    return part * gap + 0.2 * mixed, gap + 0.3 * one
