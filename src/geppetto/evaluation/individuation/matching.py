"""Whether a persona predicts the person it was made from better than it predicts others.

The *matching matrix* has a row for each person who responded and a column for each persona: how
well the persona of k predicts the responses of i. It needs no prompt of its own, since what is
predicted of an item depends on the persona and the item alone: the arm `own` has the predictions
of k's persona for the items that k answered, and arms with donors those for the items of the
people whose donor k was.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import digamma

from geppetto.evaluation.arrays import Floats, Integers, quotient, sums
from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimate, mean
from geppetto.evaluation.predictions import Predictions
from geppetto.planning.analysis_config import LEVEL

_SAME = 1e-6
"""Nats by which two answers to the same prompt may differ."""

_TIE = 1e-9
"""Nats within which two personas predict equally well."""


@dataclass(frozen=True, eq=False)
class MatchingMatrix:
    """How well the persona of one person predicts the responses of another.

    Attributes
    ----------
    nll
        Row i, column k: mean NLL in nats of i's responses under k's persona, less that of the
        average persona (see `matching_matrix`); lower is better. Shape (participants,
        participants), NaN where the two cannot be compared.
    groups
        Number of the group in which each participant is compared, shape (participants,).

    Examples
    --------
    >>> import numpy as np
    >>> from geppetto.evaluation.individuation import MatchingMatrix
    >>> matrix = MatchingMatrix(np.array([[0.5, 0.9], [0.8, 0.6]]), groups=np.zeros(2, int))
    >>> matrix.better.tolist(), round(float(matrix.information.mean()), 2)
    ([0, 0], 0.3)
    """

    nll: Floats
    groups: Integers

    @cached_property
    def personas(self) -> Integers:
        """With how many personas, own included, each participant is compared; 0 if with none."""
        return np.asarray(np.isfinite(self.nll).sum(axis=1))

    @cached_property
    def gains(self) -> Floats:
        """Row i, column k: how much better k's persona predicts i than the others do on average.

        The mean of its diagonal is the information T, and each row has the mean 0.
        """
        known = np.isfinite(self.nll)
        totals = np.where(known, self.nll, 0.0).sum(axis=1, keepdims=True)
        count = self.personas[:, None]
        return quotient(totals - count * self.nll, count - 1)

    @cached_property
    def information(self) -> Floats:
        """What each person contributes to the information T, in nats, shape (participants,).

        T = mean over i of (mean over k != i of M_ik - M_ii): what the own persona saves over a
        stranger's. T is the mean of these values, and also of plain row differences; but a person
        is also a column, a stranger to all others, and a persona that predicts everyone badly
        lowers its own row difference and raises all others. Only these values have the variance
        of T (the Hoeffding projection of a U-statistic; van der Vaart 1998, ch. 12): of the pairs
        M_ik - M_ii the mean of person i's row + that of their column - that of all, without the
        diagonal. NaN for people who are compared with nobody.
        """
        return _projection(self._away, self.groups)

    @cached_property
    def auc(self) -> Floats:
        """What each person contributes to the share of strangers' personas that predict worse.

        Ties count half; 0.5 is chance. Projected like `information`, and for the same reason.
        """
        worse = (self._away > _TIE) + 0.5 * (np.abs(self._away) <= _TIE)
        return _projection(np.where(np.isnan(self._away), np.nan, worse), self.groups)

    @cached_property
    def better(self) -> Integers:
        """How many strangers' personas predict each participant better than the own one."""
        return np.asarray((self._away < -_TIE).sum(axis=1))

    @cached_property
    def tied(self) -> Integers:
        """How many strangers' personas predict each participant as well as the own one."""
        return np.asarray((np.abs(self._away) <= _TIE).sum(axis=1))

    @cached_property
    def _away(self) -> Floats:
        """How much worse strangers' personas predict than the own one; NaN on the diagonal."""
        away = self.nll - np.diag(self.nll)[:, None]
        np.fill_diagonal(away, np.nan)
        return np.asarray(away)


@dataclass(frozen=True, eq=False)
class Identification:
    """Whether people can be found by how well personas predict their responses.

    Attributes
    ----------
    information
        T in nats a response: see `MatchingMatrix.information`. Chance is 0.
    auc
        Share of strangers' personas that predict worse than the own one. Chance is 0.5.
    top, top_by_chance
        Share of people whom their own persona predicts best of all; m equally good best personas
        share it. By chance the mean over people of 1/k, with k personas compared.
    reciprocal_rank, reciprocal_rank_by_chance
        Mean of 1/rank of the own persona, over all orders of tied personas. By chance the mean over
        people of (1 + 1/2 + ... + 1/k)/k.
    """

    information: Estimate
    auc: Estimate
    top: Estimate
    top_by_chance: float
    reciprocal_rank: Estimate
    reciprocal_rank_by_chance: float


def matching_matrix(
    own: Predictions, others: Sequence[Predictions] = (), groups: ArrayLike | None = None
) -> MatchingMatrix:
    """How well everyone's persona predicts everyone in the same group, M_ik.

    M_ik is the mean over the items that i answered and k's persona predicts of
    c_kj = -log p_kj(y_ij) - (mean over personas l of -log p_lj(y_ij)). NaN for people of
    different groups, pairs without a common item, and people with nobody to compare with.

    Parameters
    ----------
    others
        Predictions of the same model and strategy with other participants' personas. They only
        add something if not every participant answered every item.
    groups
        Number of each participant's group, shape (participants,): people of whom the same things
        are known, so that each could be given the other's persona (and who share a cluster, if
        there are clusters). Everyone is in one group by default.

    Raises
    ------
    ValueError
        If the predictions are not of the same responses, model and strategy, or if one persona
        predicts one item in two ways.

    Notes ----- If everyone answered everything, subtracting the mean changes a row of M by a
    constant, and with it no rank, difference or permutation test. If not, it makes entries over
    different items comparable: an item that is hard to predict, answered by i but without a
    prediction from k, would otherwise look like a bad (and an easy one like a good) own persona.
    The mean is taken per item, response and group, and separately over personas of people who
    answered the item and of people who did not. So the mean of c is 0 among both, and that people
    who skip an item have personas that do not fit those who answer it is not counted as a match:
    what is compared is what personas say of the responses, not of who responds. An item with one
    persona left is not used.

    Then missing items move neither T nor the AUC. But a stranger's entry rests on fewer items
    than the own one and so spreads more, which makes the permutation test and the shares of best
    personas conservative in proportion; people who were asked different items belong in different
    groups.
    """
    own.responses.must_be_shared("what one person's persona says of another's responses")
    table = _table(own, others)
    position = own.responses.position
    answered = position >= 0
    number = np.zeros(len(position), np.int64)
    if groups is not None:
        number = np.unique(np.asarray(groups), return_inverse=True)[1].astype(np.int64)
    known = ~np.isnan(table[:, :, 0])
    surprise = np.where(np.isnan(table), 0.0, -table)
    for item in range(position.shape[1]):
        kind = 2 * number + answered[:, item]
        members = np.bincount(kind, known[:, item])
        totals = sums(surprise[:, item], kind, len(members))
        surprise[:, item] -= (totals / np.maximum(members, 1)[:, None])[kind]
        known[:, item] &= members[kind] > 1
    surprise[~known] = 0.0
    responded = position[:, :, None] == np.arange(table.shape[2])
    people = len(position)
    totals = responded.reshape(people, -1).astype(float) @ surprise.reshape(people, -1).T
    count = answered.astype(float) @ known.T
    nll = quotient(totals, count)
    nll[number[:, None] != number] = np.nan
    return MatchingMatrix(comparable(nll), number)


def identification(matrix: MatchingMatrix, people: Resampling) -> Identification:
    """Whether people can be found by how well personas predict them, with intervals over people.

    Information and AUC are about people and personas drawn together. The share of best personas
    and the reciprocal rank depend on how many personas compete, so their intervals are about
    other people among the same personas. Since few people or none may have the best persona, the
    interval of that share is an exact one for as many independent people as its bootstrap
    variance is worth (Korn & Graubard 1998), and that of the skewed reciprocal rank is a BCa
    interval. Weights of people count for those who are predicted;
    strangers count alike.

    Examples
    --------
    >>> import numpy as np
    >>> from geppetto.evaluation.individuation import MatchingMatrix, identification
    >>> from geppetto.evaluation.inference import Resampling
    >>> matrix = MatchingMatrix(1.0 - np.eye(4), groups=np.zeros(4, int))
    >>> found = identification(matrix, Resampling.of(4))
    >>> found.top.value, found.top_by_chance
    (1.0, 0.25)
    """
    compared = matrix.personas > 0
    personas = np.where(compared, matrix.personas, np.nan)
    better, tied = matrix.better, matrix.tied
    reciprocal = (_harmonic(better + tied + 1) - _harmonic(better)) / (tied + 1)

    def over_people(values: Floats) -> Estimate:
        return estimate(mean, np.where(compared, values, np.nan), people=people)

    def by_chance(values: Floats) -> float:
        return float(mean(people.sample, values)[0])

    return Identification(
        over_people(matrix.information),
        over_people(matrix.auc),
        _share(np.where(compared, (better == 0) / (tied + 1), np.nan), people),
        by_chance(1 / personas),
        estimate(mean, np.where(compared, reciprocal, np.nan), people=people, method="bca"),
        by_chance(_harmonic(personas) / personas),
    )


def _table(own: Predictions, others: Sequence[Predictions]) -> Floats:
    """Log-probability of each option under each persona, shape (participants, items, options)."""
    for source in (own, *others):
        if source.condition[:2] != own.condition[:2] or source.responses is not own.responses:
            raise ValueError(
                f"{source.condition.label} cannot be compared with {own.condition.label}"
            )
    if (own.donors != np.arange(own.donors.shape[1])).any():
        raise ValueError(f"{own.condition.label} does not show people their own personas")
    donors = np.concatenate([source.donors.ravel() for source in (own, *others)])
    shown = np.concatenate([draw for source in (own, *others) for draw in source.option_log_probs])
    order = np.argsort(donors, kind="stable")
    order = order[donors[order] >= 0]
    personas, starts = np.unique(donors[order], return_index=True)
    lowest = np.fmin.reduceat(shown[order], starts)
    highest = np.fmax.reduceat(shown[order], starts)
    same = np.isclose(lowest, highest, rtol=0, atol=_SAME, equal_nan=True)
    if not same.all():
        persona, item, _ = np.argwhere(~same)[0]
        raise ValueError(
            f"the persona of {own.responses.participants[personas[persona]]} predicts "
            f"{own.responses.items[item]} in two ways, so it is not one persona"
        )
    table = own.option_log_probs[0].copy()
    table[personas] = np.where(np.isnan(table[personas]), lowest, table[personas])
    return np.asarray(table)


def comparable(nll: Floats) -> Floats:
    """A matrix without the rows and columns of people who are compared with nobody."""
    while True:
        out = np.isnan(np.diag(nll)) | (np.isfinite(nll).sum(axis=1) < 2)
        if np.isnan(nll[out]).all() and np.isnan(nll[:, out]).all():
            return np.asarray(nll)
        nll[out], nll[:, out] = np.nan, np.nan


def _projection(pairs: Floats, groups: Integers) -> Floats:
    """Hoeffding projection on people of the mean over i of the mean over k != i of pairs (i, k).

    Row mean + column mean - the group's mean of column means: the mean of the values is that of
    the row means, also where not every pair exists.
    """
    known = ~np.isnan(pairs)
    filled = np.where(known, pairs, 0.0)
    rows, columns = (quotient(filled.sum(axis=axis), known.sum(axis=axis)) for axis in (1, 0))
    some = ~np.isnan(columns)
    members = np.bincount(groups[some], minlength=len(groups))
    totals = np.bincount(groups[some], columns[some], minlength=len(groups))
    away = columns - quotient(totals, members)[groups]
    return np.asarray(rows + np.where(some, away, 0.0))


def _share(hits: Floats, people: Resampling) -> Estimate:
    """Weighted share of hits, with the interval of Clopper & Pearson (1934) at the effective n."""
    value = float(mean(people.sample, hits)[0])
    if np.isnan(value):
        return Estimate(value, value, value)
    variance = float(np.nanvar(np.concatenate([mean(drawn, hits) for drawn in people.weights()])))
    size = float(np.isfinite(hits).sum())
    effective = min(size, value * (1 - value) / variance) if variance > 0 else size
    return Estimate(value, *_clopper_pearson(value * effective, effective))


def _clopper_pearson(hits: float, size: float) -> tuple[float, float]:
    """The exact interval of a share of hits, which need not be whole (Clopper & Pearson 1934)."""
    low = stats.beta.ppf(LEVEL / 2, hits, size - hits + 1) if hits else 0.0
    high = stats.beta.ppf(1 - LEVEL / 2, hits + 1, size - hits) if hits < size else 1.0
    return float(low), float(high)


def _harmonic(numbers: NDArray[Any]) -> Floats:
    """1 + 1/2 + ... + 1/n."""
    return np.asarray(digamma(numbers + 1.0) - digamma(1.0))
