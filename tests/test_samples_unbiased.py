"""What few samples say of a difference: the NLL is made smaller, the Brier score is not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geppetto.elicitation.hits import hit
from geppetto.elicitation.samples import SMOOTHING
from geppetto.errors import GeppettoError
from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.brier import option_scores
from geppetto.evaluation.effects import differences
from geppetto.evaluation.predictions import predictions
from geppetto.results import Measure, Results
from geppetto.tracking.mlflow_runs import _effect_metrics
from invented_replies import answers_of, results_of

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


def test_samples_are_never_called_equivalent_to_nothing_and_the_reason_is_told() -> None:
    answers = answers_of(2, people=160, known=0.0)
    exact = results_of({"likelihood": answers}, MANY).verdicts()
    sampled = results_of({"samples": drawn(answers, 50, 0)}, MANY)
    (before,) = (one for one in exact if one.confirmatory)
    (after,) = (one for one in sampled.verdicts() if one.confirmatory)
    assert before.outcome == "equivalent to nothing"
    assert after.p_equivalent_adjusted < 0.05 and after.outcome == "undecided"
    assert "equivalence withheld (the NLL of samples is smoothed" in after.sentence
    assert "saved/information_p_equivalent" in _effect_metrics(before)
    assert "saved/information_p_equivalent" not in _effect_metrics(after)
    row = information(sampled, "nll")
    assert np.isnan(row["p_equivalent"]) and "smoothed" in row["withheld"]
    assert information(sampled, "brier")["withheld"].endswith("in nats")
    assert sampled.measures[-1] == "brier"


def test_of_one_sample_there_is_no_brier_score() -> None:
    found = results_of({"samples": drawn(answers_of(3), 1, 0)})
    assert "brier" not in found.measures
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
