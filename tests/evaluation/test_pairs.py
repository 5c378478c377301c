"""Pairs of models in results: of surveys and sessions, in every slice, over several studies."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
import test_paraphrases
from rich.console import Console

import geppetto
import invented_results
from geppetto._util.errors import GeppettoError
from geppetto.evaluation.measures import MEASURES
from geppetto.evaluation.results import Results
from geppetto.planning.analysis_config import Analysis
from geppetto.reports import terminal
from geppetto.tracking.mlflow_runs import _tables
from invented_answers import World, results_of
from invented_pairs import LINEAGES, lost_by, with_base
from legible import assert_legible, words


@pytest.fixture(scope="module")
def survey() -> Results:
    """Personas that save 0.1 nats, of a model that lost 0.2 of them in post-training."""
    found = invented_results.results_of("survey", 3, 0.25, people=60)
    return with_base(found, lost_by(found, 0.2))


@pytest.fixture(scope="module")
def sessions() -> Results:
    found = results_of(
        World(people=24, trials=6, information=0.8, histories=("0", "all"), opened=3, donors=2)
    )
    return with_base(found, lost_by(found, 0.1))


@pytest.fixture(scope="module")
def studies() -> list[Results]:
    """Nine studies of two categories, of which one loses more; the last has no category."""
    made = []
    for number, category in enumerate(["RL"] * 4 + ["Memory"] * 4 + [""]):
        found = invented_results.results_of(f"study {number}", number, 0.1, people=20 + 2 * number)
        book = found.study.codebook.model_copy(update={"category": category})
        found = replace(found, study=replace(found.study, codebook=book))
        lost = 0.3 if category == "RL" else 0.1
        made.append(with_base(found, lost_by(found, lost + 0.01 * number, seed=number)))
    return made


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def printed(found: Results) -> str:
    console = Console(width=140)
    with console.capture() as capture:
        console.print(terminal.result(found))
    return " ".join(capture.get().split())


def test_the_gap_of_a_survey_is_what_was_planted(survey: Results) -> None:
    (row,) = survey.gaps().to_dict("records")
    assert (row["post"], row["base"], row["measure"]) == ("m", "pine", "nll")
    assert row["nats"] == pytest.approx(0.2) and row["participants"] == 60
    assert row["nats_per_person"] == pytest.approx(6 * 0.2)
    assert 0.19 < row["nats_low"] < 0.2 < row["nats_high"] < 0.21
    assert row["outcome"] == "less human-like" and row["note"] == ""
    post, base = (
        -survey.answers.query(f"model == '{name}' and arm == 'none'")["log_prob"].to_numpy(float)
        for name in ("m", "pine")
    )
    pooled = np.sqrt((post.var() + base.var()) / 2)
    assert row["published_d"] == pytest.approx((post.mean() - base.mean()) / pooled)


def test_what_is_won_back_is_the_effect_over_the_gap(survey: Results) -> None:
    rows = survey.recoveries().set_index("effect")
    assert rows.index.tolist() == ["total", "format", "information"]
    saved = survey.effects().query("model == 'm'").set_index("effect")["nats"]
    for effect, row in rows.iterrows():
        assert row["recovery"] == pytest.approx(saved[effect] / 0.2)
        assert row["recovery_low"] < row["recovery"] < row["recovery_high"]


@pytest.mark.parametrize("measure", MEASURES)
def test_gaps_exist_in_every_measure(survey: Results, measure: str) -> None:
    row = survey.gaps(measure).iloc[0]
    assert row["measure"] == measure and row["nats"] > 0
    assert set(survey.recoveries(measure)["measure"]) == {measure}


def test_a_survey_says_if_the_two_read_different_things(survey: Results) -> None:
    in_template = replace(survey, in_template=frozenset({"m"}))
    said = "m and pine differ in what they read (its chat template, plain text) too"
    assert in_template.gaps()["note"].tolist() == [said]
    assert f"{said}." in printed(in_template)


def test_the_gap_of_sessions_is_of_every_history_alone(sessions: Results) -> None:
    assert sessions.measure == "nll_full"
    for found in (sessions, sessions.at(0)):
        full, closed = found.gaps().iloc[0], found.gaps("nll").iloc[0]
        assert (full["measure"], full["participants"]) == ("nll_full", 24)
        assert full["nats"] == pytest.approx(0.1) and full["nats_per_person"] == pytest.approx(0.6)
        assert closed["participants"] == 21 and closed["nats"] == pytest.approx(0.1, abs=0.01)
    doubled = sessions.answers.copy()
    longer = (doubled["model"] == "pine") & (doubled["history"] == "all")
    doubled.loc[longer, "log_prob"] -= 0.05
    other = replace(sessions, answers=doubled)
    assert other.gaps()["nats"].iloc[0] == pytest.approx(0.05)
    assert other.at(0).gaps()["nats"].iloc[0] == pytest.approx(0.1)
    (total, *_), here = other.recoveries().to_dict("records"), other.effects().iloc[0]
    assert total["recovery"] == pytest.approx(here["nats"] / 0.05)


def test_sessions_presented_in_different_ways_are_said_to_be(sessions: Results) -> None:
    answers = sessions.answers.query("model != 'baseline'").copy()
    of_post = (answers["model"] == "m").to_numpy()
    answers.loc[of_post, "presentation"] = "turns"
    found = replace(sessions, answers=answers)
    note = found.gaps()["note"].iloc[0]
    assert note == "m and pine differ in what they read (its chat template, plain text) too"
    assert found.found_gaps()[0].sentence.endswith(f"{note}.")
    alone = found.at(presentation="turns")
    assert alone.pairs == []
    with pytest.raises(GeppettoError, match="presented sessions as turns"):
        alone.gaps()


def test_over_wordings_what_is_won_back_is_of_their_mean() -> None:
    over, alone = test_paraphrases.in_wordings(5, people=30)
    found = test_paraphrases.results_of(over)
    lost = lost_by(found, -0.3)
    rows = with_base(found, lost).recoveries().set_index("effect")
    each = [
        with_base(test_paraphrases.results_of(one), lost).recoveries().set_index("effect")
        for one in alone
    ]
    for effect in rows.index:
        mean = np.mean([one.loc[effect, "saved"] for one in each])
        assert rows.loc[effect, "recovery"] == pytest.approx(mean / -0.3)


def test_gaps_are_weighted_and_of_whole_groups(survey: Results) -> None:
    people = sorted(survey.study.people)
    lost = lost_by(survey, 0.2)
    weight = {name: 1.0 + number % 3 for number, name in enumerate(people)}
    group = {name: f"class {number // 3}" for number, name in enumerate(people)}
    given = survey.answers["participant"]
    found = replace(
        survey,
        answers=survey.answers.assign(weight=given.map(weight), cluster=given.map(group)),
        analysis=Analysis(draws=300, weighted=True),
    )
    row = found.gaps().iloc[0]
    expected = np.average([lost[name] for name in people], weights=[weight[n] for n in people])
    assert row["nats"] == pytest.approx(expected) and abs(expected - 0.2) > 1e-4
    (gap,) = found.found_gaps()
    assert (gap.verdict.basis.units, gap.verdict.basis.unit) == (20, "groups of people")


def test_without_a_pair_it_is_said_what_makes_one(survey: Results) -> None:
    nobody = replace(survey, lineages={})
    assert nobody.pairs == [] and "post-training" not in printed(nobody)
    for ask in (nobody.gaps, nobody.recoveries, nobody.plot.gaps):
        with pytest.raises(GeppettoError, match=r"no pair of models.* `lineage` that names its"):
            ask()
    with_personas = replace(survey, answers=survey.answers.query("arm != 'none'"))
    with pytest.raises(GeppettoError, match=r"m and pine.* add the arm none"):
        with_personas.gaps()
    without = replace(survey, answers=survey.answers.query("arm == 'none'"))
    assert without.gaps()["nats"].iloc[0] == pytest.approx(0.2)
    assert without.recoveries().empty
    for figure, arm in ((without.plot.recoveries, "own"), (without.plot.persona_effects, "none")):
        with pytest.raises(GeppettoError, match=f"add the arms? {arm}"):
            figure()


def test_the_terminal_and_tables_tell_of_pairs(survey: Results) -> None:
    text = printed(survey)
    for part in (
        "m − pine +0.2000 [",
        "less human-like",
        "published d",
        "part of the gap that is won back",
        "of the gap is won back",
    ):
        assert part in text
    assert text.index("information") < text.index("m − pine")
    tables = {name: made() for name, made in _tables(survey).items()}
    assert tables["gaps"]["measure"].tolist() == list(MEASURES)
    assert len(tables["recoveries"]) == 3 * len(MEASURES)
    assert not {"gaps", "recoveries"} & set(_tables(replace(survey, lineages={})))


def test_figures_of_results_with_pairs_are_legible(survey: Results) -> None:
    plot = survey.plot
    for figure in (
        plot.gaps(),
        plot.gaps_by_generation(),
        plot.recoveries(),
        plot.persona_effects(),
    ):
        assert_legible(figure)
        assert "nats" in words(figure) or "Fieller" in words(figure)
    alone = replace(survey, answers=survey.answers.query("model != 'pine'"))
    figure = with_base(alone, lost_by(alone, 0.0, 0.3)).plot.recoveries()
    assert_legible(figure)
    assert words(figure).count("cannot be told") == 3
    gained = with_base(alone, lost_by(alone, -0.2)).plot.recoveries()
    assert words(gained).count("nothing to win back") == 3


def test_gaps_of_several_studies_count_them_the_same(studies: list[Results]) -> None:
    found = geppetto.pool_gaps(studies)
    single = [each.gaps().iloc[0] for each in studies]
    (gap,) = found.everywhere
    assert gap.nats.value == pytest.approx(np.mean([row["nats"] for row in single]))
    assert gap.published_d == pytest.approx(np.mean([row["published_d"] for row in single]))
    assert (gap.verdict.basis.units, gap.verdict.basis.unit) == (9, "studies")
    assert gap.verdict.effect.participants == sum(row["participants"] for row in single)
    by = {gap.among: gap for gap in found.by_category}
    assert list(by) == ["RL", "Memory"] == list(found.means)
    for category, numbers in (("RL", range(4)), ("Memory", range(4, 8))):
        expected = np.mean([single[number]["nats"] for number in numbers])
        assert by[category].nats.value == pytest.approx(expected)
        assert found.means[category].value == pytest.approx(expected)
        assert "4 studies are too few" in by[category].sentence
    assert found.table()["among"].tolist() == ["", "RL", "Memory"]
    assert_legible(found.plot())
    console = Console(width=140)
    with console.capture() as capture:
        console.print(terminal.pooled(studies[:5:4]))
    text = " ".join(capture.get().split())
    assert "m − pine, RL" in text and "all 2 studies together" in text


def test_gaps_that_cannot_be_pooled_say_why(studies: list[Results]) -> None:
    with pytest.raises(GeppettoError, match="at least two different studies"):
        geppetto.pool_gaps(studies[:1])
    other = replace(studies[1], in_template=frozenset({"m"}))
    with pytest.raises(GeppettoError, match="reading the same"):
        geppetto.pool_gaps([studies[0], other])
    with pytest.raises(GeppettoError, match="no pair of models"):
        geppetto.pool_gaps([studies[0], replace(studies[1], lineages={})])
    with pytest.raises(GeppettoError, match="say `category`"):
        geppetto.pool_gaps([_without_category(each) for each in studies[:2]]).plot()


def _without_category(found: Results) -> Results:
    book = found.study.codebook.model_copy(update={"category": ""})
    return replace(found, study=replace(found.study, codebook=book), lineages=LINEAGES)
