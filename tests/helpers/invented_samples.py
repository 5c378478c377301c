"""Answers as few samples of a distribution would tell them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from geppetto.elicitation.hits import hit
from geppetto.elicitation.samples import SMOOTHING
from geppetto.evaluation.predictions import Predictions
from geppetto.planning.analysis_config import Analysis


def sampled(found: Predictions, k: int, rng: np.random.Generator) -> Predictions:
    counts = rng.multinomial(k, np.exp(found.option_log_probs)).astype(float)
    logs = np.log((counts + SMOOTHING) / (k + SMOOTHING * counts.shape[-1]))
    return replace(found, option_log_probs=logs, counts=counts)


MANY = Analysis(draws=200, smallest_effect=0.05)


def drawn(answers: pd.DataFrame, k: int, seed: int) -> pd.DataFrame:
    """The answers as `k` samples of each distribution would tell them."""
    rng = np.random.default_rng(seed)
    p = np.exp(np.array(answers["option_log_probs"].tolist()))
    counts = rng.multinomial(k, p / p.sum(1, keepdims=True))
    logs = np.log((counts + SMOOTHING) / (k + SMOOTHING * p.shape[1]))
    place = [o.index(r) for o, r in zip(answers["options"], answers["response"], strict=True)]
    said = logs[np.arange(len(logs)), place]
    right = [hit(*each) for each in zip(logs.tolist(), place, strict=True)]
    return answers.assign(
        counts=list(map(tuple, counts.tolist())),
        option_log_probs=list(map(tuple, logs.tolist())),
        log_prob=said,
        log_prob_of_options=said,
        nll_low=-said,
        nll_high=-said,
        hit_low=right,
        hit_high=right,
    )
