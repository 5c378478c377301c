"""Results of invented studies: pooling, clusters, weights, second occasions."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import geppetto
from geppetto._util.errors import GeppettoError
from geppetto.evaluation.effects import effects
from geppetto.evaluation.inference.resampling import Estimate
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.item_sampling import OtherItems
from geppetto.evaluation.results import Results
from geppetto.planning.analysis_config import Analysis
from invented import tilt_of
from invented_results import results_of


@pytest.fixture(scope="module")
def many() -> list[Results]:
    return [results_of(f"study {n}", n, 0.15, 30 + 4 * n) for n in range(9)]


def test_pooled_studies_count_the_same_and_vary_as_studies_do(many: list[Results]) -> None:
    pooled = {v.effect.contrast.name: v for v in geppetto.pool(many)}
    single = [
        next(v for v in found.verdicts() if v.effect.contrast.name == "information")
        for found in many
    ]
    information = pooled["information"]
    values = np.array([v.effect.nats.value for v in single])
    assert information.effect.nats.value == pytest.approx(values.mean())
    assert information.effect.participants == sum(v.effect.participants for v in single)
    width = information.effect.nats.high - information.effect.nats.low
    assert width > 2 * 1.5 * values.std(ddof=1) / np.sqrt(len(values))
    assert information.outcome == "matters"
    assert information.p == pytest.approx(2 / 2**9, abs=0.004)
    assert information.people_needed is None


def test_few_studies_never_decide_for_others(many: list[Results]) -> None:
    for verdict in geppetto.pool(many[:3]):
        assert verdict.p >= 0.2
        assert verdict.finding not in ("positive", "negative")
        assert verdict.outcome == "undecided"
        assert "3 studies are too few, 8 are needed" in verdict.sentence


def test_what_cannot_be_pooled_says_why(many: list[Results]) -> None:
    with pytest.raises(GeppettoError, match="at least two different studies"):
        geppetto.pool(many[:1])
    other = results_of("other", 1, 0.1, analysis=Analysis(draws=300, smallest_effect=0.01))
    with pytest.raises(GeppettoError, match="differ in their `analysis`"):
        geppetto.pool([many[0], other])


def test_clusters_are_drawn_and_permuted_whole(many: list[Results]) -> None:
    alone = many[0]
    names = sorted(alone.study.people)
    cluster = {name: f"class {number // 5}" for number, name in enumerate(names)}
    grouped = Results(
        alone.question,
        alone.study,
        alone.analysis,
        alone.answers.assign(cluster=alone.answers["participant"].map(cluster)),
        alone.supervised,
    )
    assert len(np.unique(grouped.resampling.clusters)) == 6
    for verdict in grouped.verdicts():
        assert verdict.test == "signs flipped"
        assert verdict.outcome == "undecided"
        assert "6 groups of people are too few, 20 are needed" in verdict.sentence
    assert grouped.second_opinion()["reason"].tolist() == ["it takes 15 items, not 6"] * 2
    drawn = next(iter(grouped.resampling.weights()))
    for members in (grouped.resampling.clusters == c for c in range(6)):
        assert (drawn[:, members] == drawn[:, members][:, :1]).all()


def test_pooled_studies_pay_for_earlier_looks(many: list[Results]) -> None:
    third = [replace(found, analysis=Analysis(draws=300, looks=3)) for found in many[:5]]
    once = [replace(found, analysis=Analysis(draws=300)) for found in many[:5]]
    for paid, free in zip(geppetto.pool(third), geppetto.pool(once), strict=True):
        assert paid.looks == 3 and paid.p_adjusted == min(1, 3 * free.p_adjusted)
        assert paid.effect.nats.low < free.effect.nats.low
        assert paid.effect.nats.high > free.effect.nats.high


def test_survey_weights_count_if_they_are_asked_for(many: list[Results]) -> None:
    plain = many[0]
    weight = {name: 1.0 + number % 3 for number, name in enumerate(sorted(plain.study.people))}
    answers = plain.answers.assign(weight=plain.answers["participant"].map(weight))
    weighted = replace(plain, answers=answers, analysis=Analysis(draws=300, weighted=True))
    people = weighted.metrics(by="participant").query("arm == 'own'")
    expected = np.average(people["nll"], weights=people["participant"].map(weight))
    metrics = weighted.metrics().set_index("arm")["nll"]
    assert metrics["own"] == pytest.approx(expected)
    assert metrics["own"] != pytest.approx(plain.metrics().set_index("arm")["nll"]["own"])
    for verdict in weighted.verdicts():
        contrast = verdict.effect.contrast
        if contrast.name == "benefit":  # of a rival that is chosen for each fold of people
            continue
        if "shuffled" in (contrast.worse, contrast.better):  # counted as owners are
            continue
        assert verdict.effect.nats.value == pytest.approx(
            metrics[contrast.worse].iloc[0] - metrics[contrast.better]
            if contrast.worse == "none"
            else metrics[contrast.worse] - metrics[contrast.better]
        )


def test_a_few_heavy_people_are_few_people(many: list[Results]) -> None:
    plain = many[8]
    heavy = set(sorted(plain.study.people)[:10])
    weights = [1000.0 if name in heavy else 1.0 for name in plain.answers["participant"]]
    analysis = Analysis(draws=300, weighted=True)
    weighted = replace(plain, answers=plain.answers.assign(weight=weights), analysis=analysis)
    for verdict in weighted.verdicts():
        assert verdict.outcome == "undecided"
        assert "10 people, as survey weights count them, are too few" in verdict.sentence


def test_the_permuted_effect_is_the_one_that_is_shown(many: list[Results]) -> None:
    for found in many[:4]:
        information, _ = (v for v in found.verdicts() if v.confirmatory)
        assert information.test == "personas permuted"
        (match,) = found._matches.values()
        assert match.information == pytest.approx(information.effect.nats.value)


def test_one_item_is_enough(many: list[Results]) -> None:
    found = many[0]
    one = replace(found, answers=found.answers[found.answers["item"] == "q1"])
    assert one.second_opinion()["reason"].tolist() == ["it takes 15 items, not 1"] * 2
    assert len(one.effects()) == 4


def test_second_answers_are_the_ceiling_of_accuracy(many: list[Results]) -> None:
    once = many[0]
    rng = np.random.default_rng(0)
    again = {
        name: replace(
            person,
            retest={
                item: code if rng.random() < 0.8 else {"1": "2", "2": "1"}[code]
                for item, code in person.responses.items()
            },
        )
        for name, person in once.study.people.items()
    }
    twice = replace(once, study=replace(once.study, people=again))
    rows = twice.ceilings().query("construct == 'all items'").set_index(["strategy", "arm"])
    own = rows.loc[("s", "own")]
    same = [p.retest[item] == code for p in again.values() for item, code in p.responses.items()]
    assert own["retest_accuracy"] == pytest.approx(np.mean(same))
    accuracy = twice.metrics().query("arm == 'own'")["accuracy"].iloc[0]
    assert own["accuracy_of_retest"] == pytest.approx(accuracy / own["retest_accuracy"])
    assert "all items" not in set(once.ceilings()["construct"])


def test_a_planted_effect_is_found_by_every_instrument() -> None:
    found = results_of("planted", 3, tilt_of(0.08, 160), 160, items=16)
    row = found.effects().query("effect == 'information'").iloc[0]
    assert row["verdict"] == "matters" and row["p"] == pytest.approx(0.0004)
    individuation = found.individuation().query("arm == 'own'").iloc[0]
    for name, chance in (("auc", 0.5), ("item_correlation", 0), ("residual_correlation", None)):
        if chance is not None:
            assert individuation[f"{name}_low"] > chance
    opinion = found.second_opinion().iloc[0]
    assert opinion["nats_low"] > 0 and row["generalises"] is True
    verdict, _ = (verdict for verdict in found.verdicts() if verdict.confirmatory)
    assert verdict.items is not None and verdict.items.model is not None
    mean = verdict.items.model.mean
    ends = f"[{mean.low:+.4f}, {mean.high:+.4f}]"
    assert verdict.sentence.endswith(f" Over other items like these, too: {ends}.")


def test_a_verdict_says_where_it_does_not_hold_for_other_items() -> None:
    found = results_of("planted", 3, tilt_of(0.08, 160), 160, items=16)
    verdict, _ = (verdict for verdict in found.verdicts() if verdict.confirmatory)
    assert verdict.items is not None and verdict.items.model is not None

    def over_items(low: float, value: float, high: float) -> Verdict:
        assert verdict.items is not None and verdict.items.model is not None
        model = replace(verdict.items.model, mean=Estimate(value, low, high))
        return replace(verdict, items=OtherItems(model))

    wide = over_items(-0.1, 0.1, 0.3)
    assert wide.found == verdict.found and wide.generalises is False
    assert "For other items like these it is open: [-0.1000, +0.3000]." in wide.sentence
    assert over_items(-0.3, -0.2, -0.1).generalises is False  # the other way is no support
    nothing = replace(
        over_items(-0.004, 0.0, 0.004), p_equivalent_adjusted=0.01, p_equivalent_bounded=0.01
    )
    assert nothing.found == "equivalent to nothing" and nothing.generalises is True
    assert replace(nothing, items=over_items(-0.006, 0.0, 0.004).items).generalises is False
    none = replace(verdict, items=OtherItems(None, "people are weighted"))
    assert none.generalises is None
    assert none.sentence.endswith(" Of other items nothing is said: people are weighted.")
    assert all(one.items is None for one in found.verdicts() if not one.confirmatory)


def test_groups_of_people_are_a_factor_of_what_other_items_would_do() -> None:
    alone = results_of("grouped", 3, 0.15, 120, items=16)
    names = sorted(alone.study.people)
    group = {name: f"class {number // 5}" for number, name in enumerate(names)}
    answers = alone.answers.assign(cluster=alone.answers["participant"].map(group))
    grouped = replace(alone, answers=answers)
    opinion = grouped.second_opinion().iloc[0]
    assert opinion["reason"] == "" and opinion["variance_of_groups"] >= 0
    assert "variance_of_groups" not in alone.second_opinion()


def test_results_that_were_taken_cannot_be_spoiled(many: list[Results]) -> None:
    found = many[0]
    for table in (found.metrics, found.individuation, found.ceilings, found.effects):
        taken = table()
        taken[taken.columns[-1]] = "spoiled"
        assert (table()[taken.columns[-1]] != "spoiled").all()
    verdicts = found.verdicts()
    verdicts.clear()
    assert found.verdicts()
    assert effects([], found.resampling) == []
