"""Which parameters of a search made the difference between its best trials and the others."""

from __future__ import annotations

import math
import warnings

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

TOP = 0.1
"""Share of complete trials that count as the best ones; Optuna's default."""

FEWEST_TOP = 5
"""How many they are at least: Optuna advises so many, since fewer say next to nothing."""

FEWEST = 2 * FEWEST_TOP
"""Complete trials below which nothing is said."""


def importances(study: optuna.Study) -> dict[str, float]:
    """Share of each parameter in what sets the best complete trials apart, the largest first.

    By PED-ANOVA, which counts a parameter that exists only with some strategies among those
    (Watanabe, Bansal & Hutter 2023), of the first objective. Parameters that never varied have
    none, and there are none where the best trials are no better than the others.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    varied = {
        name
        for trial in complete
        for name, value in trial.params.items()
        if any(other.params.get(name, value) != value for other in complete)
    }
    if len(complete) < FEWEST or not varied:
        return {}
    sign = 1 if study.directions[0] is optuna.study.StudyDirection.MINIMIZE else -1

    def loss(trial: FrozenTrial) -> float:
        return sign * float(trial.values[0])

    top = max(FEWEST_TOP, math.ceil(TOP * len(complete)))
    losses = sorted(map(loss, complete))
    if losses[top - 1] == losses[-1]:
        return {}
    with warnings.catch_warnings():
        # a loss is given, of which the low end is the one that is meant
        warnings.filterwarnings("ignore", ".* to achieve low `target` values")
        # a value that one trial has says little, and counts for little
        warnings.filterwarnings("ignore", "Some regimes for parameter")
        found = get_param_importances(
            study,
            evaluator=PedAnovaImportanceEvaluator(target_quantile=top / len(complete)),
            params=sorted(varied),
            target=loss,
        )
    return dict(found)
