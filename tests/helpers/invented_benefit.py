"""Invented people whose personas are believed too strongly, and verdicts on invented costs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.baselines.rows import MARGINALS
from geppetto.evaluation.baselines.uninformed import Uninformed, chosen_elsewhere, folds_of
from geppetto.evaluation.contrasts import BENEFIT
from geppetto.evaluation.differences import Differences, differences
from geppetto.evaluation.inference.infer import infer
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.predictions import Predictions
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.plan import BASELINE, Condition
from invented import circle, predicted, responses

PEOPLE, ITEMS = 300, 20


def believers(strength: float, seed: int = 0) -> list[Predictions]:
    """People with a tendency to say yes, whose personas tell it, used so many times too strongly.

    Each says yes with probability 1 / (1 + exp(-x)), x normal; a model that is told x expects
    strength * x. Others answer yes half of the time, which is what item marginals know.
    """
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 0.8, (PEOPLE, 1)) * np.ones((1, ITEMS))
    said = (rng.random(x.shape) < 1 / (1 + np.exp(-x))).astype(int)
    given = responses(said)
    yes = 1 / (1 + np.exp(-strength * x))
    personas = np.stack([1 - yes, yes], axis=-1)
    half, bad = np.full(personas.shape, 0.5), np.broadcast_to([0.8, 0.2], personas.shape)
    uniform, others = predicted(given, "none", half), predicted(given, "none", half)
    return [
        predicted(given, "none", bad),
        predicted(given, "shuffled", personas, circle(PEOPLE, (1, 7), rng)),
        predicted(given, "own", personas),
        replace(uniform, condition=Condition(BASELINE, "uniform", "none")),
        replace(others, condition=Condition(BASELINE, MARGINALS, "none")),
    ]


def against(costs: Floats, own: Floats, people: Resampling) -> Verdict:
    """The verdict on what own personas save over rivals, of what each costs each participant."""
    rows = np.arange(len(own))
    chosen = chosen_elsewhere(costs, folds_of(rows), np.ones(len(own)))
    names = [Condition(BASELINE, f"rival {number}", "none") for number in range(len(costs))]
    best = Uninformed(tuple(names), chosen)
    persons = best.of(list(costs)) - own
    one = Differences(
        *("m", "s", BENEFIT, "nll", "", rows, persons, persons, persons),
        uninformed=best,
        rivals=(costs - own).T,
    )
    (verdict,) = infer([one], people, Analysis(draws=300), {})
    return verdict


def verdict(found: list[Predictions], contrast: str = "total") -> Verdict:
    people = Resampling.of(len(found[0].pool), draws=500)
    verdicts = infer(differences(found), people, Analysis(draws=500), {})
    (one,) = (one for one in verdicts if one.effect.contrast.name == contrast)
    return one
