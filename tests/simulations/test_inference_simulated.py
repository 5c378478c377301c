"""Coverage and errors of inference, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from geppetto.evaluation.differences import differences
from geppetto.evaluation.effects import effects
from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.inference.resampling import Resampling, estimate, mean
from geppetto.planning.analysis_config import Method
from invented import circle, predicted, responses, tilt_of, two_types


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
    for run in range(200):
        values = rng.normal(size=25)[studies] + rng.normal(size=len(studies))
        nested = estimate(
            mean, values, people=Resampling.of(len(studies), studies=studies, draws=400, seed=run)
        )
        by_study = np.array([values[studies == study].mean() for study in range(25)])
        assert nested.value == pytest.approx(by_study.mean())
        flat = estimate(mean, values, people=Resampling.of(len(studies), draws=400, seed=run))
        hits += nested.low <= 0 <= nested.high
        naive += flat.low <= 0 <= flat.high
    assert 0.90 <= hits / 200 <= 0.98
    assert naive / 200 < 0.6


def test_sign_flips_reject_as_often_as_they_should() -> None:
    rng = np.random.default_rng(7)
    people = Resampling.of(30)
    p = [sign_flip_p(rng.standard_t(4, size=(30, 1)), people, 399, seed)[0] for seed in range(2000)]
    assert 0.035 <= np.mean(np.array(p) <= 0.05) <= 0.065
    shifted = [
        sign_flip_p(rng.normal(0.6, 1, (30, 1)), people, 399, seed)[0] for seed in range(200)
    ]
    assert np.mean(np.array(shifted) <= 0.05) > 0.8


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
    found = estimates(1e-6, 0.2, 100, 11)
    assert found["format"][:, 0].mean() > 0.05 and found["format"][:, 2].all()
    assert np.abs(found["information"][:, 0]).max() < 1e-5
    known, tilt = tilt_of(0.02, 200), 0.2
    both = estimates(known, tilt, 100, 12)
    assert both["information"][:, 0].mean() == pytest.approx(0.02, abs=0.002)
    assert both["format"][:, 2].all()
