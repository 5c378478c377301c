"""Tables, metrics and effects against definitions, and verdicts in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto.answers.table import COLUMNS, answers_table
from geppetto.elicitation.hits import hit
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.evaluation.bounds.bounds import Bounds
from geppetto.evaluation.contrasts import CONTRASTS, contrasts
from geppetto.evaluation.differences import Differences, differences
from geppetto.evaluation.effects import Effect, effects
from geppetto.evaluation.inference.comparisons import Comparison
from geppetto.evaluation.inference.infer import judge
from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimate, mean
from geppetto.evaluation.inference.sample_size import Basis
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.metrics import condition_metrics, item_metrics, matched
from geppetto.evaluation.metrics import participant_metrics as metrics_of
from geppetto.evaluation.predictions import predictions
from geppetto.evaluation.words import p_value
from geppetto.planning.plan import Condition, Plan, PlannedAnswer
from geppetto.reports.text import conclusion
from geppetto.studies import Study
from invented import responses as invented_responses

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
                        "pool": 0,
                        "block": 0,
                        "paraphrase": 0,
                        "history": "",
                        "presentation": "",
                        "elicitation": "likelihood",
                        "weight": 1.0,
                        "trial": item,
                        "ordinal": True,
                        "options": OPTIONS,
                        "response": OPTIONS[response],
                        "log_prob": float(np.log(mass * p[response])),
                        "log_prob_of_options": float(np.log(p[response])),
                        "nll_low": -float(np.log(p[response])),
                        "nll_high": -float(np.log(p[response])),
                        "hit_low": hit(p.tolist(), response),
                        "hit_high": hit(p.tolist(), response),
                        "option_log_probs": tuple(np.log(mass * p).tolist()),
                        "counts": (),
                        "floored": False,
                        "option_mass": mass,
                        "status": "scored",
                        "reason": "",
                    }
                )
    return pd.DataFrame(rows)


UNIFORM = np.full(3, 1 / 3)


def participant_metrics(answers: pd.DataFrame) -> pd.DataFrame:
    return metrics_of(predictions(answers))


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


def test_participant_metrics_are_means_over_cells_and_donors_first() -> None:
    answers = table(1, 2, {"shuffled": lambda _, i: np.array([0.5, 0.3, 0.2]) if i else UNIFORM})
    other = tuple(np.log([0.25, 0.5, 0.25]))
    extra = answers.iloc[[1]].assign(donor="x", option_log_probs=[other])
    (row,) = participant_metrics(pd.concat([answers, extra])).to_dict("records")
    first, second = -np.log(1 / 3), (-np.log(0.5) - np.log(0.25)) / 2
    assert row["nll"] == pytest.approx((first + second) / 2)
    assert row["trials"] == 2
    assert row["accuracy"] == pytest.approx((1 / 3 + 1 / 2) / 2)
    assert row["nll_uniform"] == pytest.approx(np.log(3))
    assert row["pseudo_r2"] == pytest.approx(1 - row["nll"] / np.log(3))


def test_a_condition_without_a_cell_stops_the_compared() -> None:
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


def test_effects_are_the_named_differences() -> None:
    level = {"none": 0.2, "filler": 0.25, "matched": 0.45, "shuffled": 0.4, "own": 0.5}
    level |= {"without age": 0.48, "human": 0.21, "average": 0.3}

    def steady(p: float) -> Callable[[int, int], NDArray[np.float64]]:
        return lambda person, _: np.array([p + person / 100, 0.9 - p - person / 100, 0.1])

    found = predictions(table(6, 3, {arm: steady(p) for arm, p in level.items()}))
    persons = np.arange(6) / 100
    nll = {arm: -np.log(p + persons) for arm, p in level.items()}
    for measure in ("nll", "nll_full"):
        by_name = {d.contrast.name: d for d in differences(found, measure)}
        assert list(by_name) == [*(c.name for c in CONTRASTS), "without age"]
        assert by_name["benefit"].uninformed.conditions == (Condition("m", "none", "none"),)
        nll["uninformed"] = nll["none"]  # nothing else that knows nothing was asked
        for difference in by_name.values():
            expected = nll[difference.contrast.worse] - nll[difference.contrast.better]
            assert sorted(difference.persons) == pytest.approx(sorted(expected))
            assert difference.totals == pytest.approx(3 * difference.influence)
        parts = ("format", "group", "individual")
        assert sum(by_name[part].persons for part in parts) == pytest.approx(
            by_name["total"].persons
        )
        assert by_name["without age"].persons.mean() == pytest.approx(
            np.mean(nll["without age"] - nll["own"])
        )
    (one,) = effects([by_name["total"]], Resampling.of(6))
    expected = nll["none"] - nll["own"]
    assert one.nats.value == pytest.approx(expected.mean())
    assert one.nats_per_person.value == pytest.approx(3 * expected.mean())
    assert one.d_z.value == pytest.approx(expected.mean() / expected.std(ddof=1))
    assert one.worst_tenth.value == pytest.approx(expected.min())
    assert one.improved.value == 1


def test_effects_among_some_items_and_people() -> None:
    rng = np.random.default_rng(0)
    p = rng.dirichlet([2, 1, 1], size=(2, 30, 4))
    arms = {"none": lambda i, j: p[0, i, j], "own": lambda i, j: p[1, i, j]}
    found = predictions(table(30, 4, arms))
    nll = -np.log(p[..., 0])
    of_item = differences(found, among="item q2", items=[2])[0]
    assert sorted(of_item.persons) == pytest.approx(sorted(nll[0, :, 2] - nll[1, :, 2]))
    rows = np.array([3, 5, 8])
    of_some = differences(found, among="some", rows=rows)[0]
    names = [found[0].responses.participants[row] for row in rows]
    expected = [(nll[0] - nll[1])[int(name[1:])].mean() for name in names]
    assert of_some.persons == pytest.approx(expected)
    assert effects([of_some], Resampling.of(30))[0].participants == 3


def test_condition_metrics_have_interval_ends_around_each_value() -> None:
    rng = np.random.default_rng(5)
    p = rng.dirichlet([2, 1, 1], size=(80, 5))
    people = participant_metrics(table(80, 5, {"own": lambda i, j: p[i, j]}))
    (row,) = condition_metrics(people, Resampling.of(80)).to_dict("records")
    for measure in ("accuracy", "nll", "nll_full", "pseudo_r2", "rps", "score_error"):
        assert row[f"{measure}_low"] < row[measure] < row[f"{measure}_high"]
    assert row["pseudo_r2"] == pytest.approx(1 - people["nll"].mean() / np.log(3))
    assert row["nll_full"] == pytest.approx(row["nll"] - np.log(0.8))
    assert row["score_error"] == pytest.approx((p @ [0, 0.5, 1]).mean())
    width = row["nll_high"] - row["nll_low"]
    assert width == pytest.approx(2 * 1.96 * people["nll"].std() / np.sqrt(80), rel=0.1)


def test_metrics_of_items_are_means_over_people() -> None:
    rng = np.random.default_rng(6)
    p = rng.dirichlet([2, 1, 1], size=(40, 3))
    items = item_metrics(predictions(table(40, 3, {"own": lambda i, j: p[i, j]})))
    assert items["item"].tolist() == ["q0", "q1", "q2"]
    assert items["nll"].to_numpy() == pytest.approx(-np.log(p[..., 0]).mean(0))
    assert items["participants"].tolist() == [40] * 3


def test_one_person_has_no_interval() -> None:
    with pytest.raises(ValueError, match="at least two"):
        estimate(mean, np.ones(1), people=Resampling.of(1))
    with pytest.raises(ValueError, match="at least two"):
        Resampling.of(4, clusters=[1, 1, 1, 1])


def test_survey_weights_say_how_many_people_each_stands_for() -> None:
    values = np.array([1.0, 2.0, 5.0, 7.0])
    weights = np.array([3.0, 1.0, 1.0, 2.0])
    found = estimate(mean, values, people=Resampling.of(4, base=weights))
    assert found.value == pytest.approx(np.average(values, weights=weights))


def verdict(
    low: float, high: float, p: float = 0.5, equivalent: float = 0.5, **change: Any
) -> Verdict:
    """The verdict on an invented effect, on information unless another contrast is given."""
    nats = Estimate((low + high) / 2, low, high)
    people = change.pop("people", 200)
    possible = change.pop("possible", None)
    nothing = np.zeros(people)
    compared = Differences(
        "m",
        change.pop("strategy", "s"),
        change.pop("contrast", next(c for c in CONTRASTS if c.name == "information")),
        "nll",
        "",
        np.arange(people),
        nothing,
        nothing,
        nothing,
        possible=None if possible is None else np.tile(possible, (people, 1)),
    )
    found = Effect(compared, nats, nats, nats, Estimate(0.5, 0, 1), nats)
    (judged,) = judge([comparison(found, p, equivalent, **change)], 0.005)
    return judged


def comparison(found: Effect, p: float, equivalent: float, **change: Any) -> Comparison:
    people = found.participants
    of = Basis(people, "people", people, people, 0.0, 1 / people, 0.0, 0.0)
    basis = replace(of, **change)
    return Comparison(found, p, equivalent, "signs flipped", 1234, 321, basis)


@pytest.mark.parametrize(
    ("given", "outcome", "words"),
    [
        ({"low": 0.01, "high": 0.03, "p": 0.01}, "matters", "it matters whose persona"),
        (
            {"low": -0.03, "high": -0.01, "p": 0.01},
            "misleads",
            "less likely with their own persona than",
        ),
        ({"low": 0.001, "high": 0.003, "p": 0.01, "equivalent": 0.01}, "equivalent to nothing", ""),
        ({"low": -0.001, "high": 0.003, "equivalent": 0.01}, "equivalent to nothing", "0.005 nats"),
        ({"low": -0.01, "high": 0.03}, "undecided", "about 1,234 people would tell 0.005 nats"),
        ({"low": -0.01, "high": 0.03}, "undecided", "and 321 find an effect as large as this"),
        ({"low": 0.01, "high": 0.03, "p": 0.2}, "undecided", "the interval on its own excludes"),
        ({"low": -0.01, "high": 0.03, "p": 0.01}, "undecided", "but the interval includes zero"),
        (
            {"low": 0.01, "high": 0.03, "p": 0.01, "people": 19},
            "undecided",
            "than with a stranger's: 19 people are too few, 60 are needed",
        ),
        ({"low": 0.01, "high": 0.03, "p": 0.01, "skewness": 4.5}, "undecided", "203 are needed"),
        ({"low": 0.01, "high": 0.03, "p": 0.01, "skewness": 4.4}, "matters", "own"),
        (
            {"low": -0.001, "high": 0.003, "equivalent": 0.01, "skewness": -3.0},
            "undecided",
            "people differ so unevenly (skewness -3.0) that 200 are too few, 225 are needed",
        ),
        (
            {"low": -0.001, "high": 0.003, "equivalent": 0.01, "people": 149},
            "undecided",
            "equivalence withheld (149 people are too few, 150 are needed)",
        ),
        (
            {"low": 0.01, "high": 0.03, "p": 0.01, "of_difference": 0.38},
            "matters",
            "Without one person, with 38% of all that people add to it, it is undecided.",
        ),
        (
            {"low": -0.03, "high": -0.01, "p": 0.01, "people": 102},
            "undecided",
            "102 people are too few: a kind that one in 34 is may be missing among them and would "
            "undo it by gaining 0.33 a response, and nothing bounds what they could have gained; "
            "take 150 people.",
        ),
        (
            {"low": -0.03, "high": -0.01, "p": 0.01, "people": 102, "possible": (-9.0, 0.34)},
            "undecided",
            "by gaining 0.33 a response, and some could have gained 0.34",
        ),
        (
            {"low": -0.03, "high": -0.01, "p": 0.01, "people": 102, "possible": (-9.0, 0.32)},
            "misleads",
            "own",
        ),
        (
            {"low": 0.01, "high": 0.03, "p": 0.01, "people": 102, "possible": (-0.32, 9.0)},
            "matters",
            "own",
        ),
    ],
)
def test_the_verdict_follows_the_tests(given: Any, outcome: str, words: str) -> None:
    found = verdict(**given)
    assert found.outcome == outcome
    assert found.sentence.startswith(outcome)
    assert words in found.sentence


@pytest.mark.parametrize(
    ("p", "said"),
    [(0.25, "p = .250"), (0.0004, "p = .0004"), (0.00004, "p < .0001"), (0.0, "p < .0001")],
)
def test_no_p_is_printed_as_nothing(p: float, said: str) -> None:
    assert p_value(p) == said


def test_confirmatory_verdicts_are_corrected_together() -> None:
    given = {"a": 0.01, "b": 0.03, "c": 0.02}
    parts = [verdict(0.01, 0.03, p, 1 - p, strategy=name) for name, p in given.items()]
    judged = judge([comparison(v.effect, v.p, v.p_equivalent) for v in parts], 0.005)
    assert [v.p_adjusted for v in judged] == pytest.approx([0.03, 0.04, 0.04])
    assert [v.family for v in judged] == [3, 3, 3]
    assert "after Holm over 3" in judged[0].sentence


def test_equivalence_within_bounds_is_corrected_for_the_family_too() -> None:
    nothing = Estimate(0.0, -0.003, 0.003)
    wide = Bounds(nothing, nothing, nothing, nothing, p_equivalent=0.049, exact=False)
    narrow = replace(wide, p_equivalent=0.012)
    parts = [verdict(-0.01, 0.03, 0.5, 0.012, strategy=name) for name in "abcd"]
    compared = [comparison(v.effect, v.p, v.p_equivalent) for v in parts]
    for bounds, outcome in ((narrow, "equivalent to nothing"), (wide, "undecided")):
        judged = judge([replace(one, bounds=bounds) for one in compared], 0.005)
        assert [v.p_equivalent_adjusted for v in judged] == pytest.approx([0.048] * 4)
        assert [v.p_equivalent_bounded for v in judged] == pytest.approx(
            [4 * bounds.p_equivalent] * 4
        )
        assert {v.found for v in judged} == {outcome}
        assert np.isnan(judged[0].equivalence_p) == (outcome == "undecided")
        assert judged[0].withheld.startswith("with what was not said") == (outcome == "undecided")


def test_the_conclusion_names_every_strategy_once() -> None:
    found = [
        verdict(0.1, 0.2, 0.001, strategy="a"),
        verdict(-0.1, 0.2, strategy="b"),
        verdict(-0.2, -0.1, 0.001, strategy="c"),
        verdict(-0.001, 0.001, 0.9, 0.001, strategy="d"),
    ]
    assert conclusion(found) == (
        "With a (m): it matters whose persona it is. With b (m): it is open whether it matters "
        "whose persona it is. With c (m): a stranger's persona predicts people better than their "
        "own. With d (m): whose persona it is matters by less than 0.005 nats."
    )
    assert "needs the arms shuffled and own" in conclusion([])
    assert conclusion([verdict(0.1, 0.2, people=5)]) == (
        "Undecided: 5 people are too few, 60 are needed."
    )
    some = [verdict(0.1, 0.2, people=5, strategy="a"), verdict(0.1, 0.2, 0.001, strategy="b")]
    assert conclusion(some) == (
        "With a (m): it is open whether it matters whose persona it is. With b (m): it matters "
        "whose persona it is."
    )


def test_a_persona_without_a_trait_is_the_same_persona() -> None:
    (contrast,) = [c for c in contrasts(["own", "without age"]) if c.worse == "without age"]
    found = verdict(0.01, 0.03, 0.01, contrast=contrast)
    assert (
        "likelier with their own persona than with the same persona without age." in found.sentence
    )


def test_more_cells_than_one_from_a_donor_are_refused() -> None:
    answers = table(2, 2, {"own": lambda *_: UNIFORM})
    with pytest.raises(ValueError, match="s · own has a cell twice"):
        predictions(pd.concat([answers, answers.iloc[:1]]))


def test_scores_are_shares_of_the_range() -> None:
    given = invented_responses(np.array([[0, 2], [1, -1]]), options=3)
    assert given.scores[0].tolist() == [0, 1]
    assert given.scores[1, 0] == 0.5 and np.isnan(given.scores[1, 1])
