"""The gap between a post-trained model and its base, and what of it personas win back."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geppetto.evaluation.arrays import Floats, nanmean
from geppetto.evaluation.differences import differences
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.pairs.gap import (
    PairDifferences,
    gaps,
    mean_gap,
    pair_differences,
    published_d,
)
from geppetto.evaluation.pairs.recovery import recoveries
from geppetto.evaluation.tables import gaps_table, recoveries_table
from geppetto.models.lineage import Lineage, Pair
from geppetto.planning.analysis_config import Analysis
from invented import tilt_of, two_types

PEOPLE = 160
ANALYSIS = Analysis(draws=400)
RESAMPLING = Resampling.of(PEOPLE, draws=400)


def pair(post: str = "m", size: str = "8B") -> Pair:
    origin = {"family": "Pine", "generation": "2", "released": "2025-04-28"}
    base = Lineage.model_validate(origin | {"parameters": "8B", "training": "base"})
    other = {"parameters": size, "training": "post-trained", "base": "pine"}
    return Pair(post, "pine", Lineage.model_validate(origin | other), base)


def gap_of(persons: Floats, post: str = "m", **keys: object) -> PairDifferences:
    """A gap of each person, on top of how hard each of them is to predict."""
    base = np.random.default_rng(0).normal(1.5, 0.5, len(persons))
    trials = np.full(len(persons), 50)
    return pair_differences(pair(post), base + persons, base, trials=trials, **keys)


def normal(mean: float, sd: float = 0.1, seed: int = 0, people: int = PEOPLE) -> Floats:
    drawn = np.random.default_rng(seed).normal(size=people)
    return mean + sd * (drawn - drawn.mean()) / drawn.std()


@pytest.mark.parametrize(
    ("mean", "sd", "outcome"),
    [
        (0.1, 0.1, "less human-like"),
        (-0.1, 0.1, "more human-like"),
        (0.0, 0.005, "equally human-like"),
        (0.01, 0.1, "undecided"),
    ],
)
def test_what_post_training_made_of_a_model_is_said(mean: float, sd: float, outcome: str) -> None:
    (found,) = gaps([gap_of(normal(mean, sd))], RESAMPLING, ANALYSIS)
    assert found.outcome == outcome
    assert found.sentence.startswith(f"m is {outcome} against pine: ")
    assert found.nats.value == pytest.approx(mean)
    assert found.nats.low < mean < found.nats.high
    assert found.verdict.effect.nats_per_person.value == pytest.approx(50 * mean)


def test_how_hard_people_are_to_predict_is_no_part_of_the_gap() -> None:
    (found,) = gaps([gap_of(normal(0.02, 0.01))], RESAMPLING, ANALYSIS)
    assert found.nats.high - found.nats.low < 0.006
    assert found.outcome == "less human-like"


def test_gaps_are_corrected_for_each_other() -> None:
    asked = [gap_of(normal(0.022, 0.1, seed), f"m{seed}") for seed in range(8)]
    alone = gaps(asked[:1], RESAMPLING, ANALYSIS)[0]
    together = gaps(asked, RESAMPLING, ANALYSIS)[0]
    assert alone.verdict.p == together.verdict.p
    assert "Benjamini-Hochberg over 8" in together.sentence
    few = gaps([asked[0], *(gap_of(normal(0, 1, n)) for n in range(7))], RESAMPLING, ANALYSIS)[0]
    assert few.verdict.p_adjusted == pytest.approx(min(1, 8 * alone.verdict.p))


def test_of_several_studies_whole_studies_are_drawn_and_permuted() -> None:
    studies = np.arange(PEOPLE) // 16
    of_studies = np.random.default_rng(1).normal(0.1, 0.1, 10)[studies]
    resampling = Resampling.of(PEOPLE, studies=studies, draws=400)
    asked = gap_of(of_studies + normal(0, 0.01))
    (nested,) = gaps([asked], resampling, ANALYSIS)
    (alone,) = gaps([asked], RESAMPLING, ANALYSIS)
    assert nested.verdict.test == "signs of studies flipped"
    assert (nested.verdict.basis.units, nested.verdict.basis.unit) == (10, "studies")
    assert nested.verdict.p >= 2 / 2**10
    wide, narrow = (g.nats.high - g.nats.low for g in (nested, alone))
    assert wide > 2 * narrow
    few = Resampling.of(PEOPLE, studies=studies // 2, draws=400)
    (undecided,) = gaps([asked], few, ANALYSIS)
    assert undecided.outcome == "undecided"
    assert "(5 studies are too few, 8 are needed)" in undecided.sentence


def test_a_category_is_of_its_participants_only() -> None:
    persons = np.where(np.arange(PEOPLE) < 80, 0.2, 0.0) + normal(0, 0.02)
    ends = np.tile([-1.0, 1.0], (PEOPLE, 1))
    some = gap_of(persons, among="RL", rows=np.arange(80), possible=ends)
    (found,) = gaps([some], RESAMPLING, ANALYSIS)
    assert found.nats.value == pytest.approx(persons[:80].mean())
    assert found.verdict.effect.participants == 80
    assert ", among RL: " in found.sentence


def test_models_that_were_scored_on_different_participants_are_not_compared() -> None:
    post, base = np.ones((2, PEOPLE))
    post[3] = np.nan
    with pytest.raises(ValueError, match="m and pine were not scored on the same participants"):
        pair_differences(pair(), post, base, trials=np.ones(PEOPLE, int))
    base[3] = np.nan
    found = pair_differences(pair(), post, base, trials=np.ones(PEOPLE, int))
    assert 3 not in found.differences.rows and len(found.differences.rows) == PEOPLE - 1


def test_the_mean_gap_is_of_pairs_with_the_same_participants() -> None:
    one, other = gap_of(normal(0.1)), gap_of(normal(0.3, seed=1), "n")
    found = mean_gap([one, other], RESAMPLING)
    assert found.value == pytest.approx(0.2) and found.low < 0.2 < found.high
    with pytest.raises(ValueError, match="different participants"):
        mean_gap([one, gap_of(normal(0.1), rows=np.arange(5))], RESAMPLING)


def test_the_published_d_is_over_pooled_responses() -> None:
    rng = np.random.default_rng(2)
    base = rng.exponential(size=(30, 40))
    post = 1.2 * base + 0.1
    expected = (post.mean() - base.mean()) / np.sqrt((post.var() + base.var()) / 2)
    assert published_d(post, base) == pytest.approx(expected)
    assert published_d(base, post) == pytest.approx(-expected)
    assert published_d(rng.permuted(post.ravel()), base) == pytest.approx(expected)
    some = np.where(rng.random(post.shape) < 0.5, np.nan, post)
    known = some[np.isfinite(some)]
    assert published_d(some, base) == pytest.approx(
        (known.mean() - base.mean()) / np.sqrt((known.var() + base.var()) / 2)
    )
    assert np.isnan(published_d(np.ones(4), np.ones(4)))


def test_a_pair_of_other_sizes_says_so_wherever_it_is_named() -> None:
    other = replace(gap_of(normal(0.1)), pair=pair(size="14B"))
    (found,) = gaps([other], RESAMPLING, ANALYSIS)
    assert found.sentence.endswith("m and pine differ in size (14B, 8B) too.")
    assert gaps_table([found])["note"].tolist() == [found.pair.note]


def test_what_personas_win_back_adds_up_over_the_ladder_of_arms() -> None:
    rng = np.random.default_rng(3)
    arms = two_types(rng, PEOPLE, 40, tilt_of(0.1, PEOPLE), 0.2)
    none = nanmean(nanmean(arms[0].nll, 0), 1)
    lost = normal(0.25, 0.05)
    trials = np.full(PEOPLE, 40)
    gap = pair_differences(pair(), none, none - lost, trials=trials)
    found = recoveries([gap], differences(arms), RESAMPLING, ANALYSIS)
    by_name = {one.contrast.name: one for one in found}
    assert set(by_name) == {"total", "format", "information"}
    information = by_name["information"].recovery
    assert information.bounded and information.value == pytest.approx(0.1 / 0.25, abs=0.1)
    assert information.low > 0
    parts = by_name["format"].recovery.value + information.value
    assert parts == pytest.approx(by_name["total"].recovery.value)
    assert by_name["information"].sentence.startswith("m with s, information: ")
    assert by_name["information"].sentence.endswith(" of the gap is won back (the base is pine)")
    table = recoveries_table(found).set_index("effect")
    assert table.loc["information", "recovery"] == information.value
    assert table.loc["information", "recovery_low"] == information.low
    assert table["bounded"].all() and table["excluded_from"].isna().all()


def test_what_belongs_to_another_model_or_measure_is_left_alone() -> None:
    arms = two_types(np.random.default_rng(4), PEOPLE, 10, 0.2)
    for other in (gap_of(normal(1), "n"), gap_of(normal(1), measure="nll_full")):
        assert recoveries([other], differences(arms), RESAMPLING, ANALYSIS) == []


def test_recoveries_of_few_people_are_not_told() -> None:
    arms = two_types(np.random.default_rng(5), 16, 10, 0.2)
    gap = gap_of(normal(1, people=16))
    few = recoveries([gap], differences(arms), Resampling.of(16, draws=400), ANALYSIS)
    assert len(few) == 3
    for one in few:
        assert "cannot be told: 16 people are too few, 60 are needed" in one.sentence


def test_recoveries_pay_for_earlier_looks() -> None:
    arms = two_types(np.random.default_rng(6), PEOPLE, 10, 0.2)
    gap = gap_of(normal(1))
    once = recoveries([gap], differences(arms), RESAMPLING, ANALYSIS)
    third = recoveries([gap], differences(arms), RESAMPLING, Analysis(draws=400, looks=3))
    for one, other in zip(once, third, strict=True):
        assert other.recovery.low < one.recovery.low
        assert other.recovery.high > one.recovery.high


def test_the_table_of_gaps_has_a_row_a_pair_with_its_models() -> None:
    asked = [gap_of(normal(0.1), published_d=0.08), gap_of(normal(0.2), "n")]
    table = gaps_table(gaps(asked, RESAMPLING, ANALYSIS)).set_index("post")
    assert table["base"].tolist() == ["pine"] * 2
    assert table["billions"].tolist() == [8.0, 8.0]
    assert table.loc["m", "published_d"] == 0.08 and np.isnan(table.loc["n", "published_d"])
    assert (table["nats_low"] < table["nats"]).all() and (table["nats"] < table["nats_high"]).all()
    assert table["outcome"].tolist() == ["less human-like"] * 2
    assert table["predicted_worse"].between(0.5, 1).all()
