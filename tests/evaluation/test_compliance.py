"""What became of replies, as an outcome: by hand, and by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control

from geppetto.elicitation.base import Reading
from geppetto.evaluation.compliance import Compliance
from geppetto.planning.analysis_config import Analysis
from invented_replies import answers_of, results_of, unread

ANALYSIS = Analysis(draws=200)


def completions(
    rng: np.random.Generator, refused: dict[str, float], people: int = 40
) -> pd.DataFrame:
    """Six replies to each person in each arm, refused with a probability that people differ in."""
    prone = rng.normal(0, 0.05, people)
    tables = []
    for arm, probability in refused.items():
        refuses = rng.random((people, 6)) < np.clip(probability + prone[:, None], 0, 1)
        tables.append(
            pd.DataFrame(
                {
                    "participant": np.repeat([f"p{n:02}" for n in range(people)], 6),
                    "cluster": None,
                    "weight": 1.0,
                    "elicitation": "samples",
                    "model": "m",
                    "strategy": "s",
                    "arm": arm,
                    "donor": "",
                    "paraphrase": 0,
                    "history": "",
                    "presentation": "",
                    "item": np.tile([f"q{n}" for n in range(6)], people),
                    "sample": 0,
                    "part": 1.0,
                    "request": [f"{arm} {n}" for n in range(6 * people)],
                    "completion": [f"{arm} {n}" for n in range(6 * people)],
                    "error": "",
                    "outcome": np.where(refuses.ravel(), "refusal", "answered"),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def p_of(found: pd.DataFrame) -> float:
    (one,) = (
        d
        for d in Compliance.of(found, ANALYSIS).differences(ANALYSIS).itertuples()
        if is_refusal(d)
    )
    return one.p_adjusted


def is_refusal(difference: object) -> bool:
    return getattr(difference, "outcome", "") == "refusal"


def test_shares_are_means_over_people_and_every_outcome_is_counted_in_every_condition() -> None:
    answers = answers_of(1)
    own = answers["arm"] == "own"
    first = own & (answers["participant"] == "p0000")
    second = own & (answers["participant"] == "p0001") & (answers["item"] == "q0")
    found = results_of({"samples": unread(unread(answers, first), second, "truncated")})
    table = found.compliance().set_index(["arm", "outcome"])
    assert table.loc[("own", "refusal"), ["count", "replies", "participants"]].tolist() == [
        6,
        240,
        40,
    ]
    assert table.loc[("own", "refusal"), "share"] == pytest.approx(1 / 40)
    assert table.loc[("own", "truncated"), "share"] == pytest.approx(1 / 6 / 40)
    assert table.loc[("none", "refusal"), "count"] == 0
    assert table["share"].groupby("arm").sum().tolist() == pytest.approx([1, 1, 1])
    never = table.loc[("shuffled", "refusal")]
    assert never["share_low"] == 0 and never["share_high"] == pytest.approx(1 - 0.025 ** (1 / 40))
    different = found.compliance_differences().set_index(["effect", "outcome"])
    assert different.loc[("information", "refusal"), "difference"] == pytest.approx(1 / 40)
    assert set(different.index) == {
        (effect, outcome)
        for effect in ("information", "total")
        for outcome in ("refusal", "truncated")
    }, "answers are what the others leave, and of none and shuffled nothing else came"


def test_without_replies_there_is_nothing_to_tell() -> None:
    found = replace(results_of({"likelihood": answers_of(1)}), completions=pd.DataFrame())
    assert found.compliance().empty and found.compliance_differences().empty


def test_neither_the_order_of_replies_nor_peoples_names_change_what_is_found() -> None:
    found = completions(np.random.default_rng(5), {"shuffled": 0.1, "own": 0.2})
    mixed = found.sample(frac=1, random_state=1)
    kept = Compliance.of(found, ANALYSIS).to_frame()
    again = Compliance.of(mixed, ANALYSIS).to_frame()
    key = ["arm", "outcome"]
    pd.testing.assert_frame_equal(
        kept.sort_values(key, ignore_index=True), again.sort_values(key, ignore_index=True)
    )


def test_a_difference_that_is_not_there_is_found_in_one_of_twenty() -> None:
    rng = np.random.default_rng(6)
    same = {"shuffled": 0.15, "own": 0.15}
    p = [p_of(completions(rng, same)) for _ in range(40)]
    assert np.mean(np.array(p) < 0.05) <= 0.15


def test_a_planted_difference_in_refusals_is_found_and_measured() -> None:
    rng = np.random.default_rng(7)
    found, measured = [], []
    for _ in range(10):
        table = completions(rng, {"shuffled": 0.1, "own": 0.3})
        (one,) = filter(
            is_refusal, Compliance.of(table, ANALYSIS).differences(ANALYSIS).itertuples()
        )
        found.append(one.p_adjusted < 0.05 and one.difference_low > 0)
        measured.append(one.difference)
    assert all(found)
    assert np.mean(measured) == pytest.approx(0.2, abs=0.04)


def test_people_in_groups_are_drawn_with_their_groups() -> None:
    table = completions(np.random.default_rng(9), {"shuffled": 0.1, "own": 0.3})
    groups = table.assign(cluster="class " + table["participant"].str[-1])
    alone, together = (
        next(filter(is_refusal, Compliance.of(t, ANALYSIS).differences(ANALYSIS).itertuples()))
        for t in (table, groups)
    )
    assert together.difference == alone.difference
    assert Compliance.of(groups, ANALYSIS).people.grouped


def test_looks_at_the_same_people_are_paid_for() -> None:
    found = Compliance.of(
        completions(np.random.default_rng(8), {"shuffled": 0.1, "own": 0.2}), ANALYSIS
    )
    once, thrice = (
        next(filter(is_refusal, found.differences(Analysis(draws=200, looks=n)).itertuples()))
        for n in (1, 3)
    )
    assert thrice.p_adjusted == min(1, 3 * once.p_adjusted)
    assert thrice.difference_low < once.difference_low


def at_temperature_0(refused: dict[str, list[int]], people: int = 40) -> pd.DataFrame:
    """Replies to six items of arms in which everybody is put one text, some of them refused."""
    found = completions(np.random.default_rng(0), dict.fromkeys(refused, 0.0), people)
    asked = zip(found["item"], found["arm"], strict=True)
    wrong = [int(item[1:]) in refused[arm] for item, arm in asked]
    return found.assign(
        request=found["arm"] + found["item"],
        completion=found["arm"] + found["item"],
        strategy=found["strategy"].where(found["arm"] != "none", "none"),
        outcome=np.where(wrong, "refusal", "answered"),
    )


def test_people_who_share_replies_say_no_more_than_one_of_them() -> None:
    found = Compliance.of(at_temperature_0({"none": [], "human": [0, 1]}), ANALYSIS)
    table = found.to_frame().set_index(["arm", "outcome"])
    assert table.loc[("human", "refusal"), ["count", "replies"]].tolist() == [2, 6]
    assert table.loc[("human", "refusal"), "share"] == pytest.approx(1 / 3)
    assert table[["share_low", "share_high"]].isna().all(axis=None), "6 replies, not 240"
    (one,) = found.differences(ANALYSIS).itertuples()
    assert one.difference == pytest.approx(1 / 3) and one.fixed == "none, human"
    assert np.isnan([one.difference_low, one.difference_high, one.p, one.p_adjusted]).all()


def test_own_personas_are_tested_given_replies_that_people_share() -> None:
    shared = at_temperature_0({"none": [0]})
    own = completions(np.random.default_rng(3), {"own": 0.5})
    (one,) = Compliance.of(pd.concat([shared, own]), ANALYSIS).differences(ANALYSIS).itertuples()
    assert one.fixed == "none" and one.p_adjusted < 0.05
    alone = Compliance.of(own, ANALYSIS).to_frame().set_index("outcome").loc["refusal"]
    assert one.difference_low == pytest.approx(alone["share_low"] - 1 / 6)


def test_what_is_drawn_for_each_person_is_of_people_in_every_arm() -> None:
    drawn = completions(np.random.default_rng(4), {"none": 0.1, "human": 0.2})
    found = Compliance.of(drawn.assign(strategy=drawn["arm"].replace("human", "s")), ANALYSIS)
    assert not found.to_frame()["share_low"].isna().any()
    assert all(
        np.isfinite(one.p) and not one.fixed for one in found.differences(ANALYSIS).itertuples()
    )


def test_people_with_the_same_own_persona_are_people_still() -> None:
    found = Compliance.of(at_temperature_0({"own": [0], "shuffled": [1]}), ANALYSIS)
    assert not found.to_frame()["share_low"].isna().any()


def test_an_answer_counts_once_however_many_replies_it_took() -> None:
    once = completions(np.random.default_rng(2), {"own": 0.0})
    reasons = once.assign(part=0.0)
    refused = once.assign(outcome="refusal", sample=1)
    table = Compliance.of(pd.concat([reasons, refused]), ANALYSIS).to_frame().set_index("outcome")
    assert table.loc["refusal", "share"] == 1 and table.loc["answered", "share"] == 0


@pytest.mark.parametrize(
    ("reading", "parts"),
    [
        (Reading((), (), (), ("answered",)), (1,)),
        (Reading((), (), (), ("answered", "refusal"), reasons=1), (0, 1)),
        (Reading((), (), (), ("truncated",), reasons=1), (1,)),
        (Reading((), (), (), ("answered", "answered", "error", "answered")), (0, 0, 1, 0)),
        (Reading((), (), (), ("low option mass", "low option mass")), (1, 0)),
        (Reading((), (), (), ("answered", "refusal"), counts=(1, 0)), (0.5, 0.5)),
        (
            Reading((), (), (), ("answered", "error", "refusal"), counts=(0, 0), reasons=2),
            (0, 0.5, 0.5),
        ),
        (Reading((), (), (), ()), ()),
    ],
)
def test_replies_decide_their_share_of_an_answer(reading: Reading, parts: tuple[float]) -> None:
    assert reading.parts == parts


def test_p_values_are_corrected_for_every_difference_that_is_shown_together() -> None:
    rng = np.random.default_rng(11)
    tables = [
        completions(rng, {"none": 0.1, "shuffled": 0.1, "own": 0.2}).assign(model=f"m{number}")
        for number in range(3)
    ]
    found = Compliance.of(pd.concat(tables, ignore_index=True), ANALYSIS).differences(ANALYSIS)
    assert found["model"].nunique() == 3
    assert set(found["outcome"]) == {"refusal"}
    expected = false_discovery_control(found["p"].tolist())
    assert found["p_adjusted"].tolist() == pytest.approx(expected.tolist())
