"""Inference against definitions, against scipy, and by simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from geppetto.evaluation.differences import differences
from geppetto.evaluation.effects import effects
from geppetto.evaluation.lending import influence
from geppetto.evaluation.permutation import sign_flip_p
from geppetto.evaluation.predictions import predictions
from geppetto.evaluation.resampling import (
    Method,
    Resampling,
    estimate,
    mean,
    saved_share,
    share_positive,
    standardised_mean,
    worst_tenth,
)
from invented import as_table, circle, predicted, responses, tilt_of, two_types


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


def covered(rng: np.random.Generator, runs: int, method: Method) -> tuple[float, float]:
    """How often 95% intervals over people, and over answers, hold the truth."""
    people, items = 200, 20
    over_people = over_answers = 0
    for run in range(runs):
        cells = rng.normal(size=(people, 1)) + rng.normal(size=(people, items))  # ICC 0.5
        found = estimate(
            mean,
            cells.mean(1),
            people=Resampling.of(people, draws=500, seed=run),
            method=method,
        )
        over_people += found.low <= 0 <= found.high
        error = cells.std(ddof=1) / np.sqrt(cells.size)
        over_answers += abs(cells.mean()) <= 1.96 * error
    return over_people / runs, over_answers / runs


@pytest.mark.parametrize("method", ["studentised", "percentile", "bca"])
def test_intervals_over_people_cover_and_intervals_over_answers_do_not(method: Method) -> None:
    people, answers = covered(np.random.default_rng(4), 1000, method)
    assert 0.93 <= people <= 0.97
    assert answers < 0.6


def test_clusters_are_drawn_whole() -> None:
    rng = np.random.default_rng(5)
    hits = naive = 0
    clusters = np.repeat(np.arange(50), 4)
    for run in range(400):
        values = rng.normal(size=50)[clusters] + rng.normal(size=200)
        whole = estimate(
            mean, values, people=Resampling.of(200, clusters=clusters, draws=400, seed=run)
        )
        alone = estimate(mean, values, people=Resampling.of(200, draws=400, seed=run))
        hits += whole.low <= 0 <= whole.high
        naive += alone.low <= 0 <= alone.high
    assert 0.91 <= hits / 400 <= 0.97
    assert naive / 400 < 0.88


def test_studies_are_drawn_before_people() -> None:
    rng = np.random.default_rng(6)
    sizes = rng.integers(10, 60, size=25)
    studies = np.repeat(np.arange(25), sizes)
    hits = naive = 0
    for run in range(400):
        values = rng.normal(size=25)[studies] + rng.normal(size=len(studies))
        nested = estimate(
            mean, values, people=Resampling.of(len(studies), studies=studies, draws=400, seed=run)
        )
        by_study = np.array([values[studies == study].mean() for study in range(25)])
        assert nested.value == pytest.approx(by_study.mean())
        flat = estimate(mean, values, people=Resampling.of(len(studies), draws=400, seed=run))
        hits += nested.low <= 0 <= nested.high
        naive += flat.low <= 0 <= flat.high
    assert 0.90 <= hits / 400 <= 0.98
    assert naive / 400 < 0.6


def test_sign_flips_reject_as_often_as_they_should() -> None:
    rng = np.random.default_rng(7)
    people = Resampling.of(30)
    p = [sign_flip_p(rng.standard_t(4, size=(30, 1)), people, 399, seed)[0] for seed in range(2000)]
    assert 0.035 <= np.mean(np.array(p) <= 0.05) <= 0.065
    shifted = [
        sign_flip_p(rng.normal(0.6, 1, (30, 1)), people, 399, seed)[0] for seed in range(200)
    ]
    assert np.mean(np.array(shifted) <= 0.05) > 0.8


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


@pytest.mark.parametrize("quality", [0.0, 0.5])
def test_the_size_of_an_effect_does_not_depend_on_how_many_strangers_were_drawn(
    quality: float,
) -> None:
    rng = np.random.default_rng(15)
    sizes: dict[int, list[tuple[float, float]]] = {1: [], 3: [], 30: []}
    for _ in range(30):
        trait, slope = rng.normal(size=(100, 1)), rng.normal(size=20)
        yes = 1 / (1 + np.exp(-trait * slope))
        given = responses((rng.random(yes.shape) < yes).astype(int))
        believed = 1 / (1 + np.exp(-trait * slope - quality * rng.normal(size=(100, 1))))
        personas = np.stack([1 - believed, believed], axis=-1)
        for donors, found in sizes.items():
            distances = tuple(rng.permutation(np.arange(1, 100))[:donors])
            arms = [
                predicted(given, "shuffled", personas, circle(100, distances, rng)),
                predicted(given, "own", personas),
            ]
            (effect,) = effects(differences(arms), Resampling.of(100, draws=200))
            found.append((effect.d_z.value, effect.improved.value))
            of = effect.differences
            assert np.allclose([each.mean() for each in of.of_each], of.persons.mean())
    one, *others = (np.array(found) for found in sizes.values())
    for other in others:
        error = (one - other).std(axis=0, ddof=1) / np.sqrt(len(one))
        assert (np.abs((one - other).mean(axis=0)) < 3 * error).all()
        assert (error < 0.03).all()


def test_influence_has_the_mean_of_the_condition() -> None:
    rng = np.random.default_rng(8)
    values = rng.normal(size=(3, 12))
    quality = rng.normal(size=12)
    once = np.stack([rng.permutation(12) for _ in range(3)])
    assert influence(values, once, quality).mean() == pytest.approx(values.mean())
    nobody = np.full((3, 12), -1)
    assert influence(values, nobody, quality) == pytest.approx(values.mean(0))


def test_intervals_of_information_count_a_person_in_both_roles() -> None:
    """Personas that predict well or badly for everybody are shared by the two arms."""
    rng = np.random.default_rng(9)
    people, items, runs = 60, 40, 600
    both = one = 0
    for run in range(runs):
        quality = np.clip(0.5 + 0.17 * rng.normal(size=people), 0.05, 0.95)
        personas = np.stack([1 - quality, quality], 1)[:, None].repeat(items, 1)
        said = (rng.random((people, items)) < 0.6).astype(int)
        given = responses(said)
        found = [
            predicted(given, "shuffled", personas, circle(people, (1,), rng)),
            predicted(given, "own", personas),
        ]
        (information,) = differences(found)
        sample = Resampling.of(people, draws=300, seed=run)
        interval = estimate(mean, information.influence, people=sample)
        naive = estimate(mean, information.persons, people=sample)
        both += interval.low <= 0 <= interval.high
        one += naive.low <= 0 <= naive.high
    assert 0.92 <= both / runs <= 0.97
    assert one / runs > 0.985


def estimates(known: float, tilt: float, runs: int, seed: int) -> dict[str, np.ndarray]:
    """Mean, and whether the interval holds 0.02, of each contrast in repeated studies."""
    rng = np.random.default_rng(seed)
    found: dict[str, list[tuple[float, bool, bool]]] = {}
    for run in range(runs):
        for contrast in differences(two_types(rng, 200, 20, known, tilt)):
            sample = Resampling.of(200, draws=300, seed=run)
            nats = estimate(mean, contrast.influence, people=sample)
            holds = nats.low <= 0.02 <= nats.high
            found.setdefault(contrast.contrast.name, []).append(
                (nats.value, holds, nats.excludes_zero())
            )
    return {name: np.array(values) for name, values in found.items()}


def test_a_planted_information_effect_is_recovered() -> None:
    found = estimates(tilt_of(0.02, 200), 0.0, 400, 10)["information"]
    error = found[:, 0].std() / np.sqrt(len(found))
    assert found[:, 0].mean() == pytest.approx(0.02, abs=3 * error)
    assert error < 0.0005
    assert 0.92 <= found[:, 1].mean() <= 0.98
    assert found[:, 2].mean() > 0.95


def test_a_pure_format_effect_is_not_information() -> None:
    found = estimates(1e-6, 0.2, 200, 11)
    assert found["format"][:, 0].mean() > 0.05 and found["format"][:, 2].all()
    assert np.abs(found["information"][:, 0]).max() < 1e-5
    known, tilt = tilt_of(0.02, 200), 0.2
    both = estimates(known, tilt, 200, 12)
    assert both["information"][:, 0].mean() == pytest.approx(0.02, abs=0.002)
    assert both["format"][:, 2].all()


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
