"""The best of several rivals, chosen on other people than those it is compared with.

The rival with the lowest mean cost in a sample looks better there than it is: among equal ones
it is the one that was lucky (Varma & Simon 2006, BMC Bioinformatics 7, 91). So people are in
folds, and each fold gets the rival that is the best on the others. Its mean cost over everybody is
that of a choice made on four fifths of such a sample.
"""

from __future__ import annotations

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers

FOLDS = 5
"""Folds that people are in when something is chosen on the others."""


def folds_of(clusters: Integers, seed: int = 0) -> Integers:
    """A fold for each participant: whole clusters at random, as many in each as possible.

    Parameters
    ----------
    clusters
        Number of each participant's group, shape (participants,), as of `Resampling.clusters`.
    seed
        Of the order in which groups are dealt to folds.
    """
    groups, members = np.unique(clusters, return_inverse=True)
    dealt = np.random.default_rng(seed).permutation(len(groups)) % FOLDS
    return np.asarray(dealt[members])


def chosen_elsewhere(costs: Floats, folds: Integers, weights: Floats) -> Integers:
    """The rival with the lowest weighted mean cost over the people of other folds.

    Parameters
    ----------
    costs
        Mean cost of each participant by each rival, shape (rivals, participants); NaN where a
        rival has none.
    folds
        Fold of each participant, shape (participants,), see `folds_of`.
    weights
        What each participant counts for, shape (participants,).

    Returns
    -------
    numpy.ndarray
        Number of each participant's rival, shape (participants,): the same for all of a fold. The
        first of several that are equally good, and of those of whom the other folds say nothing,
        so rivals are in the order in which they are to be believed.
    """
    known = np.isfinite(costs)
    elsewhere = (folds != np.unique(folds)[:, None]) * weights
    spent, counted = (
        np.where(known, costs, 0.0) @ elsewhere.T,
        known.astype(float) @ elsewhere.T,
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        means = np.where(counted > 0, spent / counted, np.inf)
    return np.asarray(means.argmin(axis=0)[np.searchsorted(np.unique(folds), folds)])
