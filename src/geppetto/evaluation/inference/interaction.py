"""Whether a contrast differs between groups of people: one test, and by how much for each group.

Two verdicts, one a group, do not answer that: that a persona helps women and that it is open
whether it helps men says nothing of a difference between them (Gelman & Stern 2006, The American
Statistician 60, 328-331).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import stats

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.changes import Change
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.inference.resampling import Estimate, Resampling, batches
from geppetto.planning.analysis_config import LEVEL, PERMUTATIONS

FEWEST_IN_A_GROUP = 10
"""People, or groups of people that are drawn together, whom a comparison needs on either side."""

_BATCH = 2_000_000


def interactions(
    found: Sequence[Differences],
    groups: Mapping[str, Integers],
    resampling: Resampling,
    looks: int = 1,
) -> list[Change]:
    """How much every contrast differs between groups of people.

    Means of groups are compared by Wald's statistic with variances of their own, which is also
    computed with people in groups at random: the test is exact where groups do not differ at all,
    and asymptotically where only their means do not (Pauly, Brunner & Konietschke 2015, JRSS B 77,
    461-473). By t and F groups of 15 and 85 would be told apart in 21% of samples in which 5% of
    people lose 20 nats. Of clusters, which groups may split, a linear model has a covariance that
    is robust to them, with one degree of freedom less than the smallest group has clusters.

    Parameters
    ----------
    groups
        Rows of the people of each group, by its name; nobody is in two. Those with fewer than
        `FEWEST_IN_A_GROUP` are left out.

    Returns
    -------
    list
        Of two groups one change a contrast, from the first to the second; of more, one a group:
        from everybody else to it. `p` is that of no difference between any of them, the same in
        all rows of a contrast, corrected for the contrasts by Benjamini & Hochberg (1995). None
        where fewer than two groups are left.
    """
    tested = [one for each in found if (one := _tested(each, groups, resampling, looks))]
    if not tested:
        return []
    corrected = stats.false_discovery_control([rows[0].p for rows in tested]).tolist()
    return [
        replace(row, p_adjusted=min(1.0, looks * adjusted))
        for rows, adjusted in zip(tested, corrected, strict=True)
        for row in rows
    ]


def large_enough(
    groups: Mapping[str, Integers], one: Differences, resampling: Resampling
) -> dict[str, Integers]:
    """The groups that can be compared, with where their people are among those of a contrast."""
    places = {name: np.flatnonzero(np.isin(one.rows, rows)) for name, rows in groups.items()}
    clusters = resampling.clusters[one.rows]
    return {
        name: place
        for name, place in places.items()
        if len(np.unique(clusters[place])) >= FEWEST_IN_A_GROUP
    }


def _tested(
    one: Differences, groups: Mapping[str, Integers], resampling: Resampling, looks: int
) -> list[Change]:
    """The changes of one contrast, not yet corrected for others."""
    places = large_enough(groups, one, resampling)
    if len(places) < 2:
        return []
    values, design, weights, clusters = _model(one, list(places.values()), resampling)
    if np.ptp(values) == 0:
        same = Estimate(0.0, 0.0, 0.0)
        named = _names(places).values()
        return [Change(replace(one, among=name), same, 1.0, 1.0) for name in named]
    sizes = weights @ design
    names = _names(places)
    against = np.stack([_against_others(number, sizes) for number in names])
    if len(np.unique(clusters)) < len(clusters):
        compared = _of_clusters(values, design, weights, clusters, against, LEVEL / looks)
    else:
        compared = _of_people(values, design, weights, against, LEVEL / looks, resampling.seed)
    rows = []
    for name, value, away in zip(
        names.values(), compared.values.tolist(), compared.reach.tolist(), strict=True
    ):
        nats = Estimate(value, value - away, value + away)
        rows.append(Change(replace(one, among=name, wordings=()), nats, compared.p, compared.p))
    return rows


class _Compared(NamedTuple):
    """Differences between groups, how far their intervals reach, and p of none of them."""

    values: Floats
    reach: Floats
    p: float


def _of_clusters(
    values: Floats,
    design: Floats,
    weights: Floats,
    clusters: Integers,
    against: Floats,
    level: float,
) -> _Compared:
    """By a linear model whose covariance is robust to clusters."""
    from statsmodels.regression.linear_model import WLS  # slow to import, and seldom needed

    fitted = WLS(values, design, weights=weights).fit(
        cov_type="cluster", cov_kwds={"groups": clusters}, use_t=True
    )
    means, covariance = np.asarray(fitted.params), np.asarray(fitted.cov_params())
    degrees = min(len(np.unique(clusters[group > 0])) for group in design.T) - 1
    errors = np.sqrt(np.sum(against @ covariance * against, axis=1))
    reach = float(stats.t.ppf(1 - level / 2, degrees)) * errors
    return _Compared(against @ means, reach, _p_of_any(means, covariance, degrees))


def _of_people(
    values: Floats, design: Floats, weights: Floats, against: Floats, level: float, seed: int
) -> _Compared:
    """By permuting who is in which group."""
    rng = np.random.default_rng(seed)
    each = [_standardised(values, design.T[None], weights, against)]
    for count in batches(PERMUTATIONS, len(values), _BATCH):
        order = rng.random((count, len(values))).argsort(axis=1)
        each.append(_standardised(values, np.moveaxis(design[order], 2, 1), weights, against))
    wald, differences, errors = (np.concatenate(of) for of in zip(*each, strict=True))
    t = np.abs(differences[1:] / errors[1:])
    reach = np.quantile(t, 1 - level, axis=0, method="higher") * errors[0]
    extreme = np.sum(wald[1:] >= wald[0] * (1 - 1e-12))
    return _Compared(differences[0], reach, float((1 + extreme) / (1 + PERMUTATIONS)))


def _standardised(
    values: Floats, groups: Floats, weights: Floats, against: Floats
) -> tuple[Floats, Floats, Floats]:
    """Wald's statistic of no difference between groups, differences, and their standard errors.

    Groups are of shape (permutations, groups, people).
    """
    total = groups @ weights
    means = groups @ (weights * values) / total
    squares = groups @ (weights * values) ** 2
    squares -= 2 * means * (groups @ (weights**2 * values)) - means**2 * (groups @ weights**2)
    number = groups.sum(2)
    variances = np.maximum(squares, 1e-300) / total**2 * number / (number - 1)
    middle = np.sum(means / variances, axis=1) / np.sum(1 / variances, axis=1)
    wald = np.sum((means - middle[:, None]) ** 2 / variances, axis=1)
    return wald, means @ against.T, np.sqrt(variances @ (against**2).T)


def _model(
    one: Differences, places: Sequence[Integers], resampling: Resampling
) -> tuple[Floats, Floats, Floats, Integers]:
    """Contributions, an indicator a group, weights and clusters of the people of all groups."""
    design = np.zeros((len(one.rows), len(places)))
    for number, place in enumerate(places):
        design[place, number] = 1.0
    of_some = design.any(1)
    rows = one.rows[of_some]
    weights = resampling.base[rows]
    return one.influence[of_some], design[of_some], weights, resampling.clusters[rows]


def _names(places: Mapping[str, Integers]) -> dict[int, str]:
    """What each change is called, by the number of its group."""
    names = list(places)
    if len(names) == 2:
        return {1: f"{names[0]} to {names[1]}"}
    return {number: f"everybody else to {name}" for number, name in enumerate(names)}


def _against_others(number: int, sizes: Floats) -> Floats:
    """What a group's mean and those of the others count for in their difference."""
    others = np.where(np.arange(len(sizes)) == number, 0.0, sizes)
    against = -others / others.sum()
    against[number] = 1.0
    return np.asarray(against)


def _p_of_any(means: Floats, covariance: Floats, degrees: int) -> float:
    """p of no difference between any means: Wald's test with Hotelling's correction.

    T² (degrees - q + 1) / (q degrees) has an F distribution with q and degrees - q + 1 degrees of
    freedom for q differences; with one it is the t-test of the difference.
    """
    apart = np.hstack([-np.ones((len(means) - 1, 1)), np.eye(len(means) - 1)])
    away, q = apart @ means, len(means) - 1
    wald = float(away @ np.linalg.pinv(apart @ covariance @ apart.T) @ away)
    left = max(degrees - q + 1, 1)
    return float(stats.f.sf(wald * left / (q * degrees), q, left))
