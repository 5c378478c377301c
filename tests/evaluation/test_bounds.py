"""Bounds of effects given what models did not say: by hand, and by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geppetto.evaluation.bounds.bounds import Bounds, bounds
from geppetto.evaluation.bounds.conditions import Change, Limits
from geppetto.evaluation.differences import differences
from geppetto.evaluation.effects import effects
from geppetto.evaluation.inference.resampling import Estimate, Resampling
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.results import Results
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.plan import BASELINE, Condition
from geppetto.reports import figures
from invented import as_table, circle, predicted, responses
from invented_answers import World
from invented_answers import answers_of as session_answers
from invented_answers import study_of as invented_study
from invented_replies import answers_of, results_of, sharpened, unread

ANALYSIS = Analysis(draws=400)
PEOPLE = 160


def bounds_of(results: Results, effect: str) -> Bounds:
    found = next(v for v in results.verdicts() if v.effect.contrast.name == effect)
    assert found.bounds is not None
    return found.bounds


def test_where_everything_is_known_bounds_are_the_effect_and_the_verdict_says_no_more() -> None:
    results = results_of({"likelihood": answers_of(1, PEOPLE)})
    for verdict in results.verdicts():
        assert verdict.bounds is not None and verdict.bounds.exact
        assert verdict.bounds.lowest == verdict.bounds.highest == verdict.effect.nats
        assert verdict.survives_bounds
        assert verdict.sentence == replace(verdict, bounds=None).sentence
    for verdict in results.verdicts(by="item"):
        assert verdict.bounds is None
    table = results.effects()
    assert table["lowest"].equals(table["nats"]) and table["highest"].equals(table["nats"])
    assert table["bounds_low"].equals(table["nats_low"])


def first_own(answers: pd.DataFrame, person: str) -> pd.Series:
    cell = (answers["arm"] == "own") & (answers["item"] == "q0")
    return cell & (answers["participant"] == person)


def by_hand() -> pd.DataFrame:
    """Two of all people's first answers with their own persona are within bounds or unread."""
    answers = answers_of(1, PEOPLE)
    answers.loc[first_own(answers, "p0000"), ["nll_low", "nll_high"]] = [0.1, 2.0]
    return unread(answers, first_own(answers, "p0001"))


def test_bounds_are_means_over_all_planned_cells_with_what_is_unknown_at_its_ends() -> None:
    answers = by_hand()
    answers.loc[answers["status"] != "scored", ["nll_low", "nll_high"]] = [0.3, 1.5]
    answers.loc[first_own(answers, "p0002"), ["hit_low", "hit_high"]] = [0.0, 1.0]
    found = bounds_of(results_of({"likelihood": answers}), "total")
    means = answers.groupby(["arm", "participant"])[["nll_low", "nll_high"]].mean()
    none, own = means.loc["none"], means.loc["own"]
    assert found.lowest.value == pytest.approx((none["nll_low"] - own["nll_high"]).mean())
    assert found.highest.value == pytest.approx((none["nll_high"] - own["nll_low"]).mean())
    assert found.highest.value - found.lowest.value == pytest.approx((1.9 + 1.2) / 6 / PEOPLE)
    assert found.lowest.low < found.lowest.value and found.highest.high > found.highest.value
    more = found.accuracy_highest.value - found.accuracy_lowest.value
    assert more == pytest.approx(2 / 6 / PEOPLE)
    means = answers.groupby(["arm", "participant"])[["hit_low", "hit_high"]].mean()
    none, own = means.loc["none"], means.loc["own"]
    assert found.accuracy_lowest.value == pytest.approx((own["hit_low"] - none["hit_high"]).mean())


def test_an_answer_of_which_nothing_is_known_has_no_bound_on_its_side() -> None:
    results = results_of({"likelihood": by_hand()})
    total, other = bounds_of(results, "total"), bounds_of(results, "format")
    assert total.lowest == Estimate(-np.inf, -np.inf, -np.inf)
    assert np.isfinite(total.highest.high)
    assert other.lowest == other.highest and np.isfinite(other.lowest.value)
    table = results.effects().set_index("effect")
    assert table.loc["total", "lowest"] == -np.inf
    assert np.isfinite(table.loc["total", "accuracy_bounds_low"])
    full = results.effects(measure="nll_full").set_index("effect")
    assert full.loc["format", ["lowest", "highest"]].tolist() == [-np.inf, np.inf]


def test_a_verdict_that_what_is_unknown_could_undo_says_so() -> None:
    results = results_of({"likelihood": by_hand()})
    verdict = next(v for v in results.verdicts() if v.effect.contrast.name == "total")
    assert verdict.found == "saves" and not verdict.survives_bounds
    assert verdict.outcome == "saves, unless what was not said undoes it"
    assert results.effects().set_index("effect").loc["total", "verdict"] == "saves"
    assert "What was not said could undo this" in verdict.sentence
    figure = figures.effects(results.verdicts())
    shown = [text.get_text() for axis in figure.axes for text in axis.texts]
    assert "saves,\nunless what was not said undoes it" in shown
    assert "-∞ to " in verdict.sentence
    brier = next(v for v in results.verdicts(measure="brier") if v.effect.contrast.name == "total")
    assert brier.found == "saves" and not brier.survives_bounds
    assert "Nothing can be said of it in Brier score a response; with" in brier.sentence
    assert "inf" not in brier.sentence
    answers = by_hand()
    answers.loc[answers["status"] != "scored", ["nll_low", "nll_high"]] = [0.3, 1.5]
    narrow = results_of({"likelihood": answers})
    verdict = next(v for v in narrow.verdicts() if v.effect.contrast.name == "total")
    assert verdict.outcome == "saves" and verdict.survives_bounds
    assert "undo" not in verdict.sentence


@pytest.mark.parametrize(
    ("low", "high", "within", "holds"),
    [
        (0.1, 9.0, (0.0, np.inf), True),
        (-0.1, 9.0, (0.0, np.inf), False),
        (0.1, np.inf, (0.0, np.inf), True),
        (-np.inf, -0.1, (-np.inf, 0.0), True),
        (-0.004, 0.006, (-0.005, 0.005), False),
    ],
)
def test_bounds_hold_what_both_of_their_ends_do(
    low: float, high: float, within: tuple[float, float], holds: bool
) -> None:
    nothing = Estimate(0.0, 0.0, 0.0)
    of = (Estimate(low, low, low), Estimate(high, high, high), nothing, nothing)
    assert Bounds(*of, p_equivalent=1.0, exact=False).hold(*within) is holds
    assert Bounds(*of, p_equivalent=1.0, exact=True).hold(*within)


def test_a_benefit_could_be_that_over_any_prediction_that_could_have_been_chosen() -> None:
    """What was read says that uniform is the best, and what was not may make the model so."""
    rng = np.random.default_rng(4)
    spread = 0.1 * rng.normal(size=(1, PEOPLE, 3))
    nobody, guess, own = (
        replace(arm, option_log_probs=np.stack([-cost, -cost], axis=-1))
        for arm, cost in (
            (
                predicted(
                    responses(np.zeros((PEOPLE, 3), int)), name, np.full((PEOPLE, 3, 2), 0.5)
                ),
                c,
            )
            for name, c in (
                ("none", 1.2 + spread),
                ("none", 1.0 + spread),
                ("own", 0.8 + 0 * spread),
            )
        )
    )
    guess = replace(guess, condition=Condition(BASELINE, "uniform", "none"))
    people = Resampling.of(PEOPLE, draws=400)
    found = effects(differences([nobody, guess, own]), people)
    (effect,) = (one for one in found if one.contrast.name == "benefit")
    known, nothing = {}, np.full((1, PEOPLE), 0.0)
    for one in (nobody, guess, own):
        known[one.condition] = [Change(nothing, one.donors)]
    least = known | {nobody.condition: [Change(nothing - 0.5, nobody.donors)]}
    bound = bounds(effect, Limits((least, known), None, {}, people), ANALYSIS)
    assert effect.nats.low > 0.15
    assert bound.lowest.value == pytest.approx(-0.1, abs=0.03) and not bound.hold(0.0, np.inf)
    assert bound.highest.value == pytest.approx(effect.nats.value)


def biased(seed: int) -> list[Predictions]:
    """Personas that cost whoever they are shown to, each shown to one stranger."""
    rng = np.random.default_rng(1)
    kind = rng.permutation(np.arange(60) % 2) * 2 - 1
    given = responses((rng.random((60, 6)) < 1 / (1 + np.exp(-kind[:, None]))).astype(int))
    bias = np.random.default_rng(seed).normal(0, 1.5, 60)[:, None] * np.array([1, -1] * 3)
    yes = 1 / (1 + np.exp(-kind[:, None] - bias))
    personas = np.stack([1 - yes, yes], axis=2)
    return [
        predicted(given, "none", np.full((60, 6, 2), 0.5)),
        predicted(given, "shuffled", personas, circle(60, (1,), rng)),
        predicted(given, "own", personas),
    ]


@pytest.mark.parametrize("wordings", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_where_next_to_nothing_is_open_the_interval_is_that_of_the_effect(
    wordings: int, weighted: bool
) -> None:
    tables = [as_table(biased(2))]
    if wordings == 2:
        other = as_table(biased(3)).assign(paraphrase=1)
        tables.append(other[other["arm"] != "none"])
    answers = pd.concat(tables, ignore_index=True)
    weights = np.random.default_rng(4).exponential(1, 60)
    answers["weight"] = weights[answers["participant"].str[1:].astype(int)]
    answers["nll_high"] += 1e-9
    found = results_of({"next_token": answers}, Analysis(draws=300, weighted=weighted))
    for verdict in found.verdicts():
        nats, of = verdict.effect.nats, verdict.bounds
        assert of is not None and not of.exact
        ends = of.lowest.low, of.lowest.value, of.highest.value, of.highest.high
        assert ends == pytest.approx((nats.low, nats.value, nats.value, nats.high), abs=1e-7)
        if verdict.effect.differences.rivals is None:
            assert of.p_equivalent == pytest.approx(verdict.p_equivalent, abs=1e-5)
        assert of.p_equivalent >= verdict.p_equivalent - 1e-5


def test_bounds_of_sessions_weigh_each_person_with_their_own_weight() -> None:
    world, rng = World(people=60, trials=3, information=0.8, quality=0.5), np.random.default_rng(1)
    study, preference = invented_study(world, rng)
    answers = session_answers(world, study, preference, rng).assign(cost=0.0, tokens=10)
    weights = np.random.default_rng(5).exponential(1, 60)
    answers["weight"] = weights[answers["participant"].str[1:].astype(int)]
    own = answers["arm"] == "own"
    out = unread(answers, own & (answers["participant"] == "p003") & (answers["item"] == "2"))
    out.loc[out["status"] != "scored", ["nll_low", "nll_high"]] = [0.1, 2.0]
    found = Results("Is it so?", study, Analysis(draws=200, weighted=True), out, {"s": ()})
    of = next(v for v in found.verdicts(measure="nll") if v.effect.contrast.name == "total").bounds
    assert of is not None
    costs = out.groupby(["arm", "participant"])[["nll_low", "nll_high"]].mean()
    none, own_costs = costs.loc["none"], costs.loc["own"]
    weight = out.drop_duplicates("participant").set_index("participant")["weight"][none.index]
    for end, low, high in ((of.lowest, "nll_low", "nll_high"), (of.highest, "nll_high", "nll_low")):
        by_hand = np.average(none[low] - own_costs[high], weights=weight)
        assert end.value == pytest.approx(by_hand)


@pytest.mark.parametrize(
    ("open_nats", "outcome"), [(1e-6, "equivalent to nothing"), (0.02, "undecided")]
)
def test_nothing_is_equivalent_to_nothing_unless_it_is_so_whatever_was_not_said(
    open_nats: float, outcome: str
) -> None:
    answers = sharpened(answers_of(1, PEOPLE), 0.0)
    answers["nll_high"] += open_nats
    found = results_of({"next_token": answers})
    verdict = next(v for v in found.verdicts() if v.confirmatory)
    assert verdict.p_equivalent_adjusted < 0.05
    assert verdict.outcome == outcome and verdict.survives_bounds
    withheld = "equivalence withheld (with what was not said it may be 0.005 nats or more)"
    assert (withheld in verdict.sentence) is (outcome == "undecided")
    assert ("-0.0200 to +0.0200 nats" in verdict.sentence) is (outcome == "undecided")
