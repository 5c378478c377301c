"""Importances are of the good end, whichever way is better, for any number of objectives."""

from __future__ import annotations

import numpy as np
import optuna
import pytest

from geppetto.search.importance import FEWEST, importances

NAMES = ("lifts", "sinks", "idle")
UNIT = {name: optuna.distributions.FloatDistribution(0, 1) for name in NAMES}


def searched(seed: int, directions: list[str], trials: int = 60) -> optuna.Study:
    """A study in which `lifts` matters at the good end alone, `sinks` at the bad end alone."""
    rng = np.random.default_rng(seed)
    study = optuna.create_study(directions=directions)
    for _ in range(trials):
        drawn = dict(zip(NAMES, rng.random(3).tolist(), strict=True))
        good = max(0, drawn["lifts"] - 0.7) - max(0, 0.3 - drawn["sinks"]) + 0.03 * rng.normal()
        values = [good if directions[0] == "maximize" else -good, *rng.random(len(directions) - 1)]
        made = optuna.trial.create_trial(params=drawn, distributions=UNIT, values=values)
        study.add_trial(made)
    return study


@pytest.mark.parametrize("others", [[], ["minimize"], ["maximize"]])
@pytest.mark.parametrize("direction", ["maximize", "minimize"])
def test_what_matters_at_the_good_end_is_found(direction: str, others: list[str]) -> None:
    for seed in range(5):
        found = importances(searched(seed, [direction, *others]))
        assert next(iter(found)) == "lifts" and found["lifts"] > 0.6 and found["sinks"] < 0.3
        assert sum(found.values()) == pytest.approx(1)


def test_one_objective_and_several_have_the_same_importances() -> None:
    ways = [["maximize"], ["minimize"], ["maximize", "minimize"], ["minimize", "maximize"]]
    found = []
    for directions in ways:
        study = optuna.create_study(directions=directions)
        for trial in searched(0, ["maximize"]).trials:
            sign = 1 if directions[0] == "maximize" else -1
            study.add_trial(
                optuna.trial.create_trial(
                    params=trial.params,
                    distributions=UNIT,
                    values=[sign * trial.values[0], 0.0][: len(directions)],
                )
            )
        found.append(importances(study))
    assert all(each == pytest.approx(found[0]) for each in found)


def test_too_few_trials_and_trials_that_are_all_as_good_say_nothing() -> None:
    assert importances(searched(0, ["maximize"], trials=FEWEST - 1)) == {}
    assert importances(searched(0, ["maximize"], trials=FEWEST)) != {}
    alike = optuna.create_study(direction="minimize")
    for trial in searched(0, ["minimize"], trials=20).trials:
        alike.add_trial(
            optuna.trial.create_trial(
                params=trial.params, distributions=UNIT, value=0.0 if trial.number else -1.0
            )
        )
    assert importances(alike) == {}
