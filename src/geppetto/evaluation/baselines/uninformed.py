"""The best prediction that knows nothing of a person: what a persona has to beat to be of use.

Strangers' personas may cost more than no persona, and to know nothing may predict better than what
a model makes of a persona. So what a persona is worth is measured against the best of what needs no
persona at all: a uniform guess, what others responded to the item (in sessions: the person's habit
so far, which every arm reads too), and the model without a persona.

The one with the lowest mean cost in a sample looks better there than it is: among equal ones it is
the one that was lucky (Varma & Simon 2006, BMC Bioinformatics 7, 91). So people are in folds, and
each fold gets the rival that is the best on the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers, nanmean, quotient
from geppetto.evaluation.baselines.habit import HABIT
from geppetto.evaluation.baselines.rows import MARGINALS
from geppetto.evaluation.inference.resampling import Weights
from geppetto.evaluation.losses import mean_cost
from geppetto.evaluation.predictions import Predictions
from geppetto.planning.plan import BASELINE, NO_STRATEGY, Condition

FOLDS = 2
"""Folds that people are in when something is chosen on the others.

A fold's costs count in the choice of all the other folds, which an interval that takes choices as
given does not see. With four equal rivals of independent costs the variance of the chosen mean is
1.3 times that of one of them with two folds, 1.7 with five and 2.2 with ten.
"""


def folds_of(clusters: Integers) -> Integers:
    """A fold for each participant: whole clusters at random, as many in each as possible."""
    groups, members = np.unique(clusters, return_inverse=True)
    dealt = np.random.default_rng(0).permutation(len(groups)) % FOLDS
    return np.asarray(dealt[members])


def chosen_elsewhere(costs: Floats, folds: Integers, weights: Floats) -> Integers:
    """Number of the rival with the lowest weighted mean cost over the people of other folds.

    It is the same for all people of a fold: the first of several that are equally good, and of
    those of whom the other folds say nothing, so rivals are in the order in which they are to be
    believed. Costs are each participant's mean by each rival, shape (rivals, participants), NaN
    where there is none.
    """
    _, fold = np.unique(folds, return_inverse=True)
    return np.asarray(_choices(weights[None], costs, fold)[0, fold])


def best_elsewhere(weights: Weights, costs: Floats, folds: Integers) -> Floats:
    """What the rivals cost that each draw of people chooses on the other folds, summed over people.

    Draws that choose again vary as much as the choice does, see `FOLDS`, and a little more: their
    interval of a mean or quotient covers 94 to 97.5% where one that takes the choice as given
    covers 92 to 94%. Costs are known, shape (participants, rivals).
    """
    _, fold = np.unique(folds, return_inverse=True)
    chosen = _choices(weights, costs.T, fold)
    spent = [weights @ (costs * (fold == one)[:, None]) for one in range(chosen.shape[1])]
    picked = np.take_along_axis(np.stack(spent, axis=2), chosen[:, None], axis=1)
    return np.asarray(picked.sum(axis=(1, 2)))


def _choices(weights: Weights, costs: Floats, fold: Integers) -> Integers:
    """Number of the rival that each fold gets in each draw, shape (draws, folds)."""
    known = np.isfinite(costs.T)
    spent = np.where(known, costs.T, 0.0)
    means = []
    for one in range(fold.max() + 1):
        others = (fold != one)[:, None]
        means.append(quotient(weights @ (spent * others), weights @ (known * others), np.inf))
    return np.asarray(np.stack(means, axis=1).argmin(axis=2))


BASELINES = ("uniform", MARGINALS, HABIT)
"""The baselines that know nothing of the person but what every arm reads."""


@dataclass(frozen=True, eq=False)
class Uninformed:
    """Which prediction that knows nothing of the person is the best for other people.

    `chosen` is the number of the condition that each participant is predicted by, (participants,).
    """

    conditions: tuple[Condition, ...]
    chosen: Integers

    def of(self, values: Sequence[Floats]) -> Floats:
        """What each participant has by the condition that was chosen.

        `values` are of each condition, participants on the first axis.
        """
        return np.asarray(np.stack(values)[self.chosen, np.arange(len(self.chosen))])

    @property
    def names(self) -> list[str]:
        """What was chosen from, in words."""
        return [
            _WORDS.get(one.strategy, one.strategy)
            if one.model == BASELINE
            else "the model without a persona"
            for one in self.conditions
        ]

    @property
    def is_one(self) -> bool:
        return bool((self.chosen == self.chosen[0]).all())

    @property
    def name(self) -> str:
        """What was chosen, in words: of several, the one for most people and that others were."""
        of = np.bincount(self.chosen, minlength=len(self.conditions))
        name = self.names[int(of.argmax())]
        return name if self.is_one else f"{name} for {of.max() / of.sum():.0%} of people"

    def beyond(self, participants: int) -> Uninformed:
        """The same of more participants: those who are added have what was chosen most often."""
        most = int(np.bincount(self.chosen).argmax())
        added = np.full(participants - len(self.chosen), most, np.int64)
        return Uninformed(self.conditions, np.concatenate([self.chosen, added]))


_WORDS = {
    "uniform": "a uniform guess",
    MARGINALS: "what others answered",
    HABIT: "the person's habit so far",
}


def candidates(found: Sequence[Predictions], model: str) -> list[Predictions]:
    """The predictions that know nothing of the person: of baselines, and of a model."""
    by_condition = {one.condition: one for one in found}
    wanted = [Condition(BASELINE, name, "none") for name in BASELINES]
    wanted.append(Condition(model, NO_STRATEGY, "none"))
    return [by_condition[condition] for condition in wanted if condition in by_condition]


def best_uninformed(
    rivals: Sequence[Predictions], measure: str, weights: Floats
) -> Uninformed | None:
    """What predicts other people best, for each fold of people; None if nothing predicts all.

    What does not predict everybody whom something else does is no rival: baselines know nothing
    of open responses. The measure is as of `cell_cost`.
    """
    if not rivals:
        return None
    costs = np.stack([nanmean(mean_cost(one, measure), 0) for one in rivals])
    known = np.isfinite(costs)
    complete = np.flatnonzero((known == known.any(0)).all(1) & known.any(1))
    if not len(complete):
        return None
    folds = folds_of(rivals[0].responses.cluster)
    chosen = chosen_elsewhere(costs[complete], folds, weights)
    return Uninformed(tuple(rivals[int(number)].condition for number in complete), chosen)
