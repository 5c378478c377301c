"""How much of what could be predicted of people a model does predict."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers, nanmean, quotient
from geppetto.evaluation.baselines.rows import MARGINALS
from geppetto.evaluation.baselines.uninformed import best_elsewhere, chosen_elsewhere, folds_of
from geppetto.evaluation.inference.resampling import Estimate, Resampling, Weights, estimate
from geppetto.evaluation.predictions import Predictions
from geppetto.planning.plan import BASELINE, NO_STRATEGY, Condition


@dataclass(frozen=True)
class Skill:
    """How much of what could be predicted from a strategy's fields a model does predict.

    Attributes
    ----------
    best
        The baseline with the lowest mean NLL among item marginals and the strategy's own
        supervised baselines; if not all people have the same, that of most people comes first.
    share
        (L(none) - L(own)) / (L(none) - L(best)), L the mean NLL: 0 is the model without a
        persona, 1 the best baseline. The baseline of each person is chosen on other people, and
        chosen again when people are drawn again. NaN where it is not better than the model without
        a persona.
    reason
        Why there is no share; empty if there is one.
    """

    model: str
    strategy: str
    best: str
    share: Estimate
    reason: str


def skills(
    predicted: Sequence[Predictions], supervised: Mapping[str, Sequence[str]], people: Resampling
) -> list[Skill]:
    """The skill of every model and strategy that has the arms `none` and `own`.

    `predicted` has the baselines too, and `supervised` is as from `supervised_names`.
    """
    folds = folds_of(people.clusters)
    losses = {p.condition: nanmean(nanmean(p.nll, 0), 1) for p in predicted}
    found = []
    for model, strategy, arm in losses:
        none = losses.get(Condition(model, NO_STRATEGY, "none"))
        if arm != "own" or none is None:
            continue
        own = losses[Condition(model, strategy, arm)]
        names = (MARGINALS, *supervised[strategy])
        rivals = np.stack([losses[Condition(BASELINE, name, "none")] for name in names])
        chosen = chosen_elsewhere(rivals, folds, people.sample[0])
        best = " or ".join(names[number] for number, _ in Counter(chosen.tolist()).most_common())
        share = estimate(saved_part, none, own, rivals.T, folds, people=people)
        reason = f"{best} predicts no better than the model without a persona"
        found.append(Skill(model, strategy, best, share, reason if np.isnan(share.value) else ""))
    return found


def saved_part(
    weights: Weights, none: Floats, own: Floats, rivals: Floats, folds: Integers
) -> Floats:
    """(L(none) - L(own)) / (L(none) - L(best)); NaN where best does not beat none.

    Each participant's mean NLL is of shape (participants,), that of every baseline of
    (participants, rivals): the best of the other folds is a person's rival.
    """
    saved = weights @ (none - own)
    return quotient(saved, weights @ none - best_elsewhere(weights, rivals, folds))
