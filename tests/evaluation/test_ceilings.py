"""Ceilings, against definitions, published reliabilities and planted truths."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.ceilings import (
    SPLITS,
    _halvings,
    construct_fits,
    constructs,
    cronbach_alpha,
    normalised_accuracy,
    part_of_reliable,
    reliability,
    retest,
    second_responses,
    signed_r_squared,
    split_half,
)
from geppetto.evaluation.individuation.statistics import individuation
from geppetto.evaluation.inference.moments import correlation
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.predictions import Predictions, Responses
from geppetto.planning.plan import Condition
from geppetto.studies import Participant, Study


def responses_of(study: Study) -> Responses:
    options = [tuple(study.scale(item).options) for item in study.items.values()]
    position = [
        [
            codes.index(person.responses[item]) if item in person.responses else -1
            for item, codes in zip(study.items, options, strict=True)
        ]
        for person in study.people.values()
    ]
    ordinal = np.array([study.scale(item).ordinal for item in study.items.values()])
    return Responses(
        tuple(study.people),
        tuple(study.items),
        tuple(options),
        ordinal,
        np.array(position),
        np.arange(len(study.people)),
        np.ones(len(study.people)),
    )


def predicting(responses: Responses, probabilities: Floats) -> Predictions:
    """A condition with these probabilities, shape (draws, participants, items, options)."""
    draws = len(probabilities)
    cells = np.zeros((draws, *responses.position.shape))
    donors = np.full((draws, len(responses.participants)), -1)
    logs = np.log(probabilities)
    condition, pool = Condition("m", "s", "own"), np.zeros(donors.shape[1], int)
    return Predictions(responses, condition, pool, donors, logs, cells, cells + 1)


def sixths(responses: Responses) -> Floats:
    """Six options of the same probability for everyone."""
    return np.full((1, *responses.position.shape, 6), 1 / 6)


def test_reliabilities_of_the_big_five_are_the_published_ones(bfi: Study) -> None:
    """As `psych::alpha` gives them for all 2,800 people; adults differ by less than 0.015."""
    responses = responses_of(bfi)
    people = Resampling.of(len(responses.participants), draws=100)
    whole = constructs(predicting(responses, sixths(responses)), bfi)
    found = {
        name[0]: reliability(name, items, responses, bfi, people) for name, items in whole.items()
    }
    published = {"A": 0.704, "C": 0.729, "E": 0.761, "N": 0.813, "O": 0.603}
    assert {name: r.alpha.value for name, r in found.items()} == pytest.approx(published, abs=0.015)
    for one in found.values():
        assert len(one.items) == 5
        assert 2400 < one.participants < 2552
        assert one.alpha.low < one.alpha.value < one.alpha.high
        assert one.split_half.value == pytest.approx(one.alpha.value, abs=0.03)


def test_alpha_and_split_halves_are_their_definitions_of_the_drawn_people() -> None:
    rng = np.random.default_rng(0)
    scores = rng.normal(size=(30, 1)) + rng.normal(size=(30, 4))
    scores[3, 1] = np.nan
    weights = np.stack([np.ones(30), rng.integers(0, 3, 30)]).astype(float)
    for draw, alpha, halves in zip(
        weights, cronbach_alpha(weights, scores), split_half(weights, scores), strict=True
    ):
        drawn = np.repeat(scores, draw.astype(int), axis=0)
        drawn = drawn[np.isfinite(drawn).all(axis=1)]
        of_items, of_sum = drawn.var(axis=0, ddof=1).sum(), drawn.sum(axis=1).var(ddof=1)
        assert alpha == pytest.approx(4 / 3 * (1 - of_items / of_sum))
        corrected = []
        for half in combinations(range(4), 2):
            rest = [item for item in range(4) if item not in half]
            r = np.corrcoef(drawn[:, half].sum(axis=1), drawn[:, rest].sum(axis=1))[0, 1]
            corrected.append(2 * r / (1 + r))
        assert halves == pytest.approx(np.mean(corrected))


@pytest.mark.parametrize(("items", "number"), [(2, 1), (3, 3), (4, 3), (5, 10), (30, SPLITS)])
def test_halvings_are_all_there_are_or_many_random_ones(items: int, number: int) -> None:
    halves = _halvings(items)
    assert halves.shape == (number, items)
    assert (halves.sum(axis=1) == items // 2).all()
    assert len({tuple(half) for half in np.concatenate([halves, ~halves])}) >= min(
        2 * number, SPLITS
    )
    assert (halves == _halvings(items)).all()


@pytest.mark.parametrize("items", [3, 5, 7])
def test_halves_of_different_size_are_stepped_up_without_bias(items: int) -> None:
    """Parallel items of reliability 1/2 make a score of reliability n / (n + 1)."""
    rng = np.random.default_rng(2)
    scores = rng.normal(size=(40_000, 1)) + rng.normal(size=(40_000, items))
    found = split_half(np.ones((1, len(scores))), scores)[0]
    assert found == pytest.approx(items / (items + 1), abs=0.004)


def test_a_known_reliability_is_found() -> None:
    """Six parallel items of reliability 1/3 make a score of reliability 3/4."""
    rng = np.random.default_rng(1)
    scores = rng.normal(size=(20_000, 1)) + rng.normal(0, np.sqrt(2), (20_000, 6))
    everyone = np.ones((1, len(scores)))
    assert split_half(everyone, scores)[0] == pytest.approx(0.75, abs=0.01)
    assert cronbach_alpha(everyone, scores)[0] == pytest.approx(0.75, abs=0.01)


def test_reliability_bounds_r_squared_and_not_r() -> None:
    """Who knows the true score explains all that is reliable, with an r of its square root."""
    rng = np.random.default_rng(2)
    true = rng.normal(size=20_000)
    scores = true[:, None] + rng.normal(0, np.sqrt(2), (20_000, 6))
    everyone = np.ones((1, len(scores)))
    assert part_of_reliable(everyone, scores, true)[0] == pytest.approx(1, abs=0.02)
    assert part_of_reliable(everyone, scores, -true)[0] == pytest.approx(-1, abs=0.02)
    r = correlation(everyone, scores.mean(axis=1), true)[0]
    assert r == pytest.approx(np.sqrt(0.75), abs=0.01)
    assert signed_r_squared(everyone, scores.mean(axis=1), -true)[0] == pytest.approx(-(r**2))


def test_a_constant_prediction_has_no_correlation() -> None:
    scores = np.random.default_rng(0).uniform(size=40)
    assert np.isnan(correlation(np.ones((1, 40)), scores, np.full(40, 0.1 + 0.2)))[0]


def test_fits_turn_reversed_items_and_compare_scores_of_constructs(bfi: Study) -> None:
    some = dict(list(bfi.people.items())[:300])
    study = replace(bfi, people=some)
    responses = responses_of(study)
    rng = np.random.default_rng(0)
    probabilities = rng.dirichlet(np.ones(6), (2, 300, 25))
    position = np.maximum(responses.position, 0)
    np.put_along_axis(
        probabilities,
        position[None, :, :, None].repeat(2, 0),
        rng.uniform(0, 3, (2, 300, 25, 1)),
        3,
    )
    probabilities /= probabilities.sum(axis=3, keepdims=True)
    predicted = predicting(responses, probabilities)
    people = Resampling.of(300, draws=200)
    fits = {f.reliability.construct: f for f in construct_fits([predicted], study, people)}
    bounds = {name: fit.reliability.split_half.value for name, fit in fits.items()}
    assert len(fits) == 5
    for construct, items in constructs(predicted, study).items():
        scores, guesses = [], []
        for row, person in enumerate(study.people.values()):
            if not set(items) <= person.responses.keys():
                continue
            real, expected = [], []
            for item in items:
                column = list(study.items).index(item)
                value = int(person.responses[item]) - 1
                mean = (probabilities[:, row, column].mean(axis=0) * np.arange(6)).sum()
                turned = study.items[item].key == -1
                real.append(5 - value if turned else value)
                expected.append(5 - mean if turned else mean)
            scores.append(np.mean(real))
            guesses.append(np.mean(expected))
        r = np.corrcoef(scores, guesses)[0, 1]
        fit = fits[construct]
        assert fit.r.value == pytest.approx(r)
        assert fit.r_squared.value == pytest.approx(r * abs(r))
        assert fit.of_reliable.value == pytest.approx(r * abs(r) / bounds[construct])
        assert fit.of_reliable.low < fit.of_reliable.value < fit.of_reliable.high


def test_items_that_measure_nothing_together_have_no_construct(small_study: Study) -> None:
    responses = responses_of(small_study)
    predicted = predicting(responses, np.full((1, 7, 4, 3), 1 / 3))
    assert constructs(predicted, small_study) == {}
    assert construct_fits([predicted], small_study, Resampling.of(7)) == []


def test_parts_that_were_predicted_from_each_other_are_never_put_together(bfi: Study) -> None:
    """Noise that is predicted from the other half's noise is not predicted at all."""
    rng = np.random.default_rng(6)
    items = list(bfi.items)
    people = {
        str(n): Participant(str(n), {}, {item: str(rng.integers(1, 7)) for item in items})
        for n in range(400)
    }
    study = replace(bfi, people=people)
    responses = responses_of(study)
    block = np.arange(25) % 2
    probabilities = np.full((1, 400, 25, 6), 0.01)
    for column, item in enumerate(items):
        others = np.flatnonzero(block != block[column])
        same = [c for c in others if study.items[items[c]].measures == study.items[item].measures]
        keys = [study.items[items[c]].key * study.items[item].key for c in same]
        values = [
            responses.position[:, c] if key == 1 else 5 - responses.position[:, c]
            for c, key in zip(same, keys, strict=True)
        ]
        guess = np.round(np.mean(values, axis=0)).astype(int)
        probabilities[0, np.arange(400), column, guess] = 1
    probabilities /= probabilities.sum(axis=3, keepdims=True)
    sample = Resampling.of(400, draws=100)
    whole = predicting(responses, probabilities)
    split = replace(whole, block=block)
    deceived = construct_fits([whole], study, sample)
    assert min(fit.r.value for fit in deceived) > 0.8
    honest = construct_fits([split], study, sample)
    assert {len(fit.reliability.items) for fit in honest} == {2, 3}
    assert max(abs(fit.r.value) for fit in honest) < 0.15
    assert abs(individuation(split, sample).residual_correlation.value) < 0.05


def asked_twice(study: Study, people: int, agreement: float, rng: np.random.Generator) -> Study:
    """People of whom most were asked again, and gave the same response or any other."""
    persons = {}
    for number in range(people):
        first = {item: str(rng.integers(1, 4)) for item in study.items}
        second = {
            item: code if rng.random() < agreement else str((int(code) + rng.integers(2)) % 3 + 1)
            for item, code in first.items()
            if rng.random() < 0.9
        }
        again = second if number % 4 else {}
        persons[f"p{number}"] = Participant(f"p{number}", {}, first, retest=again)
    return replace(study, people=persons)


def test_retest_is_the_share_of_the_same_responses(small_study: Study) -> None:
    study = asked_twice(small_study, 60, 0.7, np.random.default_rng(0))
    responses = responses_of(study)
    again = second_responses(responses, study)
    found = retest(responses, again, Resampling.of(60, draws=200))
    assert found is not None
    twice = [person for person in study.people.values() if person.retest]
    assert found.participants == len(twice) == 45
    same = [np.mean([p.responses[item] == code for item, code in p.retest.items()]) for p in twice]
    assert found.same.value == pytest.approx(np.mean(same))
    assert found.same.low < 0.7 < found.same.high


def test_who_was_asked_once_has_no_retest(small_study: Study) -> None:
    responses = responses_of(small_study)
    again = second_responses(responses, small_study)
    assert retest(responses, again, Resampling.of(7)) is None


def test_normalised_accuracy_compares_the_same_cells(small_study: Study) -> None:
    rng = np.random.default_rng(3)
    study = asked_twice(small_study, 80, 0.6, rng)
    responses = responses_of(study)
    again = second_responses(responses, study)
    probabilities = rng.dirichlet(np.ones(3), (2, 80, 4))
    probabilities[0, :5] = 1 / 3
    predicted = predicting(responses, probabilities)
    found = normalised_accuracy(predicted, again, Resampling.of(80, draws=200))
    right, same = [], []
    for row in range(80):
        cells = [column for column in range(4) if again[row, column] >= 0]
        if not cells:
            continue
        truth = responses.position[row]
        hits = [
            1 / 3
            if row < 5 and draw == 0
            else float(probabilities[draw, row, c].argmax() == truth[c])
            for c in cells
            for draw in range(2)
        ]
        right.append(np.mean(hits))
        same.append(np.mean([truth[c] == again[row, c] for c in cells]))
    assert found.value == pytest.approx(np.mean(right) / np.mean(same))
    assert found.low < found.value < found.high


def test_the_second_occasion_itself_is_a_prediction_at_the_ceiling(small_study: Study) -> None:
    study = asked_twice(small_study, 50, 0.5, np.random.default_rng(4))
    responses = responses_of(study)
    again = second_responses(responses, study)
    probabilities = np.full((1, 50, 4, 3), 0.1)
    np.put_along_axis(probabilities, np.maximum(again, 0)[None, ..., None], 0.8, axis=3)
    found = normalised_accuracy(predicting(responses, probabilities), again, Resampling.of(50))
    assert (found.value, found.low, found.high) == pytest.approx((1, 1, 1))
