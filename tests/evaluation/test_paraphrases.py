"""Several wordings of a strategy: the plan, every mean over them, and intervals that count them."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from io import StringIO

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError
from rich.console import Console
from scipy import stats

import geppetto
from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.table import answers_table
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.evaluation.baselines.rows import baseline_answers
from geppetto.evaluation.calibration.reliability import temperature_scaled
from geppetto.evaluation.ceilings import construct_fits
from geppetto.evaluation.differences import differences
from geppetto.evaluation.effects import effects
from geppetto.evaluation.individuation.matches import information_tests, matching_matrices
from geppetto.evaluation.individuation.matching import matching_matrix
from geppetto.evaluation.individuation.statistics import individuation
from geppetto.evaluation.inference.infer import infer
from geppetto.evaluation.inference.mixed_model import mixed_model
from geppetto.evaluation.inference.resampling import Estimate, Resampling
from geppetto.evaluation.inference.studentised import studentised
from geppetto.evaluation.inference.wordings import OverWordings, over_wordings
from geppetto.evaluation.item_sampling import second_opinion
from geppetto.evaluation.metrics import cell_metrics, per_participant
from geppetto.evaluation.predictions import Predictions, predictions
from geppetto.evaluation.results import Results
from geppetto.personas.arms import Average, Filler, Human, Knockout, NoPersona, Own, Shuffled
from geppetto.personas.library import load_strategy
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.build import make_plan
from geppetto.planning.config import Experiment
from geppetto.planning.elicited import by_likelihood
from geppetto.planning.plan import Plan, Strategy
from geppetto.prompts.survey import Layout
from geppetto.reports import terminal
from geppetto.studies import Participant, Study
from invented import as_table, circle, codebook, predicted, responses
from workspaces import ROOT

LADDER = (NoPersona(), Filler(), Human(), Average(), Shuffled(donors=2), Own(), Knockout())


def plan(study: Study, paraphrases: int, **parameters: object) -> Plan:
    rule = load_strategy("interview", parameters, ROOT)
    people = [study.people[name] for name in "abcd"]
    strategies = [Strategy("interview", "interview", rule)]
    arguments = (
        study,
        people,
        list(study.items),
        strategies,
        LADDER,
        Layout(),
        [by_likelihood(FakeModel())],
    )
    return make_plan(*arguments, paraphrases)


def test_every_arm_with_a_persona_answers_each_cell_in_each_wording(small_study: Study) -> None:
    planned = plan(small_study, 3)
    times = {"none": 1, "human": 1, "shuffled": 6}
    for condition in planned.conditions:
        found = [a for a in planned.answers if a.condition == condition]
        cells = Counter((a.participant, a.item) for a in found)
        assert set(cells.values()) == {times.get(condition.arm, 3)}, condition
        wordings = {0} if condition.arm in ("none", "human") else {0, 1, 2}
        assert {a.paraphrase for a in found} == wordings
    assert planned.cells == 16
    shown = {
        number: {
            (a.participant, a.item, a.donor) for a in planned.answers if a.paraphrase == number
        }
        for number in (1, 2)
    }
    assert shown[1] == shown[2]
    (prompts,) = planned.prompts.values()
    own = [a for a in planned.answers if (a.arm, a.participant, a.item) == ("own", "a", "q1")]
    asked = ("What is your age?", "Please tell me your age.", "And your age?")
    for answer, words in zip(own, asked, strict=True):
        assert words in prompts[answer.request].text
    fillers = [
        a for a in planned.answers if (a.arm, a.participant, a.item) == ("filler", "a", "q1")
    ]
    for one, other in zip(own, fillers, strict=True):
        lengths = {len(prompts[a.request].text.encode()) for a in (one, other)}
        assert len(lengths) == 1


def test_one_wording_is_planned_as_ever(small_study: Study) -> None:
    one, first = plan(small_study, 1), plan(small_study, 3)
    kept = [a for a in first.answers if a.paraphrase == 0]
    assert one.answers == tuple(kept)
    assert one.sha256 == replace(first, answers=tuple(kept)).sha256 != first.sha256
    assert "paraphrase" not in one.answers[0].hashed
    asked = {"name": "x", "question": "x", "study": "bfi", "models": ["m"], "arms": ["own"]}
    experiment = Experiment.model_validate(asked | {"strategies": ["interview"]})
    assert experiment.paraphrases == 1
    for wrong in (0, 1.5, "two"):
        with pytest.raises(ValidationError):
            Experiment.model_validate(
                asked | {"strategies": ["interview"], "paraphrases": wrong}, strict=False
            )


def test_a_strategy_with_too_few_wordings_or_a_chosen_one_is_refused(small_study: Study) -> None:
    with pytest.raises(GeppettoError, match=r"interview has 3 wording\(s\), not 4; write more"):
        plan(small_study, 4)
    with pytest.raises(GeppettoError, match="interview chooses one; remove its parameter"):
        plan(small_study, 2, paraphrase=0)
    chosen = plan(small_study, 1, paraphrase=1)
    wording = {answer.arm: answer.paraphrase for answer in chosen.answers}
    assert wording["own"] == wording["shuffled"] == 1
    assert wording["none"] == wording["human"] == 0


def test_the_table_and_its_arrays_know_the_wording(small_study: Study) -> None:
    planned = plan(small_study, 2)
    rng = np.random.default_rng(0)
    scores = {
        a.request: OptionScores(tuple(np.log(rng.dirichlet(np.ones(4))[:3])), (1, 1, 1), 9)
        for a in planned.answers
    }
    table = answers_table(planned, scores, small_study, "x")
    assert table["paraphrase"].tolist() == [a.paraphrase for a in planned.answers]
    for found in predictions(table.sample(frac=1, random_state=1)):
        donors = 2 if found.condition.arm == "shuffled" else 1
        wordings = 1 if found.condition.arm in ("none", "human") else 2
        assert found.paraphrase is not None
        assert found.paraphrase.tolist() == np.repeat(np.arange(wordings), donors).tolist()
        assert len(found.wordings) == wordings
        for number, alone in enumerate(found.wordings):
            assert np.array_equal(alone.donors, found.wordings[0].donors)
            (same,) = predictions(
                table[
                    (table[["strategy", "arm"]] == list(found.condition[1:])).all(axis=1)
                    & (table["paraphrase"] == number)
                ]
            )
            rank = [same.responses.participants.index(p) for p in found.responses.participants]
            for draws, other in ((alone.nll, same.nll), (alone.log_prob, same.log_prob)):
                assert np.allclose(np.sort(draws, 0), np.sort(other[:, rank], 0))


def worded(alone: list[Predictions]) -> Predictions:
    """A condition in several wordings from it in each."""
    names = ("donors", "option_log_probs", "log_prob", "option_mass")
    draws = {name: np.concatenate([getattr(one, name) for one in alone]) for name in names}
    wording = np.repeat(np.arange(len(alone)), [len(one.donors) for one in alone])
    return replace(alone[0], **draws, paraphrase=wording)


def in_wordings(
    seed: int, people: int = 24, items: int = 6, wordings: int = 3
) -> tuple[list[Predictions], list[list[Predictions]]]:
    """Arms none, shuffled and own over wordings and in each; personas know a little."""
    rng = np.random.default_rng(seed)
    said = rng.normal(1, 0.7, size=(people, 1)) + rng.normal(0, 0.6, size=(people, items))
    given = responses(np.clip(np.round(said), 0, 2).astype(int), 3)
    donors = circle(people, (1, 5), rng)
    right = np.eye(3)[given.position]
    none = predicted(given, "none", rng.dirichlet(np.ones(3), size=(people, items)))
    alone = []
    for _ in range(wordings):
        personas = rng.dirichlet(np.ones(3), size=(people, items)) + rng.random() * right
        personas /= personas.sum(-1, keepdims=True)
        pair = predicted(given, "shuffled", personas, donors), predicted(given, "own", personas)
        alone.append([none, *pair])
    return [none, *(worded(list(same)) for same in list(zip(*alone, strict=True))[1:])], alone


def test_effects_and_metrics_are_means_over_wordings() -> None:
    over, alone = in_wordings(1)
    found = differences(over)
    each = [differences(one) for one in alone]
    assert [d.contrast.name for d in found] == ["total", "format", "information", "benefit"]
    for number, difference in enumerate(found):
        assert [one.among for one in difference.wordings] == [f"paraphrase {n}" for n in range(3)]
        for name in ("persons", "influence", "totals"):
            values = [getattr(one[number], name) for one in each]
            assert np.allclose(getattr(difference, name), np.mean(values, axis=0))
            kept = [getattr(one, name) for one in difference.wordings]
            assert np.allclose(kept, values)
        assert np.isclose(difference.influence.mean(), difference.persons.mean())
    for number, condition in enumerate(over):
        for name, cells in cell_metrics(condition).items():
            apart = [per_participant(cell_metrics(one[number])[name]) for one in alone]
            assert np.allclose(per_participant(cells), np.mean(apart, axis=0)), name


def test_a_table_of_wordings_gives_the_same_effects() -> None:
    over, _ = in_wordings(2)
    found = differences(predictions(as_table(over)))
    for one, other in zip(differences(over), found, strict=True):
        assert np.allclose(np.sort(one.influence), np.sort(other.influence))
        assert len(other.wordings) == 3


def test_the_matching_matrix_and_its_test_are_over_wordings() -> None:
    over, alone = in_wordings(3)
    people = Resampling.of(24)
    (matrix,) = matching_matrices(over).values()
    each = [matching_matrix(one[2], [one[1]], one[2].pool).nll for one in alone]
    assert np.allclose(matrix.nll, np.mean(each, axis=0))
    (test,) = information_tests({("m", "s"): matrix}, over, people, 0).values()
    assert test.information == pytest.approx(differences(over)[2].persons.mean())
    (wrong,) = (replace(over[1], option_log_probs=np.roll(over[1].option_log_probs, 1, axis=0)),)
    with pytest.raises(ValueError, match="in two ways"):
        matching_matrices([over[0], wrong, over[2]])


def test_people_are_told_apart_as_in_a_wording_on_average() -> None:
    over, alone = in_wordings(4)
    people = Resampling.of(24, draws=200)
    names = ("item_correlation", "variance_ratio", "residual_correlation", "profile_correlation")
    for number in (1, 2):
        found = individuation(over[number], people)
        each = [individuation(one[number], people) for one in alone]
        for name in names:
            values = [getattr(one, name).value for one in each]
            assert getattr(found, name).value == pytest.approx(np.mean(values))


def study_of(given: Predictions, name: str = "invented") -> Study:
    """The study that these people are from."""
    items = [
        {"name": item, "text": item, "scale": "s", "measures": "it"}
        for item in given.responses.items
    ]
    codes = given.responses.options[0]
    book = codebook(
        name=name, scales={"s": {"options": dict(zip(codes, codes, strict=True))}}, items=items
    )
    said = given.responses.position
    people = {
        name: Participant(
            name, {}, {i: codes[said[n, c]] for c, i in enumerate(given.responses.items)}
        )
        for n, name in enumerate(given.responses.participants)
    }
    return Study(book, people, {})


def test_construct_scores_fit_as_in_a_wording_on_average() -> None:
    over, alone = in_wordings(5)
    people, study = Resampling.of(24, draws=200), study_of(over[0])
    found = construct_fits(over, study, people)
    each = [construct_fits(one, study, people) for one in alone]
    assert [fit.condition for fit in found] == [p.condition for p in over]
    for number, fit in enumerate(found):
        for name in ("r", "r_squared", "of_reliable"):
            values = [getattr(one[number], name).value for one in each]
            assert getattr(fit, name).value == pytest.approx(np.mean(values))


def test_one_temperature_fits_all_wordings() -> None:
    over, _ = in_wordings(6)
    (scaled,), fitted = temperature_scaled([over[2]])
    assert len(fitted) == 1
    assert scaled.option_log_probs.shape == over[2].option_log_probs.shape
    colder = [
        np.diff(after.option_log_probs[0, 0]) / np.diff(before.option_log_probs[0, 0])
        for after, before in zip(scaled.wordings, over[2].wordings, strict=True)
    ]
    assert np.allclose(colder, colder[0][0, 0])


def test_the_mixed_model_has_a_component_of_wordings() -> None:
    over, _ = in_wordings(7)
    information = differences(over)[2]
    found = second_opinion(information, over, Resampling.of(24))
    assert set(found.variances) == {"people", "items", "wordings", "residual"}
    rng = np.random.default_rng(8)
    wording, person, item = np.indices((4, 60, 8))
    y = rng.normal(0, 0.5, 4)[wording] + rng.normal(0, 1, 60)[person]
    y += rng.normal(0, 1, wording.shape)
    apart = mixed_model(
        y.ravel(), {"people": person.ravel(), "items": item.ravel(), "wordings": wording.ravel()}
    )
    of_wordings = y.mean((1, 2)).var(ddof=1)
    assert apart.variances["wordings"] == pytest.approx(of_wordings, rel=0.05)


def test_variances_of_means_are_those_of_definitions() -> None:
    rng = np.random.default_rng(9)
    values = rng.normal(size=(40, 1)) + rng.normal(size=(40, 3))
    for people in (
        Resampling.of(40),
        Resampling.of(40, base=rng.random(40), clusters=np.arange(40) // 2),
    ):
        found = over_wordings(values, people)
        alone, (whole,) = studentised(values, people), studentised(values.mean(1), people)
        assert found.means == pytest.approx([one.value for one in alone])
        assert (found.value, found.in_these, found.people) == pytest.approx(
            (whole.value, whole.error**2, len(whole.weights) - 1)
        )
        shared = np.mean([one.error**2 for one in alone]) / 3 + found.of_people * 2 / 3
        assert found.in_these == pytest.approx(shared)
        assert found.of_wordings == pytest.approx(np.var([o.value for o in alone], ddof=1) / 3)


def test_tails_and_intervals_agree_and_have_their_limits() -> None:
    means = np.array([0.1, 0.3, 0.2])
    only_wordings = OverWordings(means, 1e-9, 0.0, 50)
    t = 0.2 / (0.1 / np.sqrt(3))
    assert only_wordings.tail(0.2) == pytest.approx(stats.t.sf(t, 2))
    only_people = OverWordings(np.full(3, 0.2), 0.01, 0.01, 50)
    assert only_people.tail(0.2) == pytest.approx(stats.t.sf(2, 50))
    assert only_people.tail(-0.2) == pytest.approx(1 - stats.t.sf(2, 50))
    both = OverWordings(means, 0.012, 0.01, 10**6)
    half = 1.959964 * np.sqrt(both.in_these)
    found = both.interval(Estimate(0.2, 0.2 - half, 0.2 + half))
    assert both.tail(found.high - 0.2) == pytest.approx(0.025, abs=1e-4)
    assert OverWordings(np.full(2, 0.2), 0.0, 0.0, 9).tail(0.1) == 0
    lopsided = both.interval(Estimate(0.2, 0.1, 0.5))
    assert 0.2 - lopsided.low < lopsided.high - 0.2


def test_verdicts_use_the_interval_that_counts_wordings() -> None:
    over, alone = in_wordings(10, people=40)
    people, analysis = Resampling.of(40, draws=300), Analysis(draws=300)
    found = differences(over)
    measured = effects(found, people)
    plain = effects([replace(one, wordings=()) for one in found], people)
    for one, other in zip(measured, plain, strict=True):
        honest = one.differences.over_wordings(people)
        assert honest is not None
        assert one.nats == honest.interval(other.nats)
        assert one.nats.high - one.nats.low > other.nats.high - other.nats.low
        assert one.nats_per_person.high - one.nats_per_person.low > (
            other.nats_per_person.high - other.nats_per_person.low
        )
        assert one.improved == other.improved
    verdicts = infer(found, people, analysis, {})
    without = infer([replace(one, wordings=()) for one in found], people, analysis, {})
    for one, other in zip(verdicts, without, strict=True):
        assert one.p >= other.p
        assert one.p_equivalent >= other.p_equivalent
        assert one.test == "signs flipped, wordings drawn"
        assert " nats a response over 3 wordings, d_z" in one.sentence
        assert "wordings" not in other.sentence
    assert len(alone) == 3


def results_of(over: list[Predictions], name: str = "invented") -> Results:
    table, study = as_table(over), study_of(over[0], name)
    every = pd.concat([table, baseline_answers(table, study, [])], ignore_index=True)
    return Results("Is it so?", study, Analysis(draws=300), every, {"s": ()})


def test_results_show_each_wording_and_how_much_they_differ() -> None:
    over, alone = in_wordings(11, people=30, items=15)
    found = results_of(over)
    each = found.effects(by="paraphrase")
    assert each["among"].unique().tolist() == ["paraphrase 0", "paraphrase 1", "paraphrase 2"]
    information = each[each["effect"] == "information"]["nats"].to_numpy()
    expected = [differences(one)[2].persons.mean() for one in alone]
    assert information == pytest.approx(expected)
    table = found.wordings().set_index("effect")
    row = table.loc["information"]
    assert row["sd"] == pytest.approx(np.std(expected, ddof=1))
    assert (row["lowest"], row["highest"]) == pytest.approx((min(expected), max(expected)))
    assert row["same_sign"] == (min(expected) > 0)
    assert row["nats"] == pytest.approx(found.effects().set_index("effect")["nats"]["information"])
    assert found.second_opinion()["variance_of_wordings"].notna().all()
    assert {len(one.wordings) for one in differences(found.predictions)} == {3}
    calibrated = {v.effect.contrast.name: v for v in found.verdicts(measure="nll_calibrated")}
    assert len(calibrated["total"].effect.differences.wordings) == 3
    shown = StringIO()
    Console(file=shown, width=200).print(terminal.result(found))
    lines = shown.getvalue()
    assert f"information of s (m) over 3 wordings: SD {row['sd']:.4f} nats" in lines
    assert "over 3 wordings, d_z" in lines
    single = results_of([over[0], *(one.wordings[0] for one in over[1:])])
    assert single.wordings().empty
    with pytest.raises(GeppettoError, match="there is one wording"):
        single.effects(by="paraphrase")


def test_pooled_studies_share_their_wordings() -> None:
    several = [results_of(in_wordings(seed)[0], f"study {seed}") for seed in range(3)]
    pooled = {v.effect.contrast.name: v for v in geppetto.pool(several)}["information"]
    parts = [
        next(v for v in found.verdicts() if v.confirmatory).effect.differences for found in several
    ]
    expected = [
        np.mean([part.wordings[number].persons.mean() for part in parts]) for number in range(3)
    ]
    whole = pooled.effect.differences
    found = [float(one.persons.mean()) for one in whole.wordings]
    assert found == pytest.approx(expected)
    assert pooled.test == "signs of studies flipped, wordings drawn"
    single = results_of([one.wordings[0] for one in in_wordings(9)[0]], "study 9")
    with pytest.raises(GeppettoError, match="differ in their `paraphrases`"):
        geppetto.pool([*several, single])
