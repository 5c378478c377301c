"""The Brier score, which samples estimate without bias however few they are, unlike the NLL."""

from __future__ import annotations

import numpy as np

from geppetto.evaluation.arrays import Floats


def option_scores(log_probs: Floats, counts: Floats | None = None) -> Floats:
    """The score that each option would have if it were the real response.

    With p_j the probability of option j, that of option y is sum_j p_j^2 - 2 p_y + 1: 0 if certain
    of it, 2 if certain of another one (Brier 1950; Gneiting & Raftery 2007). Of n samples, c_j of
    them of option j, p_y is estimated by c_y / n, and sum_j p_j^2 by the share of pairs of samples
    that are the same, sum_j c_j (c_j - 1) / (n (n - 1)). Both are right on average whatever n is
    (U-statistics; Hoeffding 1948), though the score of few samples may be below 0.

    Parameters
    ----------
    log_probs
        Log-probabilities of the options in nats, which are on the last axis; NaN beyond the last.
    counts
        How many samples named each option, of the same shape, if the answers were sampled.

    Returns
    -------
    numpy.ndarray
        Of the same shape; NaN of an answer of fewer than two samples.
    """
    if counts is None:
        p = np.exp(log_probs)
        return np.asarray(np.nansum(p**2, axis=-1, keepdims=True) - 2 * p + 1)
    n = np.nansum(counts, axis=-1, keepdims=True)
    n = np.where(n < 2, np.nan, n)
    same = np.nansum(counts * (counts - 1), axis=-1, keepdims=True) / (n * (n - 1))
    return np.asarray(same - 2 * counts / n + 1)
