"""Effects among some people, and whether they differ between groups."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.changes import Change
from geppetto.evaluation.contrasts import INFORMATION
from geppetto.evaluation.differences import Differences, differences
from geppetto.evaluation.interaction import interactions
from geppetto.evaluation.lending import influence
from geppetto.evaluation.matches import information_tests, matching_matrices
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.resampling import Resampling, estimate, mean
from invented import circle, predicted, responses


def of_personas(said: NDArray[np.int64], belief: Floats, donors: Integers) -> list[Predictions]:
    """No persona, strangers' and own, where everyone's persona believes yes with a probability."""
    personas = np.stack([1 - belief, belief], axis=-1)
    given = responses(said)
    nobody = np.full(personas.shape, 0.5)
    return [
        predicted(given, "none", nobody),
        predicted(given, "shuffled", personas, donors),
        predicted(given, "own", personas),
    ]


def by_contrast(found: list[Predictions], rows: Integers | None = None) -> dict[str, Differences]:
    return {one.contrast.name: one for one in differences(found, rows=rows)}


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


def unlike(rng: np.random.Generator, people: int, gap: float) -> list[Predictions]:
    """Personas that predict everybody well or badly, men's better, and nobody in particular."""
    men = np.arange(people) < people // 3
    said = (rng.random((people, 8)) < 0.7).astype(int)
    of_persona = 0.55 + 0.15 * rng.standard_normal((people, 1)) + gap * men[:, None]
    belief = np.clip(of_persona + 0.03 * rng.standard_normal((people, 8)), 0.03, 0.97)
    return of_personas(said, belief, circle(people, (1, 3, 7), rng))


def test_random_halves_and_groups_with_other_personas_have_honest_intervals() -> None:
    """Counting only whom halves were shown made 43% of them significant."""
    rng, runs, people = np.random.default_rng(2), 200, 90
    held = {"half": 0, "men": 0, "women": 0}
    differ = 0
    for run in range(runs):
        found = unlike(rng, people, gap=0.2)
        half = np.sort(rng.permutation(people)[: people // 2])
        groups = {"half": half, "men": np.arange(30), "women": np.arange(30, 90)}
        everybody = Resampling.of(people, draws=400, seed=run)
        for name, rows in groups.items():
            one = by_contrast(found, rows)["information"]
            held[name] += not estimate(
                mean, one.influence, people=everybody.among(rows)
            ).excludes_zero()
        whole = by_contrast(found)["information"]
        (change,) = interactions([whole], {k: groups[k] for k in ("men", "women")}, everybody)
        differ += change.p < 0.05
    assert all(0.89 <= count / runs <= 0.99 for count in held.values()), held
    assert 0.005 <= differ / runs <= 0.10


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


def contributions(values: Floats) -> Differences:
    """Invented contributions to information."""
    rows = np.arange(len(values))
    return Differences("m", "s", INFORMATION, "nll", "", rows, values, values, values)


def changed(
    values: Floats, groups: dict[str, Integers], people: Resampling | None = None
) -> list[Change]:
    return interactions([contributions(values)], groups, people or Resampling.of(len(values)))


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


def test_a_small_group_without_those_who_are_rare_does_not_differ() -> None:
    """By t-tests it does in 21% of samples, and among four groups in 0.3%."""
    rng, runs = np.random.default_rng(6), 100
    two = {"a": np.arange(15), "b": np.arange(15, 100)}
    four = dict(zip("abcd", np.split(np.arange(100), [10, 20, 60]), strict=True))
    differ = np.zeros(2)
    for _ in range(runs):
        values = np.where(rng.random(100) < 0.05, -20.0, 0.0) + rng.normal(1, 0.3, 100)
        differ += [changed(values, groups)[0].p < 0.05 for groups in (two, four)]
    assert (differ / runs <= 0.1).all() and (differ / runs >= 0.01).all()


def test_small_groups_are_left_out_and_clusters_count_as_one() -> None:
    rng = np.random.default_rng(5)
    values = rng.normal(size=60)
    few = {"a": np.arange(30), "b": np.arange(30, 51), "c": np.arange(51, 60)}
    (change,) = changed(values, few)
    assert change.differences.among == "a to b"
    assert not changed(values, {"a": np.arange(51), "c": np.arange(51, 60)})
    twins = Resampling.of(60, clusters=np.arange(60) // 2)
    both = {"a": np.arange(30), "b": np.arange(30, 60)}
    (alone,), (together,) = (
        changed(np.repeat(values[:30], 2), both),
        changed(np.repeat(values[:30], 2), both, twins),
    )
    width = (one.nats.high - one.nats.low for one in (alone, together))
    assert next(width) * 1.3 < next(width)


def test_nothing_differs_where_all_contributions_are_the_same() -> None:
    (change,) = changed(np.zeros(40), {"a": np.arange(20), "b": np.arange(20, 40)})
    assert (change.nats.value, change.p) == (0.0, 1.0)
    assert replace(change.nats, value=1.0).low == 0
