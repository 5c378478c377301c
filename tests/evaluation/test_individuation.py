"""Statistics of individuation, against loops over people and items and against definitions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.individuation.statistics import (
    R_MAX,
    distinctive_profile_correlation,
    individuation,
    item_correlation,
    profile_correlation,
    residual_correlation,
    variance_ratio,
)
from geppetto.evaluation.inference.resampling import Resampling, Statistic
from geppetto.evaluation.metrics import ranked_probability_scores, score_errors
from geppetto.evaluation.predictions import Predictions, Responses
from geppetto.planning.plan import Condition

STATISTICS: list[Statistic] = [
    item_correlation,
    variance_ratio,
    residual_correlation,
    profile_correlation,
    distinctive_profile_correlation,
]


def predicted(
    position: NDArray[np.int64],
    probabilities: Floats,
    ordinal: NDArray[np.bool_] | None = None,
) -> Predictions:
    """Predictions with probabilities of shape (draws, participants, items, options)."""
    people, items = position.shape
    options = [int((~np.isnan(row)).sum()) for row in probabilities[0, 0]]
    codes = tuple(tuple(str(n) for n in range(count)) for count in options)
    responses = Responses(
        tuple(f"p{n}" for n in range(people)),
        tuple(f"q{n}" for n in range(items)),
        codes,
        np.ones(items, bool) if ordinal is None else ordinal,
        position,
        np.arange(people),
        np.ones(people),
    )
    log_probs = np.where(position[..., None] < 0, np.nan, np.log(probabilities))
    empty = np.full(log_probs.shape[:3], np.nan)
    donors = np.full(log_probs.shape[:2], -1)
    pool = np.zeros(people, int)
    return Predictions(responses, Condition("m", "s", "own"), pool, donors, log_probs, empty, empty)


def data(
    seed: int, people: int = 30, items: int = 6, missing: float = 0.2
) -> tuple[Floats, Floats]:
    """Expected and real scores that have something to do with each other."""
    rng = np.random.default_rng(seed)
    trait = rng.normal(size=(people, 1))
    y = np.round(np.clip(0.5 + 0.2 * trait + 0.2 * rng.normal(size=(people, items)), 0, 1), 1)
    e = np.clip(0.4 + 0.3 * y + np.linspace(0, 0.2, items) + 0.1 * rng.normal(size=y.shape), 0, 1)
    return e, np.where(rng.random(y.shape) < missing, np.nan, y)


def z_mean(correlations: list[float]) -> float:
    clipped = np.clip(correlations, -R_MAX, R_MAX)
    return float(np.tanh(np.mean(np.arctanh(clipped))))


def people_alike(values: Floats) -> Floats:
    return values - np.nanmean(values, axis=0)


def profiles(e: Floats, y: Floats) -> list[float]:
    found = []
    for of_e, of_y in zip(e, y, strict=True):
        known = ~np.isnan(of_y)
        if known.sum() >= 3 and np.ptp(of_e[known]) > 1e-6 and np.ptp(of_y[known]) > 1e-6:
            found.append(float(stats.pearsonr(of_e[known], of_y[known])[0]))
    return found


def residuals(values: Floats) -> Floats:
    """What least squares with a dummy variable a person and an item leave."""
    rows, columns = np.nonzero(~np.isnan(values))
    people, items = values.shape
    design = np.zeros((len(rows), people + items))
    design[np.arange(len(rows)), rows] = 1
    design[np.arange(len(rows)), people + columns] = 1
    cells = values[rows, columns]
    return np.asarray(cells - design @ np.linalg.lstsq(design, cells, rcond=None)[0])


def by_loops(e: Floats, y: Floats) -> dict[str, float]:
    e = np.where(np.isnan(y), np.nan, e)
    columns = [(e[~np.isnan(c), j], c[~np.isnan(c)]) for j, c in enumerate(y.T)]
    return {
        "item_correlation": z_mean([float(stats.pearsonr(*pair)[0]) for pair in columns]),
        "variance_ratio": sum(np.var(a) for a, _ in columns) / sum(np.var(b) for _, b in columns),
        "residual_correlation": float(stats.pearsonr(residuals(e), residuals(y))[0]),
        "profile_correlation": z_mean(profiles(e, y)),
        "distinctive_profile_correlation": z_mean(profiles(people_alike(e), people_alike(y))),
    }


@pytest.mark.parametrize("missing", [0.0, 0.25])
@pytest.mark.parametrize("statistic", STATISTICS)
def test_weights_are_repetitions_and_everything_is_what_loops_find(
    statistic: Statistic, missing: float
) -> None:
    e, y = data(0, missing=missing)
    rng = np.random.default_rng(1)
    weights = rng.multinomial(30, np.full(30, 1 / 30), size=7).astype(float)
    weights[0] = 1
    found = statistic(weights, e, y)
    for value, drawn in zip(found, weights.astype(int), strict=True):
        loops = by_loops(np.repeat(e, drawn, axis=0), np.repeat(y, drawn, axis=0))
        assert value == pytest.approx(loops[statistic.__name__], abs=1e-8)
    scaled = statistic(weights * 0.37, e, y)
    assert scaled == pytest.approx(found, abs=1e-8)


def test_complete_answers_are_double_centred() -> None:
    e, y = data(2, missing=0)

    def centred(v: Floats) -> Floats:
        rows, columns = v.mean(axis=1, keepdims=True), v.mean(axis=0)
        return np.asarray(v - rows - columns + v.mean())

    (value,) = residual_correlation(np.ones((1, 30)), e, y)
    assert value == pytest.approx(stats.pearsonr(centred(e).ravel(), centred(y).ravel())[0])


def test_people_who_share_no_item_are_compared_within_their_items() -> None:
    """Two booklets: item effects are known within each and no constant is shared."""
    e, y = data(3, people=40, items=8, missing=0)
    y[:20, :4] = np.nan
    y[20:, 4:] = np.nan
    (value,) = residual_correlation(np.ones((1, 40)), e, y)
    assert value == pytest.approx(by_loops(e, y)["residual_correlation"], abs=1e-7)


@settings(max_examples=30)
@given(st.integers(0, 1000), st.sampled_from([0.0, 0.3]))
def test_what_each_statistic_must_not_see(seed: int, missing: float) -> None:
    e, y = data(seed, missing=missing)
    rng = np.random.default_rng(seed)
    one = np.ones((1, 30))
    order, columns = rng.permutation(30), rng.permutation(6)
    person, item = rng.normal(size=(30, 1)), rng.normal(size=(1, 6))
    for statistic in STATISTICS:
        (value,) = statistic(one, e, y)
        assert statistic(one, e[order], y[order])[0] == pytest.approx(value, abs=1e-8)
        assert statistic(one, e[:, columns], y[:, columns])[0] == pytest.approx(value, abs=1e-8)

    def same(statistic: Statistic, changed: Floats) -> bool:
        return bool(np.isclose(statistic(one, changed, y)[0], statistic(one, e, y)[0], atol=1e-7))

    assert same(item_correlation, e + item) and not same(item_correlation, e + person)
    assert same(variance_ratio, e + item) and not same(variance_ratio, 2 * e)
    assert same(residual_correlation, 2 * e + item + person)
    assert same(profile_correlation, e + person) and not same(profile_correlation, e + item)
    assert same(distinctive_profile_correlation, e + item + person) or missing
    if not missing:
        assert same(distinctive_profile_correlation, 2 * e + item + person)


def test_knowing_the_average_person_is_a_profile_but_not_a_distinctive_one() -> None:
    rng = np.random.default_rng(4)
    typical = np.linspace(0, 1, 10)
    y = typical + 0.2 * rng.normal(size=(300, 10))
    guess = typical + 0.01 * rng.normal(size=(300, 10))
    one = np.ones((1, 300))
    assert profile_correlation(one, guess, y)[0] > 0.7
    assert abs(distinctive_profile_correlation(one, guess, y)[0]) < 0.05
    knowing = typical + 0.5 * (y - typical)
    assert distinctive_profile_correlation(one, knowing, y)[0] > 0.9


def test_the_best_prediction_has_the_variance_that_it_explains() -> None:
    rng = np.random.default_rng(5)
    e = rng.normal(size=(20_000, 3))
    y = e + rng.normal(size=e.shape)
    one = np.ones((1, 20_000))
    assert variance_ratio(one, e, y)[0] == pytest.approx(0.5, abs=0.01)
    assert item_correlation(one, e, y)[0] == pytest.approx(np.sqrt(0.5), abs=0.01)


def test_a_perfect_correlation_counts_as_the_strongest_that_is_counted() -> None:
    _, y = data(6, missing=0)
    one = np.ones((1, 30))
    for statistic in (item_correlation, profile_correlation, distinctive_profile_correlation):
        assert statistic(one, y / 2, y)[0] == pytest.approx(R_MAX)
        assert statistic(one, -y, y)[0] == pytest.approx(-R_MAX)
    assert residual_correlation(one, y / 2, y)[0] == pytest.approx(1)


def test_what_has_no_variance_is_left_out_and_reported() -> None:
    rng = np.random.default_rng(7)
    position = rng.integers(0, 3, (40, 6))
    position[:, 1] = 2
    position[5:8] = 2
    position[2:, 4] = -1
    probabilities = rng.dirichlet([1, 1, 1], size=(1, 40, 6))
    probabilities[:, :, 2] = [0.2, 0.3, 0.5]
    ordinal = np.array([True, True, True, False, True, True])
    found = individuation(predicted(position, probabilities, ordinal), Resampling.of(40, draws=50))
    assert found.items_left_out == {
        "q1": "everyone responded the same",
        "q2": "everyone is predicted to respond the same",
        "q3": "its options have no order",
        "q4": "fewer than three people responded to it",
    }
    prediction = predicted(position, probabilities, ordinal)
    e, y = prediction.expected[0], prediction.responses.scores
    kept = z_mean([float(stats.pearsonr(e[:, j], y[:, j])[0]) for j in (0, 5)])
    assert found.item_correlation.value == pytest.approx(kept)
    assert found.item_correlation.low < kept < found.item_correlation.high


def test_without_a_persona_nothing_is_individual() -> None:
    rng = np.random.default_rng(8)
    position = rng.integers(0, 4, (50, 5))
    probabilities = np.broadcast_to(rng.dirichlet(np.ones(4), size=5), (1, 50, 5, 4))
    found = individuation(predicted(position, probabilities), Resampling.of(50, draws=50))
    assert found.variance_ratio.value == pytest.approx(0, abs=1e-12)
    for estimate in (
        found.item_correlation,
        found.residual_correlation,
        found.distinctive_profile_correlation,
    ):
        assert np.isnan([estimate.value, estimate.low, estimate.high]).all()
    assert set(found.items_left_out.values()) == {"everyone is predicted to respond the same"}
    assert np.isfinite(found.profile_correlation.value)


def test_items_without_order_alone_have_no_statistics() -> None:
    rng = np.random.default_rng(9)
    prediction = predicted(
        rng.integers(0, 3, (9, 2)), rng.dirichlet(np.ones(3), size=(1, 9, 2)), np.zeros(2, bool)
    )
    found = individuation(prediction, Resampling.of(9, draws=20))
    assert np.isnan(found.variance_ratio.value) and np.isnan(found.residual_correlation.value)
    assert np.isnan(found.item_correlation.value) and np.isnan(found.profile_correlation.value)


def test_draws_of_donors_are_averaged_after_and_not_before() -> None:
    rng = np.random.default_rng(10)
    position = rng.integers(0, 5, (60, 4))
    probabilities = rng.dirichlet(np.ones(5), size=(3, 60, 4))
    prediction = predicted(position, probabilities)
    prediction.option_log_probs[2, 7] = np.nan  # whose third donor does not exist
    found = individuation(prediction, Resampling.of(60, draws=20))
    y = prediction.responses.scores
    e = np.where(np.isnan(prediction.nll), np.nan, prediction.expected)
    singles = [variance_ratio(np.ones((1, 60)), draw, y)[0] for draw in e]
    assert found.variance_ratio.value == pytest.approx(np.mean(singles))
    averaged = variance_ratio(np.ones((1, 60)), np.nanmean(e, axis=0), y)[0]
    assert averaged < 0.6 * found.variance_ratio.value
    assert singles[2] == pytest.approx(
        variance_ratio(np.ones((1, 59)), np.delete(e[2], 7, 0), np.delete(y, 7, 0))[0]
    )


def test_ranked_probability_scores_and_errors_are_sums_over_options() -> None:
    rng = np.random.default_rng(12)
    probabilities = np.full((2, 20, 4, 5), np.nan)
    for item, options in enumerate((5, 2, 3, 2)):
        probabilities[:, :, item, :options] = rng.dirichlet(np.ones(options), size=(2, 20))
    position = rng.integers(0, 2, (20, 4))
    position[:, 0] = rng.integers(0, 5, 20)
    position[3, 0] = -1
    prediction = predicted(position, probabilities, np.array([True, True, False, False]))
    scores, errors = ranked_probability_scores(prediction), score_errors(prediction)
    assert np.isnan(scores[:, :, 2]).all() and np.isnan(errors[:, :, 2]).all()
    assert np.isnan(scores[:, 3, 0]).all() and np.isnan(errors[:, 3, 0]).all()
    for draw in range(2):
        for person in range(20):
            for item, options in ((0, 5), (1, 2), (3, 2)):
                if (real := position[person, item]) < 0:
                    continue
                p = probabilities[draw, person, item, :options]
                gaps = [sum(p[: k + 1]) - (real <= k) for k in range(options - 1)]
                rps = sum(gap**2 for gap in gaps) / (options - 1)
                assert scores[draw, person, item] == pytest.approx(rps)
                error = abs(sum(k * v for k, v in enumerate(p)) - real) / (options - 1)
                assert errors[draw, person, item] == pytest.approx(error)


def test_people_who_do_not_count_are_not_there() -> None:
    rng = np.random.default_rng(13)
    position = rng.integers(0, 4, (30, 5))
    position[25:] = 1
    position[:25, 2] = 3
    probabilities = rng.dirichlet(np.ones(4), size=(1, 30, 5))
    base = (np.arange(30) < 25).astype(float)
    found = individuation(
        predicted(position, probabilities), Resampling.of(30, base=base, draws=20)
    )
    alone = individuation(
        predicted(position[:25], probabilities[:, :25]), Resampling.of(25, draws=20)
    )
    assert found.items_left_out == alone.items_left_out == {"q2": "everyone responded the same"}
    for name in ("item_correlation", "residual_correlation", "distinctive_profile_correlation"):
        assert getattr(found, name).value == pytest.approx(getattr(alone, name).value)
