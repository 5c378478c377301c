"""What a search tries next: a function of its seed, the trial's place and the trials so far."""

from __future__ import annotations

import math
import random
import warnings

import numpy as np
import optuna
from optuna.exceptions import ExperimentalWarning

from geppetto.planning.search_config import POPULATION, Search
from geppetto.search.space import Space


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
                # Optuna's own exhaustive samplers count a trial that was interrupted as done
                point = space.at(shuffled(place, space.size, settings.seed))
                return optuna.samplers.PartialFixedSampler(
                    point, optuna.samplers.RandomSampler(seed=seed)
                )


def shuffled(place: int, size: int, seed: int) -> int:
    """Which of `size` things comes in a place of a seeded order that has each once."""
    rng = random.Random(seed)
    start, step = rng.randrange(size), rng.randrange(1, size + 1)
    while math.gcd(step, size) > 1:
        step = step % size + 1
    return (start + place * step) % size
