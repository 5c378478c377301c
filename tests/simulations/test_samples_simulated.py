"""What few samples say of a difference, by simulation."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from geppetto.evaluation.differences import differences
from geppetto.evaluation.inference.infer import infer
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.predictions import Predictions, predictions
from geppetto.evaluation.results import Measure
from invented import circle, predicted, responses
from invented_replies import answers_of
from invented_samples import MANY, drawn, sampled


def mean_information(answers: pd.DataFrame, measure: Measure) -> float:
    made = differences(predictions(answers), measure)
    return next(float(one.persons.mean()) for one in made if one.contrast.name == "information")


def test_an_effect_of_three_samples_is_whole_by_brier_and_small_by_nll() -> None:
    answers = answers_of(1, people=60, items=6, known=0.35)
    samples = [drawn(answers, 3, seed) for seed in range(12)]
    brier = [mean_information(one, "brier") for one in samples]
    expected = mean_information(answers, "brier")
    error = np.std(brier, ddof=1) / np.sqrt(len(brier))
    assert abs(np.mean(brier) - expected) < 4 * error < 0.25 * expected
    nll = [mean_information(one, "nll") for one in samples]
    assert np.mean(nll) < 0.9 * mean_information(answers, "nll")


def too_sure(rng: np.random.Generator, right: float) -> list[Predictions]:
    """No persona, which knows nothing, and an own one that is .97 sure of what is right so often.

    Of 150 people who respond to 10 items of five options.
    """
    given = responses(rng.integers(0, 5, (150, 10)), 5)
    wrong = (given.position + 1) % 5
    mode = np.where(rng.random(wrong.shape) < right, given.position, wrong)
    own = np.where(np.arange(5) == mode[..., None], 0.97, 0.0075)
    return [predicted(given, "none", np.full(own.shape, 0.2)), predicted(given, "own", own)]


def total(found: list[Predictions], measure: Measure) -> Verdict:
    people = Resampling.of(len(found[0].pool), draws=200)
    return infer(differences(found, measure), people, MANY, {}, {measure})[0]


@pytest.mark.parametrize("right", [0.52, 0.6])
def test_a_persona_that_is_too_sure_is_not_said_to_help_because_shares_are_smoothed(
    right: float,
) -> None:
    """At .6 the Brier score rightly sees a small gain where nats see a loss."""
    rng, found = np.random.default_rng(6), Counter[str]()
    nats, score, smoothed, unbiased = [], [], [], []
    for _ in range(40):
        exact = too_sure(rng, right)
        nats.append(total(exact, "nll").effect.nats.value)
        score.append(total(exact, "brier").effect.nats.value)
        asked = [sampled(one, 10, rng) for one in exact]
        by_nll, by_brier = total(asked, "nll"), total(asked, "brier")
        assert by_nll.outcome == "descriptive: the NLL of samples is smoothed"
        assert np.isnan(by_nll.p_adjusted)
        smoothed.append(by_nll.effect.nats.value)
        unbiased.append(by_brier.effect.nats.value - score[-1])
        found[by_brier.found] += 1
    assert np.mean(nats) < -0.3 and np.mean(smoothed) > 0.1
    assert abs(np.mean(unbiased)) < 4 * np.std(unbiased) / np.sqrt(40) < 0.02
    assert found["saves" if np.mean(score) < 0 else "costs"] <= 0.05 * 40
    if right < 0.6:
        assert np.mean(score) < -0.1 and found["costs"] > 0.5 * 40


def test_what_a_persona_costs_is_not_taken_from_the_draw_that_it_is_subtracted_from() -> None:
    """Identical personas, nine donors, three samples: claimed and true variance are the same."""
    rng, people, claimed, found = np.random.default_rng(7), 40, [], []
    for _ in range(250):
        base = rng.dirichlet(np.full(4, 0.5), 6).clip(1e-9)
        base /= base.sum(-1, keepdims=True)
        position = (base.cumsum(-1) < rng.random((people, 6, 1))).sum(-1).clip(0, 3)
        given = responses(position, 4)
        distances = rng.choice(np.arange(1, people), 9, replace=False)
        donors, same = circle(people, tuple(distances), rng), np.tile(base, (people, 1, 1))
        arms = predicted(given, "shuffled", same, donors), predicted(given, "own", same)
        (one,) = differences([sampled(arm, 3, rng) for arm in arms], "brier")
        claimed.append(one.influence.var(ddof=1) / people)
        found.append(one.influence.mean())
    assert 0.91 < np.sqrt(np.mean(claimed)) / np.std(found) < 1.15
