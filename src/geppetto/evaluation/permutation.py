"""Tests of paired differences that permute whole people."""

from __future__ import annotations

import numpy as np

from geppetto.evaluation.predictions import Floats
from geppetto.evaluation.resampling import Resampling

PERMUTATIONS = 4999
"""Permutations of a test; the smallest p it can give is one in 5,000."""

_BATCH = 20_000_000


def sign_flip_p(
    contributions: Floats, people: Resampling, permutations: int = PERMUTATIONS, seed: int = 0
) -> float:
    """Probability of a mean at least this far from zero if each sign were a coin's.

    Under the null that two arms do not differ, a participant's difference is as likely to have
    the other sign. Signs of whole participants are flipped, and of whole clusters where there are
    some.

    Parameters
    ----------
    contributions
        What each participant adds to the mean difference, shape (participants,).
    people
        Clusters and survey weights of the same participants.
    permutations, seed
        Number of random flips, and their seed.

    Returns
    -------
    float
        Two-sided p = (1 + b) / (1 + B), b the flips at least as extreme (Phipson & Smyth 2010).
    """
    weighted = np.bincount(people.clusters, contributions * people.sample[0])
    observed = abs(weighted.sum())
    rng = np.random.default_rng(seed)
    size = max(1, _BATCH // len(weighted))
    extreme = 0
    for start in range(0, permutations, size):
        count = min(size, permutations - start)
        signs = rng.integers(0, 2, size=(count, len(weighted)), dtype=np.int8) * 2.0 - 1.0
        extreme += int(np.sum(np.abs(signs @ weighted) >= observed * (1 - 1e-12)))
    return (1 + extreme) / (1 + permutations)
