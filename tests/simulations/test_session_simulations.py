"""Whether inference over sessions keeps its promises, in simulations with known truths."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from geppetto.evaluation.changes import between, changes, slopes
from geppetto.evaluation.differences import Differences, differences
from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.inference.resampling import Resampling, estimate, mean
from geppetto.evaluation.lending import influence
from geppetto.evaluation.losses import quality_where_shown
from geppetto.personas.arms import SESSION_DONORS
from geppetto.planning.analysis_config import Analysis
from invented import circle
from invented_nats import Nats

DRAWN = Resampling.of(60, draws=300)


def found_in(differences: list[Differences], truth: dict[str, float]) -> Counter[str]:
    """What intervals hold and what tests find, by the name of the contrast."""
    hits = Counter[str]()
    for one in differences:
        name = one.contrast.name
        nats = estimate(mean, one.influence, people=DRAWN)
        hits[f"{name} held"] += nats.low <= truth[name] <= nats.high
        p = sign_flip_p(one.influence[:, None], DRAWN, permutations=299)[0]
        hits[f"{name} found"] += p < 0.05
    return hits


@pytest.mark.parametrize("donors", [1, 3])
@pytest.mark.parametrize("persona", [0.0, 0.3])
def test_intervals_hold_the_truth_and_nothing_is_found_where_nothing_is(
    donors: int, persona: float
) -> None:
    """Also where personas differ in what they cost whoever they are shown for."""
    world = Nats(donors=donors, persona=persona)
    rng, runs, hits = np.random.default_rng(3), 300, Counter[str]()
    names = ("total", "format", "information", "benefit")
    for _ in range(runs):
        found = differences(world.predicted(rng), "nll_full")
        hits += found_in(found, dict.fromkeys(names, 0.0))
    for name in names:
        assert hits[f"{name} held"] / runs > 0.91, (name, hits)
        assert hits[f"{name} found"] / runs < 0.09, (name, hits)


def test_what_personas_cost_would_otherwise_make_format_effects_seem_sure() -> None:
    world = Nats(donors=5, persona=0.3)
    rng, runs, naive, honest = np.random.default_rng(4), 300, 0, 0
    for _ in range(runs):
        (found,) = (
            one
            for one in differences(world.predicted(rng), "nll_full")
            if one.contrast.name == "format"
        )
        for_persons = estimate(mean, found.persons, people=DRAWN)
        for_personas_too = estimate(mean, found.influence, people=DRAWN)
        naive += for_persons.low <= 0 <= for_persons.high
        honest += for_personas_too.low <= 0 <= for_personas_too.high
    assert naive / runs < 0.9 < 0.915 < honest / runs


def test_a_persona_that_costs_everyone_much_is_told_from_one_that_fits_badly() -> None:
    rng = np.random.default_rng(5)
    donors = circle(200, (1, 2, 3), rng)
    costs = rng.normal(0, 1, 200)
    person = rng.normal(0, 3, 200)
    clear = quality_where_shown(costs[donors] + person + rng.normal(0, 0.3, donors.shape), donors)
    assert np.corrcoef(clear, costs)[0, 1] > 0.8
    assert np.std(clear) > 0.8
    nothing = quality_where_shown(person + rng.normal(0, 1, donors.shape), donors)
    assert np.std(nothing) < 0.15
    assert (quality_where_shown(costs[donors[:1]] + person, donors[:1]) == 0).all()


@pytest.mark.parametrize("kind", ["personas differ", "own ones fit unequally", "heavy tails"])
def test_information_varies_as_it_claims_with_the_strangers_that_sessions_have(kind: str) -> None:
    """Not above by more than a quarter, nor below, of all and of a random half of people."""
    rng, people, of_all, of_half = np.random.default_rng(9), 60, [], []
    for _ in range(500):
        tails = (lambda: rng.standard_t(3, people)) if "heavy" in kind else None
        drawn = tails or (lambda: rng.normal(size=people))
        persona, person = 0.3 * drawn(), 0.3 * drawn()
        saved = 0.2 * rng.normal(size=people) * ("fit" in kind)
        distances = rng.choice(np.arange(1, people), SESSION_DONORS, replace=False)
        donors = circle(people, tuple(distances), rng)
        shuffled = person + persona[donors] + rng.normal(0, 0.12, donors.shape)
        own = person + persona - saved + rng.normal(0, 0.12, people)
        each = influence(shuffled, donors, quality_where_shown(shuffled, donors)) - own
        each += (shuffled.mean(0) - own).mean() - each.mean()
        half = each[rng.permutation(people) < people // 2]
        for found, values in ((of_all, each), (of_half, half)):
            found.append((values.mean(), values.std(ddof=1) / np.sqrt(len(values))))
    for found, most in ((of_all, 0.06), (of_half, 0.07)):
        values, errors = np.array(found).T
        ratio = np.sqrt(np.mean(errors**2)) / np.std(values)
        assert 0.93 < ratio < 1.27, (kind, ratio)
        assert np.mean(np.abs(values) > 2.01 * errors) <= most, kind


def test_a_slope_is_found_as_often_as_it_should_be_and_held_by_its_interval() -> None:
    runs = 200
    for slope, lowest, highest in ((0.0, 0.0, 0.09), (-0.05, 0.9, 1.0)):
        world = Nats(trials=16, donors=2, information=0.3, slope=slope)
        rng, held, found = np.random.default_rng(6), 0, 0
        for _ in range(runs):
            every = list(slopes(world.predicted(rng), "nll_full", np.ones(60), "position"))
            (one,) = (one for one in every if one.contrast.name == "information")
            nats = estimate(mean, one.influence, people=DRAWN)
            held += nats.low <= slope <= nats.high
            p = sign_flip_p(one.influence[:, None], DRAWN, permutations=299)[0]
            found += p < 0.05
        assert held / runs > 0.9, (slope, held)
        assert lowest <= found / runs <= highest, (slope, found)


def test_people_with_short_sessions_count_by_what_they_tell_of_a_slope() -> None:
    world = Nats(trials=16, donors=1, slope=-0.1, cell=0.0, pair=0.0)
    found = world.predicted(np.random.default_rng(7))
    for one in found:
        one.log_prob[:, :20, 4:] = np.nan
        one.log_prob[:, 20:25, 1:] = np.nan
    (information,) = (
        one
        for one in slopes(found, "nll_full", np.ones(60), "position")
        if one.contrast.name == "information"
    )
    assert len(information.rows) == 55  # five people responded once
    np.testing.assert_allclose(information.influence, -0.1)


def test_a_change_between_histories_is_paired_by_person() -> None:
    """What a person adds in both histories cancels, and a planted change is found."""
    rng, runs, hits = np.random.default_rng(8), 150, Counter[str]()
    for _ in range(runs):
        for planted in (0.0, 0.15):
            short, long = (
                next(
                    one
                    for one in differences(world.predicted(rng), "nll_full")
                    if one.contrast.name == "information"
                )
                for world in (Nats(information=0.3), Nats(information=0.3 - planted))
            )
            (change,) = changes([between(short, long, "x")], DRAWN, Analysis(draws=300))
            hits[f"held {planted}"] += change.nats.low <= -planted <= change.nats.high
            hits[f"found {planted}"] += change.p_adjusted < 0.05
    assert hits["held 0.0"] / runs > 0.9 and hits["held 0.15"] / runs > 0.9, hits
    assert hits["found 0.0"] / runs < 0.1 < 0.9 < hits["found 0.15"] / runs, hits
    same = next(iter(differences(Nats().predicted(rng), "nll_full")))
    (nothing,) = changes([between(same, same, "x")], DRAWN, Analysis(draws=300))
    assert nothing.nats.value == 0 and nothing.p == 1
