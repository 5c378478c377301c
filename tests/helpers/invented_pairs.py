"""Invented pairs of models: a base that predicts a model's people better by known numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from geppetto.evaluation.results import Results
from geppetto.models.lineage import Lineage

ORIGIN = {"family": "Pine", "generation": "2", "parameters": "8B", "released": "2025-04-28"}
LINEAGES = {
    "m": Lineage.model_validate(ORIGIN | {"training": "post-trained", "base": "pine"}),
    "pine": Lineage.model_validate(ORIGIN | {"training": "base"}),
}


def lost_by(found: Results, mean: float, sd: float = 0.02, seed: int = 0) -> dict[str, float]:
    """What post-training lost on each person, in nats a response, with exactly this mean."""
    people = sorted(found.study.people)
    drawn = np.random.default_rng(seed).normal(size=len(people))
    drawn = mean + sd * (drawn - drawn.mean()) / drawn.std()
    return dict(zip(people, drawn.tolist(), strict=True))


def with_base(found: Results, lost: dict[str, float], name: str = "pine") -> Results:
    """The same results with a base of model "m" that loses so much less on each person."""
    nobody = found.answers.query("model == 'm' and arm == 'none'")
    rows = [_better(row, lost[row["participant"]]) for row in nobody.to_dict("records")]
    base = pd.DataFrame(rows, index=nobody.index).assign(model=name)
    answers = pd.concat([found.answers, base[found.answers.columns]], ignore_index=True)
    return replace(found, answers=answers, lineages=LINEAGES)


def _better(row: dict[Any, Any], nats: float) -> dict[Any, Any]:
    """An answer whose response costs so many nats less."""
    if not row["options"]:
        return row | {"log_prob": row["log_prob"] + nats}
    logs = np.array(row["option_log_probs"])
    whole = np.logaddexp.reduce(logs)
    chosen = row["options"].index(row["response"])
    better = logs[chosen] - whole + nats
    assert better < 0
    told = logs - np.log1p(-np.exp(logs[chosen] - whole)) + np.log1p(-np.exp(better))
    told[chosen] = better + whole
    return row | {"option_log_probs": tuple(told), "log_prob": told[chosen]}
