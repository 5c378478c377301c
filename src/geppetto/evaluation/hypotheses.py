"""Tests of what an interval alone does not say."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats
from statsmodels.regression.linear_model import WLS

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.resampling import Resampling


def equivalence(values: Floats, smallest: float, people: Resampling) -> float:
    """Whether a mean is too small to matter: two one-sided t-tests (Schuirmann 1987).

    The null hypotheses are that the mean is at most -smallest and that it is at least smallest;
    where both can be rejected, the mean is between. Standard errors are robust to clusters
    (statsmodels' "cluster", with G - 1 degrees of freedom for G clusters), which without
    clusters is the ordinary t-test.

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
    value, error, degrees = robust_mean(values, people)
    with np.errstate(divide="ignore"):
        return float(stats.t.sf(np.divide(smallest - abs(value), error), degrees))


def robust_mean(values: Floats, people: Resampling) -> tuple[float, float, int]:
    """Mean, its standard error that is robust to clusters and weights, and degrees of freedom.

    Parameters
    ----------
    values
        One difference a participant, shape (participants,); NaN does not count.
    people
        What each participant counts for and which clusters they are in.
    """
    known = np.isfinite(values)
    fit = WLS(values[known], np.ones(known.sum()), weights=people.sample[0, known]).fit(
        cov_type="cluster", cov_kwds={"groups": people.clusters[known]}, use_t=True
    )
    groups = len(np.unique(people.clusters[known]))
    return float(fit.params[0]), float(fit.bse[0]), groups - 1


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
