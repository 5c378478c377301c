"""Figures of pairs of models: everything is on them, and nothing is on top of something else."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import numpy as np
import pytest

from geppetto.evaluation.contrasts import CONTRASTS
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.inference.infer import infer
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.pairs.gap import Gap, PairDifferences, gaps, mean_gap, pair_differences
from geppetto.models.lineage import Lineage, Pair, pairs
from geppetto.planning.analysis_config import Analysis
from geppetto.reports import pairs as figures
from legible import assert_legible, words

PEOPLE = 40
RESAMPLING = Resampling.of(PEOPLE, draws=200)
ANALYSIS = Analysis(draws=200)
GENERATIONS = {
    ("Pine", "1"): "2024-02-04",
    ("Pine", "2"): "2024-09-19",
    ("Larch", "7"): "2024-07-23",
    ("Yew", "3.1"): "2025-04-28",
}
CATEGORIES = {"RL": range(20), "Risky choice": range(20, 40)}


def lineages() -> dict[str, Lineage]:
    found = {}
    for (family, generation), day in GENERATIONS.items():
        for size in ("500M", "2B", "8B", "70B"):
            name = f"{family}{generation}-{size}"
            told = {"family": family, "generation": generation, "released": day}
            base = told | {"parameters": size, "training": "base"}
            found[name] = Lineage.model_validate(base)
            for kind in ("chat", "think")[: 1 + (family == "Pine")]:
                found[f"{name}-{kind}"] = Lineage.model_validate(
                    base | {"training": "post-trained", "base": name}
                )
    return found


def gap_of(pair: Pair, seed: int, among: str = "") -> PairDifferences:
    rng = np.random.default_rng(seed)
    base = rng.normal(2, 0.3, PEOPLE)
    return pair_differences(
        pair,
        base + rng.normal(rng.uniform(-0.1, 0.5), 0.3, PEOPLE),
        base,
        trials=np.full(PEOPLE, 10),
        among=among,
        rows=np.array(CATEGORIES[among]) if among else None,
        published_d=0.1,
    )


@pytest.fixture(scope="module")
def found() -> list[Gap]:
    asked = [gap_of(pair, n) for n, pair in enumerate(pairs(lineages()))]
    assert len(asked) == 24
    return gaps(asked, RESAMPLING, ANALYSIS)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    plt.close("all")


def test_every_pair_is_on_the_figure_of_gaps(found: list[Gap]) -> None:
    figure = figures.gaps(found)
    assert_legible(figure)
    assert [axis.get_title(loc="left") for axis in figure.axes] == ["Pine", "Larch", "Yew"]
    for gap in found:
        assert f"{gap.pair.post} ({gap.pair.lineage.parameters})" in words(figure)
        assert f"{gap.outcome}, d +0.10" in words(figure)
    assert "nats a response" in words(figure) and "95% interval" in words(figure)
    sizes = [label.get_text() for label in figure.axes[1].get_yticklabels()]
    assert sizes == [f"Larch7-{size}-chat ({size})" for size in ("500M", "2B", "8B", "70B")]


def test_generations_are_in_the_order_of_their_release(found: list[Gap]) -> None:
    figure = figures.gaps_by_generation(found)
    assert_legible(figure)
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_xticklabels()] == [
        "Pine 1, 2024-02-04",
        "Larch 7, 2024-07-23",
        "Pine 2, 2024-09-19",
        "Yew 3.1, 2025-04-28",
    ]
    dots = [line for line in axis.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [8, 4, 8, 4]
    places = np.concatenate([line.get_xdata() for line in dots])
    assert (np.diff(places) > 0).all()
    larch = [gap.nats.value for gap in found if gap.pair.lineage.family == "Larch"]
    assert list(dots[1].get_ydata()) == larch


def test_one_pair_is_enough_for_figures(found: list[Gap]) -> None:
    for figure in (figures.gaps(found[:1]), figures.gaps_by_generation(found[:1])):
        assert_legible(figure)
        assert "nats a response" in words(figure)


def test_categories_have_every_pair_and_their_mean() -> None:
    asked = {
        category: [gap_of(pair, n, category) for n, pair in enumerate(pairs(lineages()))]
        for category in CATEGORIES
    }
    means = {category: mean_gap(of, RESAMPLING) for category, of in asked.items()}
    found = gaps([one for of in asked.values() for one in of], RESAMPLING, ANALYSIS)
    figure = figures.gaps_by_category(found, means)
    assert_legible(figure)
    (axis,) = figure.axes
    dots = [line for line in axis.lines if line.get_marker() == "o"]
    assert [len(line.get_xdata()) for line in dots] == [32, 8, 8, 2]
    assert sorted(dots[-1].get_xdata()) == sorted(mean.value for mean in means.values())
    assert {label.get_text() for label in axis.get_yticklabels()} == set(CATEGORIES)


def test_persona_effects_are_split_by_the_ladder_of_arms() -> None:
    rng = np.random.default_rng(0)
    known = {name: of for name, of in lineages().items() if of.family == "Larch"}
    asked = []
    for model in [*known, "a model of unknown lineage"]:
        for contrast in CONTRASTS:
            nats = rng.normal(0.01, 0.05, PEOPLE)
            rows = np.arange(PEOPLE)
            asked.append(Differences(model, "s", contrast, "nll", "", rows, nats, nats, nats))
    verdicts = infer(asked, RESAMPLING, ANALYSIS, {})
    figure = figures.persona_effects(verdicts, known)
    assert_legible(figure)
    assert [axis.get_title().split("\n") for axis in figure.axes] == [
        ["total", "none − own"],
        ["format", "none − shuffled"],
        ["information", "shuffled − own"],
        ["group", "shuffled − matched"],
        ["individual", "matched − own"],
    ]
    models = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert models == [*known, "a model of unknown lineage"]
    assert {"base", "post-trained"} <= set(words(figure).split("\n"))
    without = figures.persona_effects(verdicts, {})
    assert_legible(without)
    assert not without.legends
