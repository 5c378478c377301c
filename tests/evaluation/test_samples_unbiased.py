"""What few samples say of a difference: the NLL is made smaller, the Brier score is not."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.arrays import option_scores
from geppetto.evaluation.contrasts import INFORMATION
from geppetto.evaluation.results import Measure, Results
from geppetto.reports.summary import summary
from geppetto.reports.terminal import result
from geppetto.reports.text import conclusion
from geppetto.tracking.conditions import _effect_metrics
from invented_replies import answers_of, results_of, unread
from invented_samples import MANY, drawn


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
    assert "saved/information_p_equivalent" in _effect_metrics(before, "information")
    told = _effect_metrics(after, "information")
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
    brief = Console(width=80, record=True, file=io.StringIO())
    brief.print(summary(found))
    nats, brier = brief.export_text().split("Brier score saved")
    assert "nats saved" in nats and "exact · s" in nats and "sampled" not in nats
    assert "sampled · s" in brier and "exact · s" not in brier and "Holm over 4" in brier
    shown = Console(width=200, record=True, file=io.StringIO())
    shown.print(result(found))
    text = shown.export_text()
    assert "Brier score saved a response" in text and "nats saved a response" in text
    assert "nats saved, samples: descriptive" in text


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
