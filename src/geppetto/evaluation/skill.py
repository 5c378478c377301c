"""How much of what could be predicted of people a model does predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from geppetto.evaluation.arrays import Floats, nanmean
from geppetto.evaluation.baselines import BASELINE, MARGINALS
from geppetto.evaluation.moments import quotient
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.resampling import Estimate, Resampling, Weights, estimate
from geppetto.plan import NO_STRATEGY, Condition


@dataclass(frozen=True)
class Skill:
    """How much of what could be predicted from a strategy's fields a model does predict.

    Attributes
    ----------
    best
        The baseline with the lowest mean NLL among item marginals and the strategy's own
        supervised twins.
    share
        (L(none) - L(own)) / (L(none) - L(best)), L the mean NLL: 0 is the model without a
        persona, 1 the best baseline. The baseline is chosen once, in the sample itself. NaN where
        it is not better than the model without a persona.
    reason
        Why there is no share; empty if there is one.
    """

    model: str
    strategy: str
    best: str
    share: Estimate
    reason: str


def skills(
    predicted: Sequence[Predictions], twins: Mapping[str, Sequence[str]], people: Resampling
) -> list[Skill]:
    """The skill of every model and strategy that has the arms `none` and `own`.

    Parameters
    ----------
    predicted
        Predictions of all conditions, baselines included.
    twins
        As from `twin_names`.
    people
        How participants are drawn.
    """
    losses = {p.condition: nanmean(nanmean(p.nll, 0), 1) for p in predicted}
    found = []
    for model, strategy, arm in losses:
        none = losses.get(Condition(model, NO_STRATEGY, "none"))
        if arm != "own" or none is None:
            continue
        own = losses[Condition(model, strategy, arm)]
        rivals = {
            name: losses[Condition(BASELINE, name, "none")]
            for name in (MARGINALS, *twins[strategy])
        }
        best = min(rivals, key=lambda name: float((people.sample @ rivals[name])[0]))
        share = estimate(saved_part, none, own, rivals[best], people=people)
        reason = f"{best} predicts no better than the model without a persona"
        found.append(Skill(model, strategy, best, share, reason if np.isnan(share.value) else ""))
    return found


def saved_part(weights: Weights, none: Floats, own: Floats, best: Floats) -> Floats:
    """(L(none) - L(own)) / (L(none) - L(best)); NaN where best does not beat none.

    Parameters
    ----------
    weights
        How often each participant counts, shape (draws, participants).
    none, own, best
        Each participant's mean NLL, shape (participants,).
    """
    saved, possible = weights @ (none - own), weights @ (none - best)
    return quotient(saved, possible)
