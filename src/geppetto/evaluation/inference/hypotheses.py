"""Tests of what an interval alone does not say."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.inference.studentised import studentised


def equivalence(values: Floats, smallest: float, people: Resampling) -> float:
    """Whether a mean is too small to matter: two one-sided tests (Schuirmann 1987).

    The null hypotheses are that the mean is at most -smallest and that it is at least smallest;
    where both can be rejected, the mean is between. Both invert the bootstrap-t of whole clusters,
    see `Studentised.p_within`: of skewed differences t-tests reject
    in 10 to 30% of samples what is true (lognormal ones, the mean at the bound).

    Parameters
    ----------
    values
        One difference a participant, shape (participants,); NaN does not count.
    smallest
        Smallest effect of interest, in the unit of the values; positive.
    people
        What each participant counts for and which clusters they are in.

    Returns
    -------
    float
        The larger of the two p-values: below .05 the mean is equivalent to 0, and its 90%
        interval lies between the bounds.

    Raises
    ------
    ValueError
        If the smallest effect of interest is not positive.
    """
    if smallest <= 0:
        raise ValueError(f"the smallest effect of interest must be positive, not {smallest}")
    (found,) = studentised(values, people)
    return found.p_within(smallest)


def holm(p: ArrayLike) -> Floats:
    """p-values that are corrected for one another (Holm 1979).

    They are those of statsmodels' `multipletests`, which also collects the garbage of the whole
    process: tenths of a second, each time.

    Parameters
    ----------
    p
        Shape (tests,).
    """
    values = np.asarray(p, float)
    order = np.argsort(values)
    corrected = np.empty(len(values))
    corrected[order] = np.maximum.accumulate(values[order] * np.arange(len(values), 0, -1))
    return np.minimum(corrected, 1)
