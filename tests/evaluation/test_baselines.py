"""Supervised baselines: what they know, what they never know, and what they find."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
from numpy.typing import NDArray

from geppetto.evaluation.baselines.learners import LEARNERS
from geppetto.evaluation.baselines.low_rank import low_rank
from geppetto.evaluation.baselines.rows import (
    MARGINALS,
    baseline_answers,
    leave_one_out_marginals,
    supervised_names,
)
from geppetto.evaluation.baselines.skill import saved_part, skills
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.predictions import Predictions, Responses
from geppetto.personas.visibility import blocks
from geppetto.planning.plan import BASELINE, Condition, Strategy
from geppetto.studies import Participant, Study
from invented import codebook
from invented_twins import ANSWERS, ITEMS, TRAITS, Reading, Shown, cells, losses

Logs = dict[tuple[str, str, str], tuple[float, ...]]


class ReadingOthers(Reading):
    one_item_at_a_time: ClassVar[bool] = True


def invented(people: int, seed: int = 0, cluster_of: int = 0) -> Study:
    """q0 to q3 have four ordered options and q4 three without order; all follow sex and age."""
    mixed = codebook(
        traits=[
            {"name": "age", "label": "age", "question": "How old?"},
            {"name": "sex", "label": "sex", "question": "Which?", "values": {"1": "M", "2": "F"}},
        ],
        scales={
            "four": {"options": {str(n): f"{n}" for n in range(1, 5)}},
            "three": {"options": {c: c for c in "abc"}, "ordinal": False},
        },
        items=[
            {"name": name, "text": name, "scale": "three" if name == "q4" else "four"}
            for name in ITEMS
        ],
    )
    rng = np.random.default_rng(seed)
    persons = {}
    for number in range(people):
        name = f"p{number:04}"
        female, age = rng.random() < 0.5, float(rng.integers(18, 80))
        traits: dict[str, str | float] = {"age": age, "sex": "F" if female else "M"}
        level = rng.normal() + 2 * female + age / 40
        responses = {
            item: str(1 + int(np.clip(round(level + rng.normal(0, 0.7)), 0, 3)))
            for item in ITEMS[:4]
        }
        responses["q4"] = "abc"[int(np.clip(round(level), 0, 2))]
        traits = {name: value for name, value in traits.items() if rng.random() >= 0.05}
        responses = {name: code for name, code in responses.items() if rng.random() >= 0.05}
        cluster = f"c{number // cluster_of}" if cluster_of else None
        persons[name] = Participant(name, traits, responses, cluster=cluster)
    return Study(mixed, persons, {})


def log_probs(study: Study, people: Iterable[str], *strategies: Strategy) -> Logs:
    """Option log-probabilities by baseline, participant and item, of every item."""
    rows = baseline_answers(cells(study, people), study, strategies)
    keys = zip(rows["strategy"], rows["participant"], rows["item"], strict=True)
    return dict(zip(keys, rows["option_log_probs"], strict=True))


def with_responses(study: Study, person: str, items: Iterable[str]) -> Study:
    """The study in which this person responded something else to these items."""
    old = study.people[person]
    new = dict(old.responses)
    for item in set(items) & set(old.responses):
        codes = list(study.scale(study.items[item]).options)
        new[item] = codes[(codes.index(old.responses[item]) + 2) % len(codes)]
    return replace(study, people={**study.people, person: replace(old, responses=new)})


@pytest.mark.usefixtures("few_folds")
@pytest.mark.parametrize("seed", range(2))
def test_peoples_own_responses_never_change_their_own_predictions(seed: int) -> None:
    study = invented(30, seed)
    person = f"p{seed * 7:04}"
    before = log_probs(study, study.people, TRAITS, ANSWERS)
    for block in blocks(ANSWERS.rule, study, ITEMS):
        after = log_probs(
            with_responses(study, person, block.predicted), study.people, TRAITS, ANSWERS
        )
        own = [key for key in before if key[1] == person and key[2] in block.predicted]
        assert {key[0] for key in own} == {
            "uniform",
            MARGINALS,
            *(f"{x.name} given {s}" for x in LEARNERS for s in ("shown", "reading")),
        }
        for key in own:
            assert after[key] == pytest.approx(before[key], rel=1e-12), key
        for name in {key[0] for key in own} - {"uniform"}:
            others = [k for k in before if k[0] == name and k[1] != person]
            assert any(after[key] != before[key] for key in others), name


@pytest.mark.usefixtures("few_folds")
def test_nobody_in_a_cluster_teaches_the_others_of_it() -> None:
    study = invented(40, cluster_of=4)
    changed = with_responses(study, "p0001", ITEMS)
    before, after = (log_probs(s, study.people, TRAITS) for s in (study, changed))
    for name in ("logistic", "boosting", "low-rank"):
        same = [after[k] == before[k] for k in before if "given" in k[0] and name in k[0]]
        assert not all(same)
    for key in before:
        if "given" in key[0] and study.people[key[1]].cluster == "c0":
            assert after[key] == before[key]


@pytest.mark.usefixtures("few_folds")
def test_only_the_fields_that_a_persona_shows_are_learned_from() -> None:
    study = invented(60)
    age = Strategy("shown", "shown(traits=['age'])", Shown(traits=("age",)))
    people = {
        name: replace(
            person,
            traits={**person.traits, "sex": "M" if person.traits.get("sex") == "F" else "F"},
        )
        for name, person in list(study.people.items())[:30]
    }
    changed = replace(study, people={**study.people, **people})
    before, after = (log_probs(s, study.people, age, TRAITS) for s in (study, changed))
    assert all(after[key] == before[key] for key in before if not key[0].endswith("given shown"))
    assert any(after[key] != before[key] for key in before if key[0] == "logistic given shown")


@pytest.mark.usefixtures("few_folds")
def test_everybody_in_the_study_teaches_and_no_order_matters() -> None:
    study = invented(80)
    everyone = log_probs(study, study.people, TRAITS, ANSWERS)
    backwards = replace(study, people=dict(reversed(study.people.items())))
    some = log_probs(backwards, ["p0050", "p0007"], TRAITS, ANSWERS)
    assert len(some) == 8 * sum(len(study.people[p].responses) for p in ("p0050", "p0007"))
    for key, values in some.items():
        assert values == pytest.approx(everyone[key], abs=1e-9), key


def test_rows_are_like_those_of_any_model() -> None:
    study = invented(40)
    table = cells(study, study.people).assign(cost=2.0, donor="x", unknown=3)
    rows = baseline_answers(table, study, [TRAITS])
    assert {*table.columns} <= {*rows.columns}
    assert set(rows["model"]) == {BASELINE} and set(rows["arm"]) == {"none"}
    assert set(rows["unknown"]) == {3} and set(rows["cost"]) == {0} and set(rows["donor"]) == {""}
    assert rows.groupby("strategy").size().eq(len(table)).all()
    for row in rows.to_dict("records"):
        logs = row["option_log_probs"]
        assert len(logs) == len(row["options"])
        assert np.exp(logs).sum() == pytest.approx(1)
        chosen = logs[row["options"].index(row["response"])]
        assert row["log_prob"] == row["log_prob_of_options"] == chosen


def test_item_marginals_count_everybody_else_in_the_study() -> None:
    study = invented(30)
    found = log_probs(study, ["p0004"])
    for item in ITEMS:
        options = list(study.scale(study.items[item]).options)
        others = [p.responses.get(item) for p in study.people.values() if p.id != "p0004"]
        counts = np.array([others.count(code) + 0.5 for code in options])
        if (MARGINALS, "p0004", item) in found:
            expected = np.log(counts / counts.sum())
            assert found[MARGINALS, "p0004", item] == pytest.approx(expected)
            assert found["uniform", "p0004", item] == pytest.approx(
                np.full(len(options), -np.log(len(options)))
            )


def test_marginals_of_someone_without_a_response_are_everybodys() -> None:
    probabilities = leave_one_out_marginals(np.array([0, -1, 1, 1]), 3)
    assert probabilities[1] == pytest.approx(np.array([1.5, 2.5, 0.5]) / 4.5)
    assert probabilities[2] == pytest.approx(np.array([1.5, 1.5, 0.5]) / 3.5)


def test_an_option_that_nobody_chose_keeps_a_probability() -> None:
    study = invented(50)
    people = {
        name: replace(person, responses={**person.responses, "q0": "2"})
        for name, person in study.people.items()
    }
    found = log_probs(replace(study, people=people), people, TRAITS, ANSWERS)
    for (name, _, item), logs in found.items():
        if item == "q0" and name.startswith(tuple(learner.name for learner in LEARNERS)):
            expected = [0.5 / 42, 40.5 / 42, 0.5 / 42, 0.5 / 42]
            assert np.exp(logs) == pytest.approx(expected)


def test_what_is_not_known_of_anybody_teaches_nothing() -> None:
    """Fields that are missing for all, or for all but the person, leave the marginals."""
    study = invented(60)
    people = {n: replace(p, traits={}) for n, p in study.people.items()}
    for one in ({}, {"age": 40.0}):
        changed = replace(study, people={**people, "p0000": replace(people["p0000"], traits=one)})
        found = log_probs(changed, ["p0000"], TRAITS)
        for item in study.people["p0000"].responses:
            marginal = np.exp(found[MARGINALS, "p0000", item])
            assert np.exp(found["logistic given shown", "p0000", item]) == pytest.approx(
                marginal, abs=0.12
            )


def planted(people: int, seed: int, informative: bool) -> tuple[Study, float]:
    """Responses that follow sex or nothing, and what can be said of them at best in nats."""
    study = invented(people)
    rng = np.random.default_rng(seed)
    by_sex = {"M": [0.6, 0.2, 0.1, 0.1], "F": [0.1, 0.1, 0.2, 0.6]}
    persons, best = {}, []
    for name, person in study.people.items():
        sex = "MF"[int(rng.integers(2))]
        p = np.array(by_sex[sex] if informative else [0.4, 0.3, 0.2, 0.1])
        best.append(-(p * np.log(p)).sum())
        responses = {item: str(1 + int(rng.choice(4, p=p))) for item in ITEMS[:4]}
        persons[name] = replace(
            person, traits={"age": person.traits.get("age", 50.0), "sex": sex}, responses=responses
        )
    return replace(study, people=persons), float(np.mean(best))


def test_what_can_be_known_from_a_trait_is_found_and_nothing_is_not() -> None:
    study, best = planted(1200, 1, informative=True)
    found = losses(study, TRAITS)
    mixture = np.array([0.35, 0.15, 0.15, 0.35])
    assert found[MARGINALS] == pytest.approx(-(mixture * np.log(mixture)).sum(), abs=0.02)
    for learner in LEARNERS:
        assert found[f"{learner.name} given shown"] == pytest.approx(best, abs=0.04)

    study, best = planted(1200, 2, informative=False)
    found = losses(study, TRAITS)
    for learner in LEARNERS:
        extra = found[f"{learner.name} given shown"] - found[MARGINALS]
        assert -0.005 < extra < 0.025


def test_a_low_rank_model_is_the_least_penalised_loss() -> None:
    """Slopes are those of the loss, and without a penalty two groups have their own shares."""
    rng = np.random.default_rng(1)
    responses = rng.integers(-1, 3, (400, 2))
    responses[:, 1] = np.minimum(responses[:, 1], 1)  # nobody chose its third option
    known = np.repeat([[-1.0], [1.0]], 200, axis=0)
    found = low_rank(known, responses, 3, np.array([[-1.0], [1.0]]), 1e6)
    for group, rows in enumerate((slice(0, 200), slice(200, 400))):
        for item in range(2):
            counts = np.bincount(responses[rows, item] + 1, minlength=4)[1:]
            assert found[group, item] == pytest.approx(counts / counts.sum(), abs=2e-3)
    weak = low_rank(known, responses, 3, known[:1], 1e-6)  # all that is left are the marginals
    counts = np.bincount(responses[:, 0] + 1, minlength=4)[1:]
    assert weak[0, 0] == pytest.approx(counts / counts.sum(), abs=1e-6)


def test_strategies_that_show_the_same_share_their_twins() -> None:
    study = invented(4)
    same = Strategy("other", "other", Shown(traits=("sex", "age")))
    nothing = Strategy("nothing", "nothing", Shown(traits=()))
    others = Strategy("others", "others", ReadingOthers(traits=()))
    names = supervised_names([TRAITS, same, ANSWERS, others, nothing], study)
    assert names["shown"] == names["other"] == tuple(f"{x.name} given shown" for x in LEARNERS)
    assert names["reading"] == tuple(f"{x.name} given reading" for x in LEARNERS)
    assert names["others"] == tuple(f"{x.name} given others" for x in LEARNERS)  # who know more
    assert names["nothing"] == ()


def predicted(condition: Condition, nll: NDArray[np.float64]) -> Predictions:
    """Two items of two options that a condition gave each person this NLL on both."""
    people = len(nll)
    responses = Responses(
        tuple(map(str, range(people))),
        ("a", "b"),
        (("0", "1"), ("0", "1")),
        np.array([True, True]),
        np.zeros((people, 2), int),
        np.arange(people),
        np.ones(people),
    )
    logs = np.stack([-nll, np.log1p(-np.exp(-nll))], axis=-1)[None, :, None, :].repeat(2, axis=2)
    pool, donors = np.zeros(people, int), np.full((1, people), -1)
    return Predictions(
        responses, condition, pool, donors, logs, logs[..., 0], np.ones((1, people, 2))
    )


def test_skill_is_the_part_that_is_saved_of_what_can_be_saved() -> None:
    rng = np.random.default_rng(0)
    level = {
        ("m", "none", "none"): 2.0,
        ("m", "s", "own"): 1.7,
        ("m", "t", "own"): 2.1,
        ("sure", "none", "none"): 0.5,
        ("sure", "s", "own"): 0.4,
        (BASELINE, MARGINALS, "none"): 1.6,
        (BASELINE, "logistic given s", "none"): 1.4,
        (BASELINE, "logistic given t", "none"): 1.1,
    }
    nll = {key: mean + rng.uniform(-0.2, 0.2, 60) for key, mean in level.items()}
    conditions = [predicted(Condition(*key), values) for key, values in nll.items()]
    supervised = {"s": ["logistic given s"], "t": ["logistic given t"]}
    people = Resampling.of(60)
    found = {(s.model, s.strategy): s for s in skills(conditions, supervised, people)}
    one = found["m", "s"]
    none, own = nll["m", "none", "none"].mean(), nll["m", "s", "own"].mean()
    best = nll[BASELINE, "logistic given s", "none"].mean()
    assert (one.best, one.reason) == ("logistic given s", "")
    assert one.share.value == pytest.approx((none - own) / (none - best))
    assert one.share.low < one.share.value < one.share.high
    assert one.share.high - one.share.low < 0.3
    assert found["m", "t"].best == "logistic given t" and found["m", "t"].share.value < 0
    unbeaten = found["sure", "s"]
    assert np.isnan([unbeaten.share.value, unbeaten.share.low, unbeaten.share.high]).all()
    assert unbeaten.reason == "logistic given s predicts no better than the model without a persona"


def test_the_saved_part_of_each_draw_is_that_of_its_people() -> None:
    none, own, best = np.array([[2.0, 1.0, 3.0], [1.0, 1.0, 2.0], [0.0, 2.0, 2.0]])
    weights = np.array([[1.0, 1, 1], [2, 0, 1], [0, 3, 0]])
    shares = saved_part(weights, none, own, best[:, None], np.array([0, 1, 1]))
    assert shares == pytest.approx([2 / 2, 3 / 5, np.nan], nan_ok=True)
