"""Metrics, baselines, effects and their intervals, against definitions and by simulation."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from geppetto.answers.table import COLUMNS, answers_table
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.errors import GeppettoError
from geppetto.evaluation.answer import conclusion, sentence, sentences
from geppetto.evaluation.baselines import leave_one_out_marginals
from geppetto.evaluation.effects import CONTRASTS, Effect, condition_metrics, effects
from geppetto.evaluation.inference import (
    Estimate,
    mean,
    participant_bootstrap,
    saved_share,
    share_positive,
    standardised_mean,
)
from geppetto.evaluation.metrics import hit_rate, matched, participant_metrics
from geppetto.plan import Plan, PlannedAnswer
from geppetto.studies import Study

OPTIONS = ("1", "2", "3")


def table(
    people: int,
    items: int,
    arms: dict[str, Callable[[int, int], NDArray[np.float64]]],
    responses: NDArray[np.int64] | None = None,
    mass: float = 0.8,
) -> pd.DataFrame:
    """Answers of invented people: an arm gives each person and item probabilities of 3 options."""
    rows = []
    for arm, probabilities in arms.items():
        for person in range(people):
            for item in range(items):
                p = np.asarray(probabilities(person, item), float)
                response = 0 if responses is None else int(responses[person, item])
                rows.append(
                    dict.fromkeys(COLUMNS)
                    | {
                        "participant": f"p{person:03}",
                        "item": f"q{item}",
                        "model": "m",
                        "strategy": "none" if arm == "none" else "s",
                        "arm": arm,
                        "donor": "",
                        "options": OPTIONS,
                        "response": OPTIONS[response],
                        "log_prob": float(np.log(mass * p[response])),
                        "log_prob_of_options": float(np.log(p[response])),
                        "option_log_probs": tuple(np.log(mass * p).tolist()),
                        "option_mass": mass,
                        "status": "scored",
                        "reason": "",
                    }
                )
    return pd.DataFrame(rows)


UNIFORM = np.full(3, 1 / 3)


def test_the_table_is_computed_from_the_definition(small_study: Study) -> None:
    planned = PlannedAnswer("a", "q2", "2", "m", "s", "own", "", "r")
    plan = Plan((planned,), {}, {})
    sums = np.log([0.1, 0.2, 0.4])
    scores = {"r": OptionScores(tuple(sums.tolist()), (1, 2, 4), 50)}
    row = answers_table(plan, scores, small_study, "e").iloc[0]
    assert row["log_prob"] == pytest.approx(np.log(0.2))
    assert row["log_prob_of_options"] == pytest.approx(np.log(0.2 / 0.7))
    assert row["option_mass"] == pytest.approx(0.7)
    assert (row["trial"], row["tokens"], row["status"]) == (1, 50, "scored")
    row = answers_table(plan, scores, small_study, "e", "mean").iloc[0]
    means = sums / [1, 2, 4]
    assert row["option_log_probs"] == pytest.approx(tuple(means))
    assert row["log_prob"] == pytest.approx(np.log(0.2))
    assert row["log_prob_of_options"] == pytest.approx(means[1] - np.log(np.exp(means).sum()))
    assert row["option_mass"] == pytest.approx(0.7)


def test_an_option_without_finite_probability_is_an_outcome(small_study: Study) -> None:
    planned = PlannedAnswer("a", "q2", "2", "m", "s", "own", "", "r")
    scores = {"r": OptionScores((-1.0, float("-inf"), -2.0), (1, 1, 1), 50)}
    row = answers_table(Plan((planned,), {}, {}), scores, small_study, "e").iloc[0]
    assert row["status"] == "unscorable"
    assert row["reason"] == "an option's log-probability is not finite"


def test_ties_share_a_hit() -> None:
    assert hit_rate([-1, -2, -3], 0) == 1
    assert hit_rate([-1, -2, -3], 1) == 0
    assert hit_rate([-1, -1, -3], 1) == 0.5
    assert hit_rate(np.log(UNIFORM), 2) == pytest.approx(1 / 3)


def test_participant_metrics_are_means_over_cells_and_donors_first() -> None:
    answers = table(1, 2, {"own": lambda _, i: np.array([0.5, 0.3, 0.2]) if i else UNIFORM})
    extra = answers.iloc[[1]].assign(donor="x", log_prob_of_options=np.log(0.25))
    (row,) = participant_metrics(pd.concat([answers, extra])).to_dict("records")
    first, second = -np.log(1 / 3), (-np.log(0.5) - np.log(0.25)) / 2
    assert row["nll"] == pytest.approx((first + second) / 2)
    assert row["trials"] == 2
    assert row["accuracy"] == pytest.approx((1 / 3 + 1) / 2)
    assert row["nll_uniform"] == pytest.approx(np.log(3))
    assert row["pseudo_r2"] == pytest.approx(1 - row["nll"] / np.log(3))


def test_a_condition_without_a_cell_stops_the_comparison() -> None:
    answers = table(3, 2, {"none": lambda *_: UNIFORM, "own": lambda *_: UNIFORM})
    with pytest.raises(GeppettoError, match="m · s · own and m · none differ in 1 cells"):
        matched(answers.drop(index=7))


def test_an_unscored_cell_is_left_out_of_every_condition_and_counted() -> None:
    answers = table(3, 2, {"none": lambda *_: UNIFORM, "own": lambda *_: UNIFORM})
    answers.loc[7, ["status", "reason"]] = ["unscorable", "why"]
    kept, reasons = matched(answers)
    assert reasons == {"why": 1}
    assert len(kept) == 10
    assert kept.groupby("arm").size().to_dict() == {"none": 5, "own": 5}


def test_marginals_of_one_item_leave_the_participant_out() -> None:
    probabilities = leave_one_out_marginals(np.array([0, 0, 1, 2, 2, 2]), 3)
    assert probabilities[0] == pytest.approx(np.array([1.5, 1.5, 3.5]) / 6.5)
    assert probabilities[3] == pytest.approx(np.array([2.5, 1.5, 2.5]) / 6.5)


@given(st.lists(st.integers(0, 4), min_size=1, max_size=40))
def test_marginals_do_not_depend_on_the_participants_own_response(responses: list[int]) -> None:
    values = np.array(responses)
    changed = values.copy()
    changed[0] = (changed[0] + 1) % 5
    before, after = (leave_one_out_marginals(v, 5)[0] for v in (values, changed))
    assert before == pytest.approx(after)
    assert before.sum() == pytest.approx(1) and before.min() > 0


def test_effects_are_the_named_differences() -> None:
    level = {"none": 0.2, "filler": 0.25, "shuffled": 0.4, "own": 0.5}

    def steady(p: float) -> Callable[[int, int], NDArray[np.float64]]:
        return lambda person, _: np.array([p + person / 100, 0.9 - p - person / 100, 0.1])

    arms = {arm: steady(p) for arm, p in level.items()}
    people = participant_metrics(table(6, 3, arms))
    found = {(e.contrast.name, e.measure): e for e in effects(people)}
    persons = np.arange(6) / 100
    nll = {arm: -np.log(p + persons) for arm, p in level.items()}
    for contrast in CONTRASTS:
        expected = nll[contrast.worse] - nll[contrast.better]
        for measure in ("nll", "nll_full"):
            effect = found[contrast.name, measure]
            assert effect.nats.value == pytest.approx(expected.mean())
            assert effect.d_z.value == pytest.approx(expected.mean() / expected.std(ddof=1))
            assert effect.improved.value == 1
    total, information = found["total", "nll"], found["information", "nll"]
    assert total.nats.value == pytest.approx(
        found["format", "nll"].nats.value + information.nats.value
    )
    assert sentences(list(found.values())) == [sentence(information)]


def test_contrasts_whose_arms_were_not_run_do_not_exist() -> None:
    people = participant_metrics(
        table(4, 2, {"none": lambda *_: UNIFORM, "own": lambda *_: UNIFORM})
    )
    assert {effect.contrast.name for effect in effects(people)} == {"total"}


def test_results_do_not_depend_on_the_order_of_rows() -> None:
    rng = np.random.default_rng(1)
    p = rng.dirichlet([1, 1, 1], size=(2, 30, 5))
    arms = {"shuffled": lambda i, j: p[0, i, j], "own": lambda i, j: p[1, i, j]}
    answers = table(30, 5, arms, rng.integers(0, 3, (30, 5)))
    people = participant_metrics(answers)
    other = participant_metrics(answers.sample(frac=1, random_state=2))
    one, two = ({(e.contrast.name, e.measure): e for e in effects(x)} for x in (people, other))
    assert one.keys() == two.keys()
    for key, effect in one.items():
        assert effect.nats.value == pytest.approx(two[key].nats.value)
        assert effect.nats.low == pytest.approx(two[key].nats.low, abs=0.02)


def test_intervals_cover_the_truth_when_responses_of_a_person_are_alike() -> None:
    """Person ICC 0.5, 60 people x 10 items: resampling responses would cover about 60%."""
    rng = np.random.default_rng(3)
    covered = []
    for _ in range(400):
        person = rng.normal(0, 1, (60, 1))
        differences = (0.1 + person + rng.normal(0, 1, (60, 10))).mean(axis=1)
        interval = participant_bootstrap(mean, differences, resamples=499)
        covered.append(interval.low <= 0.1 <= interval.high)
    assert 0.91 <= np.mean(covered) <= 0.975


def test_a_planted_information_effect_is_recovered_and_a_pure_format_effect_is_not_one() -> None:
    """Own personas that know the response a little, against personas that only sharpen."""
    rng = np.random.default_rng(4)
    responses = rng.integers(0, 3, (150, 20))
    sharper = np.array([0.4, 0.35, 0.25])

    def knowing(person: int, item: int) -> NDArray[np.float64]:
        p = np.full(3, (1 - 0.36) / 2)
        p[responses[person, item]] = 0.36
        return p

    base = {"none": lambda *_: UNIFORM, "shuffled": lambda *_: UNIFORM}
    found = effects(participant_metrics(table(150, 20, {**base, "own": knowing}, responses)))
    (planted,) = [e for e in found if e.contrast.name == "information" and e.measure == "nll"]
    assert planted.nats.value == pytest.approx(np.log(0.36 * 3), abs=1e-9)
    assert planted.nats.low > 0

    changed = {
        "none": lambda *_: UNIFORM,
        "shuffled": lambda *_: sharper,
        "own": lambda *_: sharper,
    }
    found = effects(participant_metrics(table(150, 20, changed, responses)))
    by_name = {e.contrast.name: e for e in found if e.measure == "nll"}
    assert by_name["information"].nats == Estimate(0, 0, 0)
    assert by_name["information"].d_z == Estimate(0, 0, 0)
    assert by_name["format"].nats.value == pytest.approx(by_name["total"].nats.value) != 0


def test_condition_metrics_have_interval_ends_around_each_value() -> None:
    rng = np.random.default_rng(5)
    p = rng.dirichlet([2, 1, 1], size=(80, 5))
    people = participant_metrics(table(80, 5, {"own": lambda i, j: p[i, j]}))
    (row,) = condition_metrics(people).to_dict("records")
    for measure in ("accuracy", "nll", "nll_full", "pseudo_r2"):
        assert row[f"{measure}_low"] < row[measure] < row[f"{measure}_high"]
    assert row["pseudo_r2"] == pytest.approx(1 - people["nll"].mean() / np.log(3))
    assert row["nll_full"] == pytest.approx(row["nll"] - np.log(0.8))
    width = row["nll_high"] - row["nll_low"]
    assert width == pytest.approx(2 * 1.96 * people["nll"].std() / np.sqrt(80), rel=0.1)


def test_statistics_along_an_axis() -> None:
    values = np.array([[1.0, 2.0, 4.0], [-1.0, -1.0, -1.0], [0.0, 0.0, 0.0]])
    assert standardised_mean(values).tolist() == [
        pytest.approx(7 / 3 / np.std([1, 2, 4], ddof=1)),
        pytest.approx(np.nan, nan_ok=True),
        0,
    ]
    assert share_positive(values).tolist() == [1, 0, 0.5]
    assert saved_share(np.array([1.0, 1.0]), np.array([2.0, 2.0])) == 0.5


def test_one_person_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least two"):
        participant_bootstrap(mean, [1.0])


@pytest.mark.parametrize(
    ("low", "high", "words"),
    [
        (0.01, 0.03, "predicts this person better than a stranger's persona does"),
        (-0.03, -0.01, "predicts this person worse than a stranger's persona does"),
        (-0.01, 0.03, "cannot be told from a stranger's persona"),
    ],
)
def test_the_sentence_follows_the_interval(low: float, high: float, words: str) -> None:
    estimate = Estimate((low + high) / 2, low, high)
    effect = Effect("m", "s", CONTRASTS[-1], "nll", 20, estimate, estimate, Estimate(0.5, 0, 1))
    assert words in sentence(effect)
    assert f"[{low:+.3f}, {high:+.3f}] nats a response" in sentence(effect)
    assert sentence(effect).endswith("50% of 20 people improved.")


def test_the_conclusion_names_every_strategy_once() -> None:
    def effect(strategy: str, low: float, high: float) -> Effect:
        nats = Estimate((low + high) / 2, low, high)
        return Effect("m", strategy, CONTRASTS[-1], "nll", 20, nats, nats, nats)

    found = [effect("a", 0.1, 0.2), effect("b", -0.1, 0.2), effect("c", -0.2, -0.1)]
    assert conclusion(found) == (
        "People's own personas predicted them better than strangers' did with a (m); worse with "
        "c (m); no difference was found, or excluded, with b (m)."
    )
    assert conclusion(found[1:2]) == "No difference was found, or excluded, with b (m)."
    assert "needs the arms shuffled and own" in conclusion([])


def test_few_people_get_no_verdict() -> None:
    nats = Estimate(0.2, 0.1, 0.3)
    few = Effect("m", "s", CONTRASTS[-1], "nll", 19, nats, nats, nats)
    assert "is not judged, since an interval needs at least 20 people" in sentence(few)
    assert conclusion([few]) == "19 people are too few for a verdict: 20 are needed."
