"""Results of invented sessions: what is told of them, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.ceilings import construct_fits
from geppetto.evaluation.individuation.matching import matching_matrix
from geppetto.evaluation.individuation.statistics import individuation
from geppetto.evaluation.item_sampling import second_opinion
from geppetto.evaluation.lending import persona_quality
from geppetto.evaluation.metrics import flagged, item_metrics
from geppetto.evaluation.pooling import pooled
from geppetto.evaluation.predictions import predictions
from geppetto.evaluation.results import MEASURES, Results
from geppetto.evaluation.rows import CONDITION
from geppetto.planning.analysis_config import Analysis
from geppetto.reports.terminal import result
from geppetto.studies.trait import Trait
from geppetto.tracking.mlflow_runs import _tables
from invented_answers import World, results_of
from invented_results import results_of as results_of_survey

FADING = World(
    people=30,
    trials=20,
    information=1.0,
    decay=0.8,
    donors=2,
    remembered=0.3,
    histories=("0", "5", "all"),
    presentations=("text", "turns"),
)


@pytest.fixture(scope="module")
def fading() -> Results:
    """A persona that says less from response to response, and less if choices can be read."""
    return results_of(FADING)


@pytest.fixture(scope="module")
def mixed() -> Results:
    """Three of forty people have open responses."""
    return results_of(World(information=0.8, opened=3))


@pytest.fixture(scope="module")
def opened() -> Results:
    return results_of(World(people=150, information=0.8, opened=150))


def printed(found: Results) -> str:
    console = Console(width=120)
    with console.capture() as capture:
        console.print(result(found))
    return " ".join(capture.get().split())


def test_a_planted_effect_is_found_and_its_metrics_are_those_of_the_table(fading: Results) -> None:
    rows = fading.answers.query("history == 'all' and presentation == 'text'")
    metrics = fading.metrics().set_index(["strategy", "arm"])
    for (strategy, arm), some in rows.groupby(["strategy", "arm"]):
        of_cells = some.assign(
            nll=[
                np.logaddexp.reduce(logs) - logs[options.index(response)]
                for logs, options, response in zip(
                    some["option_log_probs"], some["options"], some["response"], strict=True
                )
            ]
        )
        row = metrics.loc[(strategy, arm)]
        assert row["nll"] == pytest.approx(of_cells["nll"].mean())
        assert row["nll_full"] == pytest.approx(-some["log_prob"].mean())
        assert row["option_mass"] == pytest.approx(some["option_mass"].mean())
        assert row["chance"] == 0.5 and row["closed"] == 1
        if strategy != "habit" and strategy != "uniform":
            badly = flagged(some["announcing"].to_numpy(), some["log_prob"].to_numpy()).mean()
            assert row["announced_badly"] == pytest.approx(badly) and badly > 0
    information, _ = (v for v in fading.verdicts() if v.confirmatory)
    assert information.effect.nats.low > 0 and information.p_adjusted < 0.05
    assert information.test == "signs flipped" and information.too_few.startswith("30 people")
    assert information.effect.nats.value == pytest.approx(
        metrics.loc[("s", "shuffled"), "nll"] - metrics.loc[("s", "own"), "nll"]
    )


def test_names_of_people_and_the_order_of_rows_change_nothing(opened: Results) -> None:
    names = dict(zip(opened.study.people, reversed(opened.study.people), strict=True))
    other = opened.answers.assign(
        participant=opened.answers["participant"].map(names),
        donor=opened.answers["donor"].map(names | {"": ""}),
    ).sample(frac=1, random_state=0)
    one, two = (
        {found.condition: found for found in predictions(table)}
        for table in (opened.answers, other)
    )
    for condition, found in one.items():
        draws = range(len(found.log_prob))
        mine = sorted(found.log_prob[draw].tolist() for draw in draws)
        assert mine == sorted(two[condition].log_prob[draw].tolist() for draw in draws)


def test_randomised_letters_cannot_be_pooled(fading: Results) -> None:
    found = fading.predictions[1]
    responses = found.responses
    assert len(set(fading.answers["options"])) > 5
    assert responses.options == ()
    for ask in (
        lambda: responses.option_values,
        lambda: responses.scores,
        lambda: responses.scored_items,
        lambda: found.expected,
        lambda: item_metrics([found]),
        lambda: individuation(found, fading.resampling, None),
        lambda: matching_matrix(found),
        lambda: persona_quality([found]),
        lambda: construct_fits([found], fading.study, fading.resampling),
        lambda: second_opinion(
            fading.verdicts()[0].effect.differences, fading.predictions, fading.resampling
        ),
        lambda: fading.metrics(by="item"),
        lambda: fading.effects(by="item"),
        lambda: fading.skill(),
        lambda: fading.ceilings(),
        lambda: fading.second_opinion(),
    ):
        with pytest.raises(GeppettoError, match="sessions"):
            ask()


def test_an_effect_fades_with_position(fading: Results) -> None:
    at_start = fading.at(0)
    rows = at_start.effects(by="position").query("effect == 'information'")
    assert rows["among"].tolist() == [
        "responses 1 to 5",
        "responses 6 to 10",
        "responses 11 to 20",
    ]
    assert rows["nats"].iloc[0] > 1.5 * rows["nats"].iloc[-1] > 0
    sizes = np.array([5, 5, 10])
    whole = at_start.effects().query("effect == 'information'")["nats"].iloc[0]
    assert np.average(rows["nats"], weights=sizes) == pytest.approx(whole)
    slope = at_start.changes("position").query("effect == 'information'").iloc[0]
    assert slope["nats_high"] < 0 and slope["p_adjusted"] < 0.05


def test_a_persona_adds_less_to_what_the_model_has_read(fading: Results) -> None:
    rows = fading.effects(by="history").query("effect == 'information'").set_index("among")
    assert rows.index.tolist() == ["history 0", "history 5", "history all"]
    for history in ("0", "5", "all"):
        alone = fading.at(history).effects().query("effect == 'information'").iloc[0]
        assert rows.loc[f"history {history}", "nats"] == pytest.approx(alone["nats"])
        assert not rows.loc[f"history {history}", "confirmatory"]
    changes = fading.changes("history").query("effect == 'information'").set_index("change")
    assert changes.index.tolist() == ["history 0 to 5", "history 0 to all"]
    faded = changes.loc["history 0 to all"]
    assert faded["nats"] == pytest.approx(rows["nats"].iloc[2] - rows["nats"].iloc[0])
    assert faded["nats_high"] < 0 and faded["p_adjusted"] < 0.05
    assert changes.loc["history 0 to 5", "p_adjusted"] > 0.05
    # paired by person, so narrower than two intervals of other people would be
    paired = faded["nats_high"] - faded["nats_low"]
    ends = [rows["nats_high"].iloc[n] - rows["nats_low"].iloc[n] for n in (0, 2)]
    assert paired < np.hypot(*ends) * 1.2


def test_results_speak_of_all_of_the_history_unless_told_otherwise(fading: Results) -> None:
    assert fading.histories == ["0", "5", "all"]
    assert fading.presentations == {"m": ["text", "turns"]}
    assert fading.along == ("position", "history", "presentation")
    everything = fading.at("all", "text")
    pd.testing.assert_frame_equal(everything.metrics(), fading.metrics())
    other = fading.at(history=5, presentation="turns")
    assert (other.history, other.presentation) == ("5", "turns")
    assert other.at(history=5) is other.at() is other
    assert not np.isclose(other.metrics()["nll"].iloc[0], fading.metrics()["nll"].iloc[0])
    with pytest.raises(GeppettoError, match="history 7 was not asked; there are 0, 5, all"):
        fading.at(7)
    with pytest.raises(GeppettoError, match="presentation letter was not asked; there are text, t"):
        fading.at(presentation="letter")
    with pytest.raises(GeppettoError, match="there is one history"):
        results_of(World(people=8, trials=3)).changes("history")
    survey = results_of_survey("survey", 1, 0.1)
    for ask in (lambda: survey.effects(by="position"), lambda: survey.changes("history")):
        with pytest.raises(GeppettoError, match="this is a survey"):
            ask()
    assert survey.along == () and survey.measure == "nll" and survey.measures == MEASURES


def test_models_that_read_sessions_in_their_own_ways_are_told_together(fading: Results) -> None:
    rows = fading.answers.query("history == 'all'")
    of_base = rows.query("presentation == 'text'")
    chat = rows.query("model != 'baseline'").replace({"model": {"m": "chat"}})
    own_ways = pd.concat([of_base, chat.query("presentation == 'turns'")], ignore_index=True)
    found = replace(fading, answers=own_ways)
    assert found.presentations == {"m": ["text"], "chat": ["turns"]}
    assert found.along == ("position",)
    assert {condition.model for condition in found.conditions} == {"m", "chat", "baseline"}
    assert {c.model for c in found.at(presentation="turns").conditions} == {"chat"}
    both = replace(fading, answers=pd.concat([of_base, chat], ignore_index=True))
    assert both.along == ("position", "presentation")
    assert set(both.effects(by="presentation")["model"]) == {"m", "chat"}
    assert set(both.changes("presentation")["model"]) == {"chat"}
    assert "chat read sessions as turns" in printed(found)


def test_a_response_that_one_history_could_not_score_is_left_out_of_all(fading: Results) -> None:
    answers = fading.answers.copy()
    gone = answers.query("history == '5' and participant == 'p003' and item == '2'").index[0]
    answers.loc[gone, ["status", "reason"]] = ["unscorable", "not finite"]
    found = replace(fading, answers=answers)
    assert found.unscored == {"not finite": 1}
    for history in ("0", "all"):
        people = found.at(history).metrics(by="participant").set_index("participant")["trials"]
        assert (people.loc["p003"] == 19).all() and (people.drop("p003") == 20).all()


def test_elicitations_of_sessions_are_told_by_what_sessions_have(fading: Results) -> None:
    found = replace(fading, answers=fading.answers.assign(cost=0.0, tokens=1))
    table = found.by_elicitation()
    assert {"accuracy", "nll", "nll_low", "option_mass", "ece"} <= set(table)
    assert "brier" not in table and table["nll"].notna().all()


def test_open_responses_have_a_full_nll_only(opened: Results) -> None:
    assert opened.measures == ("nll_full",) and opened.measure == "nll_full"
    row = opened.metrics().iloc[0]
    assert row["closed"] == 0 and np.isfinite(row["nll_full"])
    assert row[["nll", "accuracy", "chance", "option_mass", "pseudo_r2"]].isna().all()
    assert not (opened.answers["model"] == "baseline").any()
    information, _ = (v for v in opened.verdicts() if v.confirmatory)
    assert information.effect.measure == "nll_full" and information.outcome == "matters"
    assert "over everything the model could say" in information.sentence
    for ask in (lambda: opened.effects(measure="nll"), lambda: opened.calibration()):
        with pytest.raises(GeppettoError, match="all responses are open"):
            ask()
    assert opened.flat == [] and "calibration" in opened.left_out
    assert opened.individuation()["auc"].iloc[0] > 0.6
    opened.plot.effects(by="position")
    opened.plot.participants()


def test_some_open_responses_make_the_full_nll_answer_the_question(mixed: Results) -> None:
    assert mixed.measure == "nll_full" and set(mixed.measures) == set(MEASURES)
    full, _ = (v for v in mixed.verdicts() if v.confirmatory)
    assert full.effect.participants == 40
    over_options = mixed.verdicts(measure="nll")
    assert {v.effect.participants for v in over_options} == {37}
    assert not any(v.confirmatory for v in over_options)
    people = mixed.metrics(by="participant").query("strategy == 's' and arm == 'own'")
    row = mixed.metrics().query("strategy == 's' and arm == 'own'").iloc[0]
    assert people["nll"].isna().sum() == 3 and people["nll_full"].notna().all()
    assert row["nll"] == pytest.approx(people["nll"].mean()) and row["closed"] == 37 / 40
    assert row["pseudo_r2"] == pytest.approx(1 - people["nll"].sum() / people["nll_uniform"].sum())
    text = printed(mixed)
    assert "3 of 40 people have open responses" in text
    assert "verdicts are over everything the model could say" in text
    assert mixed.metrics().set_index("strategy").loc["habit", "nll_full"] is not None


def test_studies_with_open_responses_are_pooled_over_everything(mixed: Results) -> None:
    closed = results_of(World(people=20, trials=4))
    named = replace(
        closed,
        study=replace(
            closed.study, codebook=closed.study.codebook.model_copy(update={"name": "b"})
        ),
    )
    information, _ = (v for v in pooled([mixed, named]) if v.confirmatory)
    assert information.effect.measure == "nll_full" and information.effect.participants == 60
    means = [
        next(v for v in one.verdicts(measure="nll_full") if v.effect.contrast.name == "information")
        for one in (mixed, named)
    ]
    together = np.mean([verdict.effect.nats.value for verdict in means])
    assert information.effect.nats.value == pytest.approx(together)
    information, _ = (v for v in pooled([closed, named]) if v.confirmatory)
    assert information.effect.measure == "nll" and information.effect.participants == 40


def test_habit_counts_a_persons_earlier_choices_in_sight() -> None:
    found = results_of(World(people=6, trials=6, histories=("0", "2", "all")))
    rows = found.answers.query("strategy == 'habit'")
    for (person, history), some in rows.groupby(["participant", "history"]):
        session = found.study.people[str(person)].session
        assert session is not None
        for row in some.itertuples():
            first = 0 if history == "all" else max(0, row.trial - int(history))
            seen = session.responses[first : row.trial]
            counts = np.array([seen.count(option) + 1 for option in row.options])
            np.testing.assert_allclose(row.option_log_probs, np.log(counts / counts.sum()))
            chosen = row.options.index(row.response)
            assert row.log_prob == row.option_log_probs[chosen] == row.log_prob_of_options
    uniform = found.metrics().set_index("strategy").loc["uniform"]
    assert uniform["nll"] == pytest.approx(np.log(2)) and uniform["accuracy"] == 0.5


def test_people_are_found_among_the_strangers_that_were_drawn_for_them() -> None:
    found = results_of(World(information=1.0))
    row = found.individuation().iloc[0]
    assert row["arm"] == "own" and row["top_1_chance"] == pytest.approx(1 / 4)
    of = found.answers.query("strategy == 's'").assign(nll=lambda t: -t["log_prob_of_options"])
    nll = [
        table.assign(nll=[np.logaddexp.reduce(logs) for logs in table["option_log_probs"]])
        .assign(nll=lambda t: t["nll"] - t["log_prob"])
        .groupby(["participant", "donor"])["nll"]
        .mean()
        for _, table in of.groupby("arm")
    ]
    own, strangers = nll[0].droplevel("donor"), nll[1]
    worse = strangers > own.reindex(strangers.index, level="participant")
    assert row["auc"] == pytest.approx(worse.groupby("participant").mean().mean(), abs=0.01)
    information, _ = (v for v in found.verdicts() if v.confirmatory)
    assert row["information_of_all"] == pytest.approx(information.effect.nats.value)


def test_every_table_and_figure_of_sessions_is_made(fading: Results) -> None:
    tables = {name: made() for name, made in _tables(fading).items()}
    for name in fading.left_out:
        assert name not in tables and name in set(tables["left_out"]["table"])
    for by in fading.along:
        assert len(tables[f"effects_by_{by}"]) and len(tables[f"changes_by_{by}"])
        figure = fading.plot.effects(by)
        assert "over the legal options" in figure.axes[-1].get_xlabel()
    assert len(tables["effects"]) == 4 * len(MEASURES)
    text = printed(fading)
    for part in (
        "of history all; m read sessions as text",
        "change with history 0 to all",
        "change with each doubling of the position",
        "presentation turns",
        "left out of sessions: items",
        "flagged",
    ):
        assert part in text


def test_calibration_is_over_ones_own_options(fading: Results) -> None:
    table = fading.calibration().set_index(["strategy", "arm"])
    assert np.isfinite(table.loc[("s", "own"), "temperature"])
    calibrated = fading.effects(measure="nll_calibrated").query("effect == 'information'")
    assert calibrated["nats"].iloc[0] > 0


def test_looks_are_paid_for_in_changes(fading: Results) -> None:
    thrice = replace(fading, analysis=Analysis(draws=200, looks=3))
    one, three = (found.changes("history") for found in (fading, thrice))
    assert (three["nats_low"] < one["nats_low"]).all()
    pd.testing.assert_series_equal(three["p_adjusted"], np.minimum(1, 3 * one["p_adjusted"]))


def test_few_arms_are_told_as_far_as_they_go() -> None:
    every = results_of(World(people=24, trials=6, donors=1))
    without_strangers = replace(every, answers=every.answers.query("arm != 'shuffled'"))
    assert "nats saved a response by position: benefit" in printed(without_strangers)
    assert without_strangers.individuation().empty
    nobody = replace(every, answers=every.answers.query("arm == 'none'"))
    assert "Information was not measured" in printed(nobody)
    for found in (without_strangers, nobody):
        assert not _tables(found)["identification"]().columns.difference(CONDITION).size


def test_what_needs_strangers_is_not_told_among_some_people_of_sessions(opened: Results) -> None:
    """What men's personas cost everybody is known too roughly to be taken from what they tell."""
    sex = Trait(
        name="sex", label="sex", question="What is your sex?", values={"1": "Male", "2": "Female"}
    )
    people = {
        name: replace(person, traits={"sex": ("Male", "Female")[number % 2]})
        for number, (name, person) in enumerate(opened.study.people.items())
    }
    book = opened.study.codebook.model_copy(update={"traits": (sex,)})
    found = replace(opened, study=replace(opened.study, codebook=book, people=people))
    for told in (found.effects, found.changes):
        with pytest.warns(UserWarning, match="format, information: left out among some people"):
            assert set(told(by="sex")["effect"]) == {"total", "benefit"}
