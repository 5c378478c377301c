"""Effects among some people, and whether they differ between groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from geppetto.evaluation.contrasts import INFORMATION
from geppetto.evaluation.differences import differences
from geppetto.evaluation.individuation.matches import information_tests, matching_matrices
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.lending import influence
from invented import circle
from invented_groups import by_contrast, changed, of_personas


def test_what_a_persona_costs_everybody_is_no_information_in_any_group() -> None:
    """All people say yes, and men's personas expect it more, whoever is told them."""
    rng = np.random.default_rng(0)
    people, items = 40, 5
    men = np.arange(people) < 15
    belief = np.repeat(np.where(men, 0.8, 0.6)[:, None], items, axis=1)
    found = of_personas(np.ones((people, items), int), belief, circle(people, (1, 5), rng))
    for rows in (np.flatnonzero(men), np.flatnonzero(~men)):
        among = by_contrast(found, rows)
        assert among["information"].influence == pytest.approx(0, abs=1e-12)
        assert among["information"].persons.std() > 0.01  # by who happened to be the stranger
        own = -np.log(belief[rows[0], 0])
        assert among["format"].influence == pytest.approx(-np.log(0.5) - own)


def test_groups_add_up_to_everybody_and_format_and_information_to_the_total() -> None:
    rng = np.random.default_rng(1)
    people, items = 60, 6
    said = rng.integers(0, 2, (people, items))
    found = of_personas(said, rng.uniform(0.2, 0.8, (people, items)), circle(people, (2, 9), rng))
    whole, sizes = by_contrast(found), np.array([10, 20, 30])
    groups = np.split(rng.permutation(people), np.cumsum(sizes)[:-1])
    parts = [by_contrast(found, np.sort(rows)) for rows in groups]
    for name, one in whole.items():
        assert one.influence.mean() == pytest.approx(one.persons.mean())
        means = [part[name].influence.mean() for part in parts]
        assert np.average(means, weights=sizes) == pytest.approx(one.persons.mean())
    for part in parts:
        total = part["total"].influence.mean()
        two = part["format"].influence.mean() + part["information"].influence.mean()
        assert two == pytest.approx(total)
        assert total == pytest.approx(part["total"].persons.mean())


def test_what_is_lent_by_people_without_a_number_is_not_taken_from_what_varies() -> None:
    """Half have a match, all from the other half: how good these are is part of the interval."""
    rng, people = np.random.default_rng(8), 400
    quality = rng.normal(size=people)
    donors = np.full((1, people), -1)
    donors[0, :200] = rng.integers(200, people, 200)
    values = np.where(donors < 0, np.nan, quality[donors])
    adds = influence(values, donors, quality)
    assert adds[:200] == pytest.approx(values[0, :200]) and np.isnan(adds[200:]).all()


def test_personas_of_people_who_stand_for_more_and_cost_everybody_less_do_not_matter() -> None:
    """With survey weights own personas count as their owners do, and so must strangers'."""
    rng = np.random.default_rng(7)
    people, items = 60, 6
    many = np.arange(people) < 30
    weights = np.where(many, 2.0, 0.5)
    belief = np.repeat(np.where(many, 0.8, 0.6)[:, None], items, axis=1)
    found = of_personas(np.ones((people, items), int), belief, circle(people, (1, 5), rng))
    for rows in (np.arange(people), np.flatnonzero(many), np.flatnonzero(~many)):
        among = {one.contrast.name: one for one in differences(found, rows=rows, weights=weights)}
        assert among["information"].influence == pytest.approx(0, abs=1e-12)
    belief = np.clip(belief + 0.1 * rng.standard_normal(belief.shape), 0.03, 0.97)
    said = rng.integers(0, 2, belief.shape)
    found = of_personas(said, belief, circle(people, (1, 5), rng))
    (one,) = (d for d in differences(found, weights=weights) if d.contrast == INFORMATION)
    drawn = Resampling.of(people, base=weights)
    (test,) = information_tests(matching_matrices(found), found, drawn, 0).values()
    assert test.information == pytest.approx(np.average(one.persons, weights=weights))
    assert test.information == pytest.approx(np.average(one.influence, weights=weights))


def test_two_groups_are_compared_as_by_welch() -> None:
    rng = np.random.default_rng(3)
    values = np.concatenate([rng.normal(0.2, 1, 40), rng.normal(-0.3, 3, 60)])
    groups = {"a": np.arange(40), "b": np.arange(40, 100)}
    (change,) = changed(values, groups)
    assert change.differences.among == "a to b"
    assert change.nats.value == pytest.approx(values[40:].mean() - values[:40].mean())
    welch = stats.ttest_ind(values[40:], values[:40], equal_var=False)
    assert change.p == pytest.approx(welch.pvalue, rel=0.1)
    assert (change.p < 0.05) == change.nats.excludes_zero()


def test_of_more_groups_each_is_compared_with_everybody_else_and_p_is_of_any_difference() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=120)
    values[:40] += 1.5
    groups = {name: np.arange(40) + 40 * number for number, name in enumerate("abc")}
    first, *others = changed(values, groups)
    assert first.differences.among == "everybody else to a"
    assert first.nats.value == pytest.approx(values[:40].mean() - values[40:].mean())
    assert first.nats.low > 0 and {one.p for one in others} == {first.p} and first.p < 0.001
    values[:40] -= 1.2
    alike, *_ = changed(values, groups)
    anova = stats.f_oneway(*(values[rows] for rows in groups.values())).pvalue
    assert alike.p == pytest.approx(anova, abs=0.03)


def test_small_groups_are_left_out_and_clusters_count_as_one() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=60)
    few = {"a": np.arange(30), "b": np.arange(30, 51), "c": np.arange(51, 60)}
    (change,) = changed(values, few)
    assert change.differences.among == "a to b"
    assert not changed(values, {"a": np.arange(51), "c": np.arange(51, 60)})
    supervised = Resampling.of(60, clusters=np.arange(60) // 2)
    both = {"a": np.arange(30), "b": np.arange(30, 60)}
    (alone,), (together,) = (
        changed(np.repeat(values[:30], 2), both),
        changed(np.repeat(values[:30], 2), both, supervised),
    )
    width = (one.nats.high - one.nats.low for one in (alone, together))
    assert next(width) * 1.3 < next(width)


def test_nothing_differs_where_all_contributions_are_the_same() -> None:
    (change,) = changed(np.zeros(40), {"a": np.arange(20), "b": np.arange(20, 40)})
    assert (change.nats.value, change.p) == (0.0, 1.0)
    assert replace(change.nats, value=1.0).low == 0
