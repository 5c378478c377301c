"""Which parameters of a search made the difference."""

from __future__ import annotations

import warnings

import optuna
from optuna.exceptions import ExperimentalWarning
from optuna.trial import TrialState

FEWEST = 4
"""Complete trials below which nothing is said."""


def importances(study: optuna.Study) -> dict[str, float]:
    """Share of each parameter in the differences between complete trials, the largest first.

    By PED-ANOVA, which counts a parameter that exists only with some strategies among those
    (Watanabe, Bansal & Hutter 2023), of the first objective. Parameters that never varied, and
    trials that were all the same, have none.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    varied = {
        name
        for trial in complete
        for name, value in trial.params.items()
        if any(other.params.get(name, value) != value for other in complete)
    }
    values = {trial.values[0] for trial in complete}
    if len(complete) < FEWEST or len(values) < 2 or not varied:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        warnings.filterwarnings("ignore", "Some regimes for parameter")
        found = optuna.importance.get_param_importances(
            study,
            params=sorted(varied),
            target=None if len(study.directions) == 1 else lambda trial: trial.values[0],
        )
    return dict(found)
