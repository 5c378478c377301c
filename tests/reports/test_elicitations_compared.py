"""Elicitations of the same cells: chosen, compared, and told of in tables and a figure."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import geppetto
from geppetto._util.errors import GeppettoError
from geppetto.evaluation.results import Results
from geppetto.reports import elicitations
from geppetto.reports.terminal import result
from invented_replies import answers_of, results_of, sharpened, unread


@pytest.fixture(scope="module")
def several() -> Results:
    """Samples of a model are sharper and some are refused, stated ones are the other way round."""
    base = answers_of(1, people=60)
    refused = (base["arm"] == "own") & (base["item"] == "q0") & (base["participant"] < "p0010")
    return results_of(
        {
            "likelihood": base,
            "samples": unread(sharpened(base, 2.0), refused),
            "stated": sharpened(base, -1.0),
        }
    )


def told(found: Results) -> str:
    console = Console(width=200, record=True, file=None, quiet=True)
    with console.capture() as captured:
        console.quiet = False
        console.print(*elicitations.parts(found), sep="\n")
    return captured.get()


def test_the_first_elicitation_is_told_and_loses_nothing_to_the_others(several: Results) -> None:
    alone = results_of({"likelihood": answers_of(1, people=60)})
    assert several.elicitations == {"m": ["likelihood", "samples", "stated"]}
    pd.testing.assert_frame_equal(several.effects(), alone.effects())
    pd.testing.assert_frame_equal(several.metrics(), alone.metrics())
    assert several.unscored == {}


def test_another_elicitation_has_its_own_cells_and_the_same_baselines(several: Results) -> None:
    samples = several.at(elicitation="samples")
    assert samples.unscored == {"refusal": 10}
    assert samples.conditions == several.conditions
    assert samples.responses.answered.sum() == 360 - 10
    assert several.at(elicitation="samples") is samples
    assert samples.at(elicitation="likelihood") is not samples
    with pytest.raises(GeppettoError, match="elicitation echoes was not asked; there are likeli"):
        several.at(elicitation="echoes")


def test_models_that_were_asked_differently_are_told_of_by_the_first_of_each() -> None:
    base = answers_of(1)
    other = sharpened(base, 0.5).assign(model="endpoint")
    found = results_of({"likelihood": base, "samples": pd.concat([sharpened(base, 2.0), other])})
    assert found.elicitations == {"m": ["likelihood", "samples"], "endpoint": ["samples"]}
    assert {c.model for c in found.conditions} == {"m", "endpoint", "baseline"}
    likelihood = found.at(elicitation="likelihood")
    assert {c.model for c in likelihood.conditions} == {"m", "baseline"}
    read = found.planned.groupby("model")["elicitation"].unique().map(list).to_dict()
    assert read == {"m": ["likelihood"], "endpoint": ["samples"], "baseline": [""]}


def test_elicitations_are_compared_on_the_cells_that_all_of_them_scored(several: Results) -> None:
    table = several.by_elicitation().set_index(["elicitation", "arm"])
    assert (table["cells"] == 350).all()
    assert table.loc[("samples", "own"), "unscored"] == pytest.approx(10 / 360)
    assert table.loc[("likelihood", "own"), "unscored"] == 0
    base = answers_of(1, people=60)
    left = base[~((base["item"] == "q0") & (base["participant"] < "p0010"))]
    own = left[left["arm"] == "own"]
    nll = own.groupby("participant")["nll_low"].mean().mean()
    assert table.loc[("likelihood", "own"), "nll"] == pytest.approx(nll)
    right, wrong = (table.loc[(name, "own"), "accuracy"] for name in ("samples", "stated"))
    assert right == table.loc[("likelihood", "own"), "accuracy"]
    assert right + wrong == pytest.approx(1)
    assert table.loc[("likelihood", "own"), "ece"] < table.loc[("samples", "own"), "ece"]
    assert table["cost"].tolist() == pytest.approx([0.001] * 9)
    assert table["completion_tokens"].tolist() == [2] * 9


def test_a_model_without_a_cell_that_all_scored_has_no_metrics_and_says_so() -> None:
    base = answers_of(1)
    first = base["item"] < "q3"
    found = results_of({"samples": unread(base, first), "stated": unread(base, ~first)})
    table = found.by_elicitation()
    assert (table["cells"] == 0).all() and table["nll"].isna().all()
    assert table["unscored"].tolist() == [0.5] * 6
    assert found.agreement().empty
    assert "samples" in told(found)


def test_agreement_is_of_tops_distributions_and_expected_responses(several: Results) -> None:
    table = several.agreement().set_index(["first", "second", "arm"])
    same, other = (table.loc[("likelihood", name, "own")] for name in ("samples", "stated"))
    assert (same["same_top"], other["same_top"]) == (1, 0)
    assert (same["r_within_items"], other["r_within_items"]) == pytest.approx((1, -1))
    sharp = 0.7**2 / (0.7**2 + 0.3**2)
    assert (same["distance"], other["distance"]) == pytest.approx((sharp - 0.7, 0.4))
    nobody = table.loc[("likelihood", "samples", "none")]
    assert nobody["same_top"] == 0.5, "two options tie, and one is taken by chance"
    assert np.isnan(nobody["r_within_items"]) and nobody["distance"] == 0


def test_agreement_varies_between_people_as_they_do() -> None:
    base = answers_of(2)
    some = base["participant"] < "p0020"
    mixed = pd.concat([sharpened(base[some], -1.0), base[~some]]).sort_index()
    table = results_of({"a": base, "b": mixed}).agreement().set_index("arm")
    assert table.loc["own", "same_top"] == pytest.approx(0.5)
    assert 0.3 < table.loc["own", "same_top_low"] < 0.4
    assert table.loc["own", "participants"] == 40


def test_items_that_differ_are_no_agreement_on_people() -> None:
    rng = np.random.default_rng(7)
    people, items = 60, 8
    base = answers_of(7, people, items)
    hard = rng.normal(0, 1.5, items)

    def by(of_people: np.ndarray) -> pd.DataFrame:
        row = base["participant"].str[1:].astype(int)
        item = base["item"].str[1:].astype(int)
        z = hard[item] + of_people[row, item]
        values = [(-np.logaddexp(0, v), -np.logaddexp(0, -v)) for v in z]
        return base.assign(option_log_probs=values)

    noise = rng.normal(0, 0.5, (3, people, items))
    shared = noise[2] + 0.5 * noise[0]
    told = results_of({"a": by(noise[0]), "b": by(noise[1]), "c": by(shared)}).agreement()
    r = told[told["arm"] == "own"].set_index(["first", "second"])
    assert r.loc[("a", "b"), "r_within_items_low"] < 0 < r.loc[("a", "b"), "r_within_items_high"]
    x, y = (1 / (1 + np.exp(-(hard + one))) for one in (noise[0], shared))
    expected = np.corrcoef((x - x.mean(0)).ravel(), (y - y.mean(0)).ravel())[0, 1]
    assert r.loc[("a", "c"), "r_within_items"] == pytest.approx(expected)
    assert np.corrcoef(x.ravel(), y.ravel())[0, 1] > expected + 0.2


def test_the_terminal_tells_of_elicitations_and_of_what_was_refused(several: Results) -> None:
    text = told(several)
    for words in ("350 (m)", "m · likelihood and samples", "what became of replies"):
        assert words in text
    assert "refusal differs by arm: 2.8% with own, 0.0% with shuffled (m · s, samples" in text
    assert "samples: matters" in text and "stated: misleads" in text


def test_one_elicitation_that_was_answered_is_told_of_as_before() -> None:
    found = results_of({"likelihood": answers_of(1)})
    assert list(elicitations.parts(found)) == []
    scored_here = {"outcome": "low option mass", "text": "", "completion_tokens": 0}
    for column, value in scored_here.items():
        found.completions[column] = value
    assert list(elicitations.parts(found)) == []


def test_the_whole_report_and_the_figure_are_made_of_several_elicitations(
    several: Results,
) -> None:
    console = Console(width=120)
    with console.capture() as captured:
        console.print(result(several))
    assert "elicitations agree" in captured.get()
    figure = several.plot.elicitations()
    assert [axis.get_xlabel() for axis in figure.axes] == [
        "accuracy",
        "NLL, nats a response",
        "option mass",
    ]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "likelihood",
        "samples",
        "stated",
    ]


def test_what_was_read_in_different_ways_is_not_pooled() -> None:
    one, other = answers_of(1), answers_of(2)
    first = results_of({"likelihood": one, "stated": sharpened(one, 0.5)}, name="one")
    second = results_of({"stated": sharpened(other, 0.5)}, name="two")
    with pytest.raises(GeppettoError, match=r"of m were read by likelihood and stated.*at\("):
        geppetto.pool([first, second])
    stated = geppetto.pool([first.at(elicitation="stated"), second])
    assert {verdict.effect.contrast.name for verdict in stated} >= {"information"}
