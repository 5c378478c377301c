"""Reliability and temperatures, against definitions, other libraries and planted truths."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax
from sklearn.calibration import calibration_curve

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.calibration.reliability import (
    reliability,
    temperature_scaled,
    top_options,
)
from geppetto.evaluation.predictions import Predictions, Responses, predictions
from invented_confidence import arm, drawn, responses_of


def loss(prediction: Predictions) -> float:
    return float(np.nanmean(prediction.nll))


def calibrated(
    rng: np.random.Generator, people: int = 600, items: int = 10
) -> tuple[Floats, Responses]:
    logits = 1.5 * rng.normal(size=(people, items, 4))
    return logits[None], responses_of(drawn(rng, logits), [4] * items)


def test_reliability_is_that_of_scikit_learn() -> None:
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.2, 1, 5000)
    confidence[:2] = [0.7, 1.0]
    correct = rng.random(5000) < confidence**2
    found = reliability(confidence, correct)
    accuracy, sure = calibration_curve(correct, confidence, n_bins=10)
    some = found.count > 0
    assert found.accuracy[some] == pytest.approx(accuracy)
    assert found.confidence[some] == pytest.approx(sure)
    assert found.count.sum() == 5000 and found.count[:2].tolist() == [0, 0]
    error = sum(
        inside.sum() / 5000 * abs(correct[inside].mean() - confidence[inside].mean())
        for low in np.arange(2, 10) / 10
        if (inside := (confidence > low) & (confidence <= low + 0.1)).any()
    )
    assert found.error == pytest.approx(error, abs=1e-4)
    assert error == pytest.approx(np.mean(confidence - confidence**2), abs=0.03)


def test_what_has_no_answer_is_in_no_bin() -> None:
    found = reliability([[0.9, np.nan], [0.35, 0.9]], [[1, np.nan], [0.5, 0]], bins=2)
    assert found.count.tolist() == [1, 2]
    assert found.accuracy.tolist() == [0.5, 0.5]
    assert found.error == pytest.approx((0.15 + 2 * 0.4) / 3)
    assert reliability([0.5, 0.51], [1, 1], bins=2).count.tolist() == [1, 1]
    assert np.isnan(reliability([np.nan], [np.nan]).error)


def test_equally_probable_best_options_share_the_hit() -> None:
    rng = np.random.default_rng(1)
    position = rng.integers(0, 2, (30, 4))
    position[4, 1] = -1
    responses = responses_of(position, [2, 3, 4, 4])
    prediction = arm(rng.integers(0, 2, (2, 30, 4, 4)).astype(float), responses, "own")
    confidence, correct = top_options(prediction)
    hits = set()
    for draw in range(2):
        for person in range(30):
            for item, options in enumerate((2, 3, 4, 4)):
                if (real := int(position[person, item])) < 0:
                    assert np.isnan(confidence[draw, person, item])
                    assert np.isnan(correct[draw, person, item])
                    continue
                log_probs = prediction.option_log_probs[draw, person, item, :options]
                assert confidence[draw, person, item] == np.exp(log_probs.max())
                best = log_probs == log_probs.max()
                assert correct[draw, person, item] == best[real] / best.sum()
                hits.add(best[real] / best.sum())
    assert hits == {0, 1 / 4, 1 / 3, 1 / 2, 1}


@pytest.mark.parametrize("temperature", [0.4, 1.0, 3.0])
def test_a_known_temperature_is_recovered_and_taken_away(temperature: float) -> None:
    logits, responses = calibrated(np.random.default_rng(2))
    answers = arm(logits * temperature, responses, "own")
    (scaled,), temperatures = temperature_scaled([answers])
    assert temperatures["m"] == pytest.approx((temperature, temperature), rel=0.06)
    assert reliability(*top_options(scaled)).error < 0.03
    if temperature != 1:
        assert reliability(*top_options(answers)).error > 0.1
    assert loss(scaled) == pytest.approx(loss(arm(logits, responses, "own")), abs=0.003)
    assert loss(scaled) <= loss(answers) + 0.001


def test_only_the_distribution_over_options_is_scaled() -> None:
    rng = np.random.default_rng(3)
    position = rng.integers(0, 2, (40, 3))
    position[rng.random(position.shape) < 0.2] = -1
    responses = responses_of(position, [2, 3, 5])
    answers = arm(3 * rng.normal(size=(2, 40, 3, 5)), responses, "own")
    (scaled,), temperatures = temperature_scaled([answers])
    assert scaled.log_prob is answers.log_prob and scaled.option_mass is answers.option_mass
    assert scaled.responses is responses and scaled.condition == answers.condition
    assert (np.isnan(scaled.option_log_probs) == np.isnan(answers.option_log_probs)).all()
    person = int(np.flatnonzero(position[:, 2] >= 0)[0])
    before, after = (p.option_log_probs[1, person, 2] for p in (answers, scaled))
    fits = [log_softmax(before / t) for t in temperatures["m"]]
    assert any(after == pytest.approx(fit) for fit in fits)
    assert temperatures["m"][0] != temperatures["m"][1]


def test_the_temperature_is_the_minimum_over_conditions_with_people_counting_the_same() -> None:
    """Incomplete answers of several conditions, donors and models, by loops over people."""
    rng = np.random.default_rng(4)
    position = rng.integers(0, 3, (40, 6))
    position[rng.random(position.shape) < np.linspace(0, 0.9, 40)[:, None]] = -1
    position[:, 0] = 1
    responses = responses_of(position, [3] * 6)
    middle = np.array([0, 1, 0])
    arms = [
        arm(middle + rng.normal(size=(1, 40, 6, 3)), responses, "none"),
        arm(middle + 4 * rng.normal(size=(3, 40, 6, 3)), responses, "shuffled"),
        arm(rng.normal(size=(1, 40, 6, 3)), responses, "own", model="other"),
    ]
    arms[1].option_log_probs[2, 5] = np.nan  # whose third donor does not exist
    scaled, temperatures = temperature_scaled(arms)
    assert list(temperatures) == ["m", "other"]
    log_probs = arms[1].option_log_probs
    people = [
        next(
            half
            for half, t in enumerate(temperatures["m"])
            if np.allclose(
                scaled[1].option_log_probs[0, person, 0], log_softmax(log_probs[0, person, 0] / t)
            )
        )
        for person in range(40)
    ]
    assert sorted(people) == [0] * 20 + [1] * 20

    def mean_nll(log_temperature: Floats, model: str, half: int) -> float:
        total = 0.0
        for prediction in arms:
            if prediction.condition.model != model:
                continue
            for person in np.flatnonzero(np.array(people) == half):
                values = [
                    -log_softmax(draw[person, item] / np.exp(log_temperature[0]))[
                        position[person, item]
                    ]
                    for draw in prediction.option_log_probs
                    for item in range(6)
                    if position[person, item] >= 0 and not np.isnan(draw[person, item, 0])
                ]
                total += np.mean(values)
        return total

    for model, found in temperatures.items():
        for half in (0, 1):
            best = minimize(mean_nll, [0.5], (model, 1 - half), method="Nelder-Mead")
            reached = np.clip(np.exp(best.x[0]), 0.05, 20)
            assert found[half] == pytest.approx(reached, rel=1e-3)


def test_nobody_is_in_the_fit_of_their_own_temperature() -> None:
    rng = np.random.default_rng(5)
    logits, responses = calibrated(rng, people=60)
    answers = arm(logits, responses, "own")
    clusters = np.repeat(np.arange(30), 2)
    _, before = temperature_scaled([answers], clusters)
    changed_halves = []
    for person in range(0, 60, 2):
        other = logits.copy()
        other[0, person : person + 2] *= -9
        (scaled,), after = temperature_scaled([arm(other, responses, "own")], clusters)
        changed = [a != b for a, b in zip(before["m"], after["m"], strict=True)]
        assert sum(changed) == 1
        own = after["m"][changed.index(False)]
        for one in (person, person + 1):
            assert scaled.option_log_probs[0, one] == pytest.approx(
                log_softmax(arm(other, responses, "own").option_log_probs[0, one] / own, axis=1)
            )
        changed_halves.append(changed.index(True))
    assert sorted(changed_halves) == [0] * 15 + [1] * 15
    relabelled = np.random.default_rng(6).permutation(30)[clusters]
    assert temperature_scaled([answers], relabelled)[1] == before


def test_names_and_order_of_rows_do_not_change_the_temperatures() -> None:
    rng = np.random.default_rng(7)
    logits = 3 * rng.normal(size=(20, 4, 3))
    position = drawn(rng, logits / 2)
    log_probs = log_softmax(logits, axis=2)
    rows = pd.DataFrame(
        {
            "participant": f"p{person:02}",
            "item": f"q{item}",
            "trial": item,
            "model": "m",
            "strategy": "s",
            "arm": "own",
            "donor": "",
            "pool": 0,
            "block": 0,
            "paraphrase": 0,
            "history": "",
            "cluster": None,
            "weight": 1.0,
            "options": ("a", "b", "c"),
            "ordinal": True,
            "response": "abc"[position[person, item]],
            "option_log_probs": tuple(log_probs[person, item].tolist()),
            "counts": (),
            "log_prob": -1.0,
            "option_mass": 0.9,
            "announcing": np.nan,
        }
        for person in range(20)
        for item in range(4)
    )
    names = dict(zip(sorted(set(rows["participant"])), rng.permutation(20), strict=True))
    other = rows.assign(participant=rows["participant"].map(lambda name: f"x{names[name]:02}"))
    other = other.sample(frac=1, random_state=1)
    one, two = (temperature_scaled(predictions(table))[1]["m"] for table in (rows, other))
    assert one == two and one[0] != one[1]


def test_a_persona_that_only_makes_a_timid_model_surer_no_longer_seems_to_know() -> None:
    """The model is not sure enough without a persona; with one it is as sure as it should be."""
    logits, responses = calibrated(np.random.default_rng(8))
    none, own = arm(0.5 * logits, responses, "none"), arm(logits, responses, "own")
    strangers = arm(logits, responses, "shuffled")
    (none_at, own_at, strangers_at), temperatures = temperature_scaled([none, own, strangers])
    before, after = loss(none) - loss(own), loss(none_at) - loss(own_at)
    assert before > 0.05
    assert 0 < after < 0.6 * before, "smaller, but arms of different sharpness stay different"
    assert loss(strangers_at) == loss(own_at), "information is not touched by it"
    assert max(temperatures["m"]) < 1


def test_a_persona_that_makes_a_calibrated_model_too_sure_does_not_count_as_harm_alone() -> None:
    logits, responses = calibrated(np.random.default_rng(9))
    none, own = arm(logits, responses, "none"), arm(2 * logits, responses, "own")
    (none_at, own_at), _ = temperature_scaled([none, own])
    before, after = loss(none) - loss(own), loss(none_at) - loss(own_at)
    assert before < -0.1 and abs(after) < 0.35 * abs(before)


def test_knowledge_is_still_there_at_the_best_temperature() -> None:
    logits, responses = calibrated(np.random.default_rng(10))
    order = np.random.default_rng(11).permutation(600)
    own = arm(3 * logits, responses, "own")
    strangers = arm(3 * logits[:, order], responses, "shuffled")
    (own_at, strangers_at), _ = temperature_scaled([own, strangers])
    assert loss(strangers_at) - loss(own_at) > 0.1


def test_certainty_and_error_end_at_the_bounds() -> None:
    position = np.zeros((10, 3), np.int64)
    responses = responses_of(position, [2] * 3)
    right = arm(np.broadcast_to([1.0, 0.0], (1, 10, 3, 2)), responses, "own")
    wrong = arm(np.broadcast_to([0.0, 1.0], (1, 10, 3, 2)), responses, "own")
    assert temperature_scaled([right])[1]["m"] == pytest.approx((0.05, 0.05), rel=0.01)
    assert temperature_scaled([wrong])[1]["m"] == pytest.approx((20, 20), rel=0.01)
    assert temperature_scaled([]) == ([], {})
