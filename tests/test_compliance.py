"""What became of replies, as an outcome: by hand, and by simulation."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy.stats import false_discovery_control

from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.compliance import Compliance
from invented_replies import answers_of, results_of, unread

ANALYSIS = Analysis(draws=200)


def replies(rng: np.random.Generator, refused: dict[str, float], people: int = 40) -> pd.DataFrame:
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
                    "request": [f"{arm} {n}" for n in range(6 * people)],
                    "error": "",
                    "outcome": np.where(refuses.ravel(), "refusal", "answered"),
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def p_of(found: pd.DataFrame) -> float:
    (one,) = (d for d in Compliance.of(found, ANALYSIS).differences(ANALYSIS) if is_refusal(d))
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
    assert different.loc[("format", "refusal"), "p"] == 1


def test_without_replies_there_is_nothing_to_tell() -> None:
    found = replace(results_of({"likelihood": answers_of(1)}), replies=pd.DataFrame())
    assert found.compliance().empty and found.compliance_differences().empty


def test_neither_the_order_of_replies_nor_peoples_names_change_what_is_found() -> None:
    found = replies(np.random.default_rng(5), {"shuffled": 0.1, "own": 0.2})
    mixed = found.sample(frac=1, random_state=1)
    kept = Compliance.of(found, ANALYSIS).table()
    again = Compliance.of(mixed, ANALYSIS).table()
    key = ["arm", "outcome"]
    pd.testing.assert_frame_equal(
        kept.sort_values(key, ignore_index=True), again.sort_values(key, ignore_index=True)
    )


def test_a_difference_that_is_not_there_is_found_in_one_of_twenty() -> None:
    rng = np.random.default_rng(6)
    same = {"shuffled": 0.15, "own": 0.15}
    p = [p_of(replies(rng, same)) for _ in range(40)]
    assert np.mean(np.array(p) < 0.05) <= 0.15


def test_a_planted_difference_in_refusals_is_found_and_measured() -> None:
    rng = np.random.default_rng(7)
    found, measured = [], []
    for _ in range(10):
        table = replies(rng, {"shuffled": 0.1, "own": 0.3})
        (one,) = filter(is_refusal, Compliance.of(table, ANALYSIS).differences(ANALYSIS))
        found.append(one.p_adjusted < 0.05 and one.difference.low > 0)
        measured.append(one.difference.value)
    assert all(found)
    assert np.mean(measured) == pytest.approx(0.2, abs=0.04)


def test_people_in_groups_are_drawn_with_their_groups() -> None:
    table = replies(np.random.default_rng(9), {"shuffled": 0.1, "own": 0.3})
    groups = table.assign(cluster="class " + table["participant"].str[-1])
    alone, together = (
        next(filter(is_refusal, Compliance.of(t, ANALYSIS).differences(ANALYSIS)))
        for t in (table, groups)
    )
    assert together.difference.value == alone.difference.value
    assert Compliance.of(groups, ANALYSIS).people.grouped


def test_looks_at_the_same_people_are_paid_for() -> None:
    found = Compliance.of(
        replies(np.random.default_rng(8), {"shuffled": 0.1, "own": 0.2}), ANALYSIS
    )
    once, thrice = (
        next(filter(is_refusal, found.differences(Analysis(draws=200, looks=n)))) for n in (1, 3)
    )
    assert thrice.p_adjusted == min(1, 3 * once.p_adjusted)
    assert thrice.difference.low < once.difference.low


def test_p_values_are_corrected_for_every_difference_that_is_shown_together() -> None:
    rng = np.random.default_rng(11)
    tables = [
        replies(rng, {"none": 0.1, "shuffled": 0.1, "own": 0.2}).assign(model=f"m{number}")
        for number in range(3)
    ]
    found = Compliance.of(pd.concat(tables, ignore_index=True), ANALYSIS).differences(ANALYSIS)
    assert len({one.model for one in found}) == 3
    expected = false_discovery_control([one.p for one in found])
    assert [one.p_adjusted for one in found] == pytest.approx(expected.tolist())
