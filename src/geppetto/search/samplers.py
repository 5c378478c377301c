"""What a search tries next: a function of its seed, the trial's place and the trials so far."""

from __future__ import annotations

import math
import random
import warnings
from typing import Any

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.trial import FrozenTrial

from geppetto.planning.search_config import POPULATION, Search
from geppetto.search.space import Scalar, Space


class Point(optuna.samplers.BaseSampler):
    """Suggests the parameters of one point.

    Optuna's own exhaustive samplers count a trial that was interrupted as done.
    """

    def __init__(self, parameters: dict[str, Scalar]) -> None:
        self._parameters = parameters

    def infer_relative_search_space(
        self, study: optuna.Study, trial: FrozenTrial
    ) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        return {}

    def sample_independent(
        self,
        study: optuna.Study,
        trial: FrozenTrial,
        param_name: str,
        param_distribution: BaseDistribution,
    ) -> Any:
        return self._parameters[param_name]


def sampler(settings: Search, space: Space, place: int) -> optuna.samplers.BaseSampler:
    """The sampler for the trial in one place of the search, counted from 0."""
    seed = int(np.random.SeedSequence([settings.seed, place]).generate_state(1)[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        match settings.sampler:
            case "tpe":
                return optuna.samplers.TPESampler(
                    seed=seed, multivariate=True, group=True, constant_liar=True
                )
            case "random":
                return optuna.samplers.RandomSampler(seed=seed)
            case "nsga2":
                return optuna.samplers.NSGAIISampler(seed=seed, population_size=POPULATION)
            case "grid":
                assert space.size is not None
                return Point(space.at(shuffled(place, space.size, settings.seed)))


def shuffled(place: int, size: int, seed: int) -> int:
    """Which of `size` things comes in a place of a seeded order that has each once."""
    rng = random.Random(seed)
    start, step = rng.randrange(size), rng.randrange(1, size + 1)
    while math.gcd(step, size) > 1:
        step = step % size + 1
    return (start + place * step) % size
