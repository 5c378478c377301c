"""The best prediction that knows nothing of a person: what a persona has to beat to be of use.

Strangers' personas may cost more than no persona, and to know nothing may predict better than what
a model makes of a persona. So what a persona is worth is measured against the best of what needs no
persona at all: a uniform guess, what others responded to the item (in sessions: the person's habit
so far, which every arm reads too), and the model without a persona. Which of them is best is
chosen on other people, so that it does not win by chance where it is measured.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers, nanmean
from geppetto.evaluation.baselines.best_of import chosen_elsewhere, folds_of
from geppetto.evaluation.baselines.habit import HABIT
from geppetto.evaluation.baselines.rows import MARGINALS
from geppetto.evaluation.losses import mean_cost
from geppetto.evaluation.predictions import Predictions
from geppetto.planning.plan import BASELINE, NO_STRATEGY, Condition

BASELINES = ("uniform", MARGINALS, HABIT)
"""The baselines that know nothing of the person but what every arm reads."""


@dataclass(frozen=True, eq=False)
class Uninformed:
    """Which prediction that knows nothing of the person is the best for other people.

    Attributes
    ----------
    conditions
        What was chosen from.
    chosen
        Number of the condition that each participant is predicted by, shape (participants,).
    """

    conditions: tuple[Condition, ...]
    chosen: Integers

    def of(self, values: Sequence[Floats]) -> Floats:
        """What each participant has by the condition that was chosen.

        Parameters
        ----------
        values
            Of each condition, participants on the first axis.
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
        """Whether the same was chosen for all people."""
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

    Parameters
    ----------
    rivals
        As from `candidates`.
    measure
        What responses cost by, see `geppetto.evaluation.losses.cell_cost`. What does not predict
        everybody whom something else does is no rival: baselines know nothing of open responses.
    weights
        How many people each participant stands for, shape (participants,).
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
