"""Inference against definitions, against scipy, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from geppetto.evaluation.differences import differences
from geppetto.evaluation.effects import effects
from geppetto.evaluation.inference.moments import (
    saved_share,
    share_positive,
    standardised_mean,
    worst_tenth,
)
from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.inference.resampling import Resampling, estimate, mean
from geppetto.evaluation.lending import influence
from geppetto.evaluation.predictions import predictions
from geppetto.planning.analysis_config import Method
from invented import as_table, two_types


def repeated(rng: np.random.Generator, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Weights of one draw, and the values of the people it drew."""
    drawn = rng.integers(len(values), size=len(values))
    return np.bincount(drawn, minlength=len(values))[None].astype(float), values[drawn]


@pytest.mark.parametrize(
    ("statistic", "definition"),
    [
        (mean, np.mean),
        (
            lambda weights, x: standardised_mean(weights, x, x),
            lambda x: np.mean(x) / np.std(x, ddof=1),
        ),
        (share_positive, lambda x: np.mean((x > 0) + 0.5 * (x == 0))),
        (worst_tenth, lambda x: np.mean(np.sort(x)[: len(x) // 10])),
    ],
)
def test_a_weighted_statistic_is_that_of_the_drawn_people(statistic, definition) -> None:
    rng = np.random.default_rng(1)
    values = np.round(rng.normal(size=60), 1)
    for _ in range(5):
        weights, drawn = repeated(rng, values)
        assert statistic(weights, values)[0] == pytest.approx(definition(drawn), abs=1e-12)


@pytest.mark.parametrize("method", ["percentile", "bca"])
def test_intervals_agree_with_scipys(method: Method) -> None:
    rng = np.random.default_rng(2)
    values = rng.exponential(size=80)
    reference = rng.exponential(size=80) + 1
    ours = estimate(
        saved_share,
        values,
        reference,
        people=Resampling.of(80, draws=20_000),
        method=method,
    )
    theirs = stats.bootstrap(
        (values, reference),
        lambda x, y, axis: 1 - x.mean(axis) / y.mean(axis),
        paired=True,
        vectorized=True,
        n_resamples=20_000,
        method={"bca": "BCa"}.get(method, method),
        rng=np.random.default_rng(3),
    ).confidence_interval
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.012)


def test_the_signs_of_few_are_flipped_in_every_way() -> None:
    values = np.array([0.1, 0.3, 0.2, 0.4, 0.1, 0.5, 0.2, 0.3])[:, None]
    assert sign_flip_p(values, Resampling.of(8))[0] == 2 / 2**8
    studies = Resampling.of(80, studies=np.repeat(np.arange(8), 10))
    assert sign_flip_p(values.repeat(10, axis=0), studies)[0] == 2 / 2**8
    assert sign_flip_p(np.ones((13, 1)), Resampling.of(13))[0] == 2 / 2**13
    expected = stats.permutation_test(
        (values[:, 0] - 0.15,), np.mean, permutation_type="samples", n_resamples=np.inf
    ).pvalue
    assert sign_flip_p(values - 0.15, Resampling.of(8))[0] == pytest.approx(expected)


def test_influence_has_the_mean_of_the_condition() -> None:
    rng = np.random.default_rng(8)
    values = rng.normal(size=(3, 12))
    quality = rng.normal(size=12)
    once = np.stack([rng.permutation(12) for _ in range(3)])
    assert influence(values, once, quality).mean() == pytest.approx(values.mean())
    nobody = np.full((3, 12), -1)
    assert influence(values, nobody, quality) == pytest.approx(values.mean(0))


def test_neither_row_order_nor_names_change_a_number() -> None:
    rng = np.random.default_rng(13)
    table = as_table(two_types(rng, 30, 5, 0.2))
    names = dict(zip(sorted(table["participant"].unique()), rng.permutation(30), strict=True))
    renamed = table.assign(
        participant=[f"x{names[p]}" for p in table["participant"]],
        donor=[f"x{names[p]}" if p else "" for p in table["donor"]],
    ).sample(frac=1, random_state=1)
    sample = Resampling.of(30)
    for before, after in zip(
        sorted(differences(predictions(table)), key=lambda d: d.contrast.name),
        sorted(differences(predictions(renamed)), key=lambda d: d.contrast.name),
        strict=True,
    ):
        first, second = (effects([d], sample, "bca")[0] for d in (before, after))
        for name in ("nats", "nats_per_person", "d_z", "improved", "worst_tenth"):
            one, other = getattr(first, name), getattr(second, name)
            assert (one.value, one.low, one.high) == pytest.approx(
                (other.value, other.low, other.high), abs=1e-12, nan_ok=True
            )


def test_a_table_becomes_the_arrays_it_came_from() -> None:
    rng = np.random.default_rng(14)
    made = two_types(rng, 12, 3, 0.2)
    back = {p.condition: p for p in predictions(as_table(made))}
    for before in made:
        after = back[before.condition]
        rows = [after.responses.participants.index(p) for p in before.responses.participants]
        assert np.allclose(after.nll.mean(0)[rows], before.nll.mean(0))
        donors = np.sort(after.donors[:, rows], axis=0)
        names = [[after.responses.participants[d] for d in column] for column in donors.T]
        expected = [
            [before.responses.participants[d] for d in column] for column in before.donors.T
        ]
        if before.condition.arm == "shuffled":
            assert [sorted(n) for n in names] == [sorted(n) for n in expected]
