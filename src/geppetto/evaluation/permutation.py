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
) -> Floats:
    """Probability of a mean at least this far from zero if each sign were a coin's.

    Under the null that two arms do not differ, a participant's difference is as likely to have
    the other sign. Signs of whole participants are flipped, and of whole clusters where there are
    some.

    Parameters
    ----------
    contributions
        What each participant adds to the mean difference, shape (participants, contrasts).
    people
        Clusters and survey weights of the same participants.
    permutations, seed
        Number of random flips, the same for all contrasts, and their seed.

    Returns
    -------
    numpy.ndarray
        Shape (contrasts,): two-sided p = (1 + b) / (1 + B), b the flips at least as extreme
        (Phipson & Smyth 2010).
    """
    weighted = np.zeros((int(people.clusters.max()) + 1, contributions.shape[1]))
    np.add.at(weighted, people.clusters, contributions * people.sample[0][:, None])
    observed = np.abs(weighted.sum(0)) * (1 - 1e-12)
    rng = np.random.default_rng(seed)
    size = max(1, _BATCH // len(weighted))
    extreme = np.zeros(len(observed))
    for start in range(0, permutations, size):
        count = min(size, permutations - start)
        signs = rng.integers(0, 2, size=(count, len(weighted)), dtype=np.int8) * 2.0 - 1.0
        extreme += np.sum(np.abs(signs @ weighted) >= observed, axis=0)
    return np.asarray((1 + extreme) / (1 + permutations))
