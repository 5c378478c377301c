"""Invented answers whose models are as sure as they are told to be."""

from __future__ import annotations

import numpy as np
from scipy.special import log_softmax

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.predictions import Predictions, Responses
from geppetto.planning.plan import Condition


def responses_of(position: Integers, options: list[int]) -> Responses:
    people, items = position.shape
    return Responses(
        tuple(f"p{n}" for n in range(people)),
        tuple(f"q{n}" for n in range(items)),
        tuple(tuple(str(n) for n in range(count)) for count in options),
        np.ones(items, bool),
        position,
        np.arange(people),
        np.ones(people),
    )


def arm(logits: Floats, responses: Responses, name: str, model: str = "m") -> Predictions:
    """Predictions from logits of shape (draws, participants, items, options)."""
    options = np.array([len(codes) for codes in responses.options])
    beyond = np.arange(logits.shape[3]) >= options[:, None]
    log_probs = log_softmax(np.where(beyond, -np.inf, logits), axis=3)
    log_probs[np.broadcast_to(beyond, log_probs.shape)] = np.nan
    log_probs[:, ~responses.answered] = np.nan
    shape = log_probs.shape[:3]
    strategy = "none" if name == "none" else "s"
    donors = np.full(shape[:2], -1)
    return Predictions(
        responses,
        Condition(model, strategy, name),
        np.zeros(donors.shape[1], int),
        donors,
        log_probs,
        np.full(shape, -1.5),
        np.full(shape, 0.8),
    )


def drawn(rng: np.random.Generator, logits: Floats) -> Integers:
    """Responses that these logits of shape (participants, items, options) calibrate."""
    return np.asarray((logits + rng.gumbel(size=logits.shape)).argmax(axis=2), np.int64)
