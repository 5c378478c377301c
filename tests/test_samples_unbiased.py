"""What few samples say of a difference: the NLL is made smaller, the Brier score is not."""

from __future__ import annotations

import io
from collections import Counter
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from geppetto.elicitation.hits import hit
from geppetto.elicitation.samples import SMOOTHING
from geppetto.errors import GeppettoError
from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.brier import option_scores
from geppetto.evaluation.conclusions import conclusion
from geppetto.evaluation.contrasts import INFORMATION
from geppetto.evaluation.differences import differences
from geppetto.evaluation.inference import infer
from geppetto.evaluation.predictions import Predictions, predictions
from geppetto.evaluation.resampling import Resampling
from geppetto.evaluation.verdicts import Verdict
from geppetto.reports.terminal import result
from geppetto.results import Measure, Results
from geppetto.tracking.mlflow_runs import _effect_metrics
from invented import circle, predicted, responses
from invented_replies import answers_of, results_of, unread

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


def information(found: Results, measure: Measure) -> pd.Series:
    effects = found.effects(measure=measure)
    return effects[effects["effect"] == "information"].iloc[0]


@given(st.lists(st.floats(0.02, 1), min_size=2, max_size=5), st.integers(2, 6))
def test_the_brier_score_of_samples_is_right_on_average_over_all_that_may_be_drawn(
    weights: list[float], k: int
) -> None:
    p = np.array(weights) / sum(weights)
    sequences = np.array(np.meshgrid(*[range(len(p))] * min(k, 4))).reshape(min(k, 4), -1).T
    counts = np.stack([(sequences == option).sum(1) for option in range(len(p))], axis=1)
    chance = np.prod(p[sequences], axis=1)
    truth = option_scores(np.log(p))
    assert chance @ option_scores(np.zeros(counts.shape), counts * 1.0) == pytest.approx(truth)
    plugged = option_scores(np.log(np.maximum(counts / counts.sum(1, keepdims=True), 1e-300)))
    assert (chance @ plugged > truth + 1e-4).all()


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


def test_samples_are_decided_by_brier_and_their_nll_is_descriptive() -> None:
    answers = answers_of(2, people=160, known=0.0)
    exact = results_of({"likelihood": answers}, MANY).verdicts()
    sampled = results_of({"samples": drawn(answers, 50, 0)}, MANY)
    before, _ = (one for one in exact if one.confirmatory)
    after, _ = (one for one in sampled.verdicts() if one.confirmatory)
    assert before.outcome == "equivalent to nothing"
    assert after.effect.measure == sampled.measure == "brier" and after.outcome == "undecided"
    assert "of Brier score a response" in after.sentence
    assert "equivalence withheld (the smallest effect of interest is in nats)" in after.sentence
    assert "saved/information_p_equivalent" in _effect_metrics(before)
    told = _effect_metrics(after)
    assert "brier_saved/information_p" in told and "saved/information" not in told
    assert "brier_saved/information_p_equivalent" not in told
    row = information(sampled, "nll")
    assert row[["p", "p_adjusted", "p_equivalent"]].isna().all() and not row["confirmatory"]
    assert row["verdict"] == "descriptive: the NLL of samples is smoothed"
    (smoothed, *_) = (v for v in sampled.verdicts(measure="nll") if v.effect.measure == "nll")
    assert "nan" not in smoothed.sentence and "p =" not in smoothed.sentence
    assert sampled.measures[-1] == "brier"


def test_each_model_is_decided_by_its_own_measure_in_one_family() -> None:
    answers = answers_of(5, people=60, known=0.3)
    exact = answers.assign(model="exact")
    both = {"likelihood": exact, "samples": drawn(answers.assign(model="sampled"), 8, 0)}
    found = results_of(both, MANY)
    assert found.decided_by == {"exact": "nll", "sampled": "brier"}
    asked = [v for v in found.verdicts() if v.confirmatory]
    decide = {v.effect.model: v for v in asked if v.effect.contrast == INFORMATION}
    assert {name: v.effect.measure for name, v in decide.items()} == dict(found.decided_by)
    assert all(v.family == 4 and v.found == "matters" for v in decide.values())
    for measure, model in (("nll", "exact"), ("brier", "sampled")):
        again = [v for v in found.verdicts(measure=measure) if v.confirmatory]
        assert [v.effect.model for v in again] == [model, model]
        assert again[0].p_adjusted == decide[model].p_adjusted
    said = conclusion(found.verdicts())
    assert "s (exact)" in said and "s (sampled)" in said
    same, _ = (v for v in results_of({"likelihood": exact}, MANY).verdicts() if v.confirmatory)
    assert same.effect.nats.value == pytest.approx(decide["exact"].effect.nats.value, abs=1e-12)
    labels = [axis.get_xlabel() for axis in found.plot.effects().axes]
    assert [label.split(" saved")[0] for label in labels] == ["nats", "Brier score"]
    shown = Console(width=200, record=True, file=io.StringIO())
    shown.print(result(found))
    text = shown.export_text()
    assert "Brier score saved a response" in text and "nats saved a response" in text
    assert "nats saved, samples: descriptive" in text


def too_sure(rng: np.random.Generator, right: float) -> list[Predictions]:
    """No persona, which knows nothing, and an own one that is .97 sure of what is right so often.

    Of 150 people who respond to 10 items of five options.
    """
    given = responses(rng.integers(0, 5, (150, 10)), 5)
    wrong = (given.position + 1) % 5
    mode = np.where(rng.random(wrong.shape) < right, given.position, wrong)
    own = np.where(np.arange(5) == mode[..., None], 0.97, 0.0075)
    return [predicted(given, "none", np.full(own.shape, 0.2)), predicted(given, "own", own)]


def sampled(found: Predictions, k: int, rng: np.random.Generator) -> Predictions:
    counts = rng.multinomial(k, np.exp(found.option_log_probs)).astype(float)
    logs = np.log((counts + SMOOTHING) / (k + SMOOTHING * counts.shape[-1]))
    return replace(found, option_log_probs=logs, counts=counts)


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


def test_what_samples_did_not_say_bounds_their_brier_score() -> None:
    answers = drawn(answers_of(8, people=50, known=0.35), 10, 0)
    first, second = answers.index[(answers["arm"] == "own") & (answers["item"] == "q0")][:2]
    missed = unread(answers, answers.index == first)
    missed.at[first, "counts"] = ()
    missed.loc[second, ["option_mass", "nll_high"]] = [0.5, 9.0]
    found = next(v for v in results_of({"samples": missed}, MANY).verdicts() if v.confirmatory)
    assert found.bounds is not None and not found.bounds.exact
    width = found.bounds.highest.value - found.bounds.lowest.value
    counts = np.array(answers.at[second, "counts"], float)
    place = answers.at[second, "options"].index(answers.at[second, "response"])
    best, worst = (
        option_scores(np.zeros(2), counts + 10 * (np.arange(2) == at))[place]
        for at in (place, 1 - place)
    )
    assert width == pytest.approx((2.0 + worst - best) / 6 / 50)
    assert found.effect.nats.low > 0 and found.survives_bounds


def test_of_one_sample_there_is_no_brier_score() -> None:
    found = results_of({"samples": drawn(answers_of(3), 1, 0)})
    assert "brier" not in found.measures
    assert not any(v.confirmatory for v in found.verdicts())
    assert "one sample says nothing" in conclusion(found.verdicts())
    assert found.metrics().query("model == 'm'")["brier"].isna().all()
    with pytest.raises(GeppettoError, match="`k` of at least 2"):
        found.effects(measure="brier")


def test_cells_of_fewer_than_two_samples_are_left_out_of_brier_in_every_arm() -> None:
    answers = drawn(answers_of(4), 4, 0)
    first = answers.index[(answers["arm"] == "own") & (answers["item"] == "q0")][:5]
    answers.loc[first, "counts"] = pd.Series([(1, 0)] * 5, first)
    found = results_of({"samples": answers})
    assert found.without_brier == 5
    assert all(
        np.isfinite(one.brier).any(0).sum() == found.responses.answered.sum() - 5
        for one in found.predicted("brier")
    )
    assert information(found, "nll")["participants"] == found.metrics()["participants"].iloc[0]
