"""Invented personas and people that go together more or less, or unequally."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.individuation.matching import MatchingMatrix, matching_matrix
from geppetto.evaluation.predictions import Predictions, Responses
from geppetto.planning.plan import Condition
from invented import responses as responses_of


def shown(personas: Floats, responses: Responses, donors: Integers, arm: str) -> Predictions:
    """What is predicted if people are shown these donors' personas: (people, items, options)."""
    log_probs = personas[np.maximum(donors, 0)].copy()
    log_probs[(donors < 0)[:, :, None] | ~responses.answered] = np.nan
    empty = np.full(log_probs.shape[:3], np.nan)
    pool = np.zeros(donors.shape[1], int)
    return Predictions(responses, Condition("m", "s", arm), pool, donors, log_probs, empty, empty)


def own_of(personas: Floats, responses: Responses) -> Predictions:
    return shown(personas, responses, np.arange(len(personas))[None], "own")


def strangers_of(personas: Floats, responses: Responses, distances: list[int]) -> Predictions:
    people = np.arange(len(personas))
    donors = np.stack([(people + distance) % len(people) for distance in distances])
    return shown(personas, responses, donors, "shuffled")


def simulated(
    rng: np.random.Generator, match: float, people: int = 30, items: int = 10
) -> tuple[Floats, Integers]:
    """Personas and responses that both go together within a person (ICC 0.5 of responses).

    Personas differ in the level that they expect of all items and in how sure they are; `match`
    is the correlation of that level with the person's.
    """
    person = rng.normal(size=(people, 1))
    latent = person + rng.normal(size=(people, items))
    position = np.digitize(latent, [-0.8, 0.8]).astype(np.int64)
    level = match * person + np.sqrt(1 - match**2) * rng.normal(size=(people, 1))
    sure = np.exp(0.4 * rng.normal(size=(people, 1)))
    slope = sure * (level + 0.3 * rng.normal(size=(people, items)) + rng.normal(size=(1, items)))
    logits = slope[:, :, None] * np.array([-1, 0, 1]) + (sure * 0.5)[:, :, None] * [0, 1, 0]
    return log_softmax(logits, axis=2), position


def unequal(rng: np.random.Generator, people: int = 40) -> list[Predictions]:
    """Heavy-tailed personas that match nobody; the low skip hard items, at random all skip some."""
    personas, position = simulated(rng, 0.0, people)
    sure = np.exp(0.6 * rng.standard_t(3, (people, 1, 1)).clip(-4, 4))
    personas = log_softmax(sure * personas, axis=2).clip(-6)
    low = position.mean(axis=1, keepdims=True) < 1
    skipped = rng.random(position.shape) < np.where(low, np.linspace(0, 0.9, 10), 0.3)
    skipped[:, 0] &= (~skipped[:, 1:]).any(axis=1)
    responses = responses_of(np.where(skipped, -1, position), 3)
    return [own_of(personas, responses), strangers_of(personas, responses, [1, 5, 11])]


def matrix_of(
    personas: Floats, position: Integers, groups: Integers | None = None
) -> MatchingMatrix:
    return matching_matrix(own_of(personas, responses_of(position, personas.shape[2])), (), groups)


def losses(personas: Floats, position: Integers) -> Floats:
    """NLL of each response of person i under persona k, shape (i, k, items)."""
    items = np.arange(position.shape[1])
    return np.stack([-personas[:, items, row] for row in position])
