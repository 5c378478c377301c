"""Numbers of Binz et al. (2026), from the points of their figure of persona benefits.

The points are a benefit of each of 54 experiments, as d over pooled responses, for 11 base models
and what was post-trained from them. They are no part of the project. The table of expectations is
of means, counts of positive experiments, sign tests and bootstrap intervals that were computed
without this package.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.inference.moments import correlation, share_positive
from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.inference.resampling import Resampling, estimate, mean
from workspaces import ROOT

FOLDER = Path(os.environ.get("GEPPETTO_RESEARCH", ROOT.parent / "shared/research"))
EXPERIMENTS = 54
PEOPLE = Resampling.of(EXPERIMENTS, draws=20_000)

BASE = {
    "Qwen3-0.6B": (-0.0029, 29, 0.68, -0.011, 0.005),
    "Qwen3-1.7B": (0.0062, 34, 0.076, -0.001, 0.014),
    "Qwen3-4B": (0.0017, 33, 0.13, -0.007, 0.009),
    "Qwen3-8B": (0.0037, 38, 0.004, -0.004, 0.011),
    "Qwen3-14B": (0.0066, 37, 0.009, -0.001, 0.014),
    "Olmo3-7B": (-0.0176, 24, 0.50, -0.031, -0.006),
    "Olmo3.1-32B": (0.0116, 38, 0.004, 0.002, 0.021),
    "Llama3.2-1B": (0.0018, 32, 0.22, -0.006, 0.010),
    "Llama3.2-3B": (0.0055, 35, 0.040, -0.002, 0.013),
    "Llama3.1-8B": (0.0054, 42, 5e-5, -0.002, 0.012),
    "Llama3.1-70B": (0.0204, 42, 5e-5, 0.008, 0.036),
}
POST = {
    "Qwen3-0.6B": (-0.0056, 24, 0.50),
    "Qwen3-1.7B": (-0.0066, 16, 0.004),
    "Qwen3-4B": (-0.0058, 25, 0.68),
    "Qwen3-8B": (-0.0041, 24, 0.50),
    "Qwen3-14B": (-0.0035, 25, 0.68),
    "Olmo3-7B": (-0.0101, 25, 0.68),
    "Olmo3.1-32B": (0.0102, 38, 0.004),
    "Llama3.2-1B": (0.0091, 31, 0.34),
    "Llama3.2-3B": (-0.0182, 18, 0.020),
    "Llama3.1-8B": (-0.0050, 26, 0.89),
    "Llama3.1-70B": (0.0071, 33, 0.13),
}


@pytest.fixture(scope="module")
def points() -> dict[str, Floats]:
    path = FOLDER / "psych201_fig5_points.json"
    if not path.exists():
        pytest.skip(f"{path.name}, the published points, is not here (see GEPPETTO_RESEARCH)")
    found = {name: np.array(values) for name, values in json.loads(path.read_text()).items()}
    assert {len(values) for values in found.values()} == {EXPERIMENTS}
    return found


def sign_test(values: Floats) -> float:
    """p of as many positive values, each a coin's."""
    return float(stats.binomtest(int((values > 0).sum()), int((values != 0).sum())).pvalue)


def last_digit(p: float) -> float:
    """The unit of the last digit that is printed of a p-value."""
    return 0.01 if p > 0.1 else 0.001 if p > 0.001 else 1e-5


@pytest.mark.parametrize("kind", ["base", "instruct"])
def test_means_counts_and_sign_tests_are_the_printed_ones(
    points: dict[str, Floats], kind: str
) -> None:
    for name, (d, positive, p, *_) in {"base": BASE, "instruct": POST}[kind].items():
        values = points[f"{kind}:{name}"]
        assert mean(PEOPLE.sample, values)[0] == pytest.approx(d, abs=0.00005 + 1e-9)
        assert share_positive(PEOPLE.sample, values)[0] * EXPERIMENTS == pytest.approx(positive)
        assert sign_test(values) == pytest.approx(p, abs=last_digit(p) / 2)


def test_sign_tests_are_those_that_flip_the_signs_of_experiments(
    points: dict[str, Floats],
) -> None:
    signs = np.stack([np.sign(values) for values in points.values()], axis=1)
    flipped = sign_flip_p(signs, PEOPLE, permutations=20_000)
    exact = [sign_test(values) for values in points.values()]
    assert flipped == pytest.approx(exact, abs=0.012)


def test_intervals_are_the_printed_ones(points: dict[str, Floats]) -> None:
    for name, (_, _, _, low, high) in BASE.items():
        found = estimate(mean, points[f"base:{name}"], people=PEOPLE)
        widened = 0.04 * (high - low) / 2  # ours are expanded, by 3% with 54 experiments
        allowed = 0.0005 + 0.0005 + widened  # rounding and the draws
        assert found.low == pytest.approx(low, abs=allowed)
        assert found.high == pytest.approx(high, abs=allowed)
        assert found.excludes_zero() == (low > 0 or high < 0)


def test_seven_of_twenty_two_survive_correction(points: dict[str, Floats]) -> None:
    rejected = multipletests([sign_test(v) for v in points.values()], method="fdr_bh")[0]
    signs = {
        name: np.sign(values.mean())
        for (name, values), found in zip(points.items(), rejected, strict=True)
        if found
    }
    assert signs == {
        "base:Qwen3-8B": 1,
        "base:Qwen3-14B": 1,
        "base:Olmo3.1-32B": 1,
        "base:Llama3.1-8B": 1,
        "base:Llama3.1-70B": 1,
        "instruct:Olmo3.1-32B": 1,
        "instruct:Qwen3-1.7B": -1,
    }


@pytest.mark.parametrize(("kind", "d", "positive"), [("base", 39, 646), ("instruct", -29, 480)])
def test_means_over_models_are_the_printed_ones(
    points: dict[str, Floats], kind: str, d: int, positive: int
) -> None:
    every = np.stack([v for name, v in points.items() if name.startswith(kind)], axis=1)
    assert round(1e4 * mean(PEOPLE.sample, every).mean()) == d
    assert round(1e3 * share_positive(PEOPLE.sample, every).mean()) == positive


def test_which_experiments_gain_is_the_same_for_other_base_models(
    points: dict[str, Floats],
) -> None:
    base = {name.removeprefix("base:"): v for name, v in points.items() if name.startswith("base")}
    for one, other, r in (
        ("Llama3.1-70B", "Olmo3.1-32B", 0.87),
        ("Llama3.1-70B", "Llama3.2-3B", 0.78),
        ("Llama3.1-70B", "Llama3.1-8B", 0.76),
        ("Llama3.1-8B", "Olmo3.1-32B", 0.88),
    ):
        found = correlation(PEOPLE.sample, base[one], base[other])[0]
        assert found == pytest.approx(r, abs=0.005)
        assert found == pytest.approx(stats.pearsonr(base[one], base[other]).statistic)
    names = list(base)
    each = np.corrcoef(np.stack(list(base.values())))
    others = (each.sum(1) - 1) / (len(names) - 1)
    odd = [name for _, name in sorted(zip(others, names, strict=True))][:2]
    assert set(odd) == {"Olmo3-7B", "Qwen3-0.6B"}


def test_benefits_of_single_experiments_have_the_printed_range(points: dict[str, Floats]) -> None:
    every = np.concatenate(list(points.values()))
    assert (every.min(), every.max()) == pytest.approx((-0.28, 0.31), abs=0.006)
