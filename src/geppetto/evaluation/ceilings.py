"""How well anything could predict these responses, given that people do not repeat themselves.

Where a study asked twice, the ceiling is how well people's second responses agree with their
first. Otherwise it is how well one half of a construct's items agrees with the other half.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb

import numpy as np
from numpy.typing import NDArray

from geppetto.evaluation.arrays import Floats, Integers, nanmean, quotient
from geppetto.evaluation.calibration.reliability import top_options
from geppetto.evaluation.inference.moments import NOTHING, correlation
from geppetto.evaluation.inference.resampling import (
    Estimate,
    Resampling,
    Statistic,
    Weights,
    estimate,
    estimates,
    mean,
)
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.responses import Responses
from geppetto.planning.plan import Condition
from geppetto.studies import Study

SPLITS = 200
"""Most ways in which a construct's items are halved."""


@dataclass(frozen=True)
class Retest:
    """How far people repeat themselves.

    `same` is the share of a participant's items with the same response on both occasions, averaged
    over the participants who responded twice to at least one item.
    """

    participants: int
    same: Estimate


@dataclass(frozen=True)
class Reliability:
    """How far the items of a construct agree, over participants who answered all of them.

    `split_half` is the correlation of the means of two halves of the items, stepped up to the full
    length by Spearman's and Brown's formula 2 r / (1 + r) (1910), or Horst's (1951) if one half has
    an item more, averaged over all ways to halve them, or over `SPLITS` random ones if there are
    more; `alpha` is Cronbach's (1951). Agreement of items on one day does not count a person's
    change from day to day as error, so that it is rather too high a ceiling.
    """

    construct: str
    items: tuple[str, ...]
    participants: int
    split_half: Estimate
    alpha: Estimate


@dataclass(frozen=True)
class ConstructFit:
    """How well a condition predicts people's scores of one construct.

    A score is the mean of a participant's responses to the construct's items, reversed ones turned,
    each as a share of its item's range; its prediction is the same mean of expected responses.
    `r_squared` has the sign of r: predicting the opposite explains nothing. Reliability is the
    largest share of the variance of scores that can be predicted, so it bounds R², and r by its
    square root; `of_reliable` is R² over it, both of the same people.
    """

    condition: Condition
    reliability: Reliability
    r: Estimate
    r_squared: Estimate
    of_reliable: Estimate


def second_responses(responses: Responses, study: Study) -> Integers:
    """Position of each second response among its item's options, shape (participants, items).

    -1 where there is none, or no first one.
    """
    again = np.full(responses.position.shape, -1)
    for row, name in enumerate(responses.participants):
        second = study.people[name].retest
        for column, (item, options) in enumerate(
            zip(responses.items, responses.options, strict=True)
        ):
            if item in second and responses.answered[row, column]:
                again[row, column] = options.index(second[item])
    return again


def retest(responses: Responses, again: Integers, people: Resampling) -> Retest | None:
    """How far the participants repeat themselves; None if nobody was asked twice."""
    if not (again >= 0).any():
        return None
    same = estimate(mean, _repeated(responses, again), people=people)
    return Retest(int((again >= 0).any(axis=1).sum()), same)


def normalised_accuracy(predicted: Predictions, again: Integers, people: Resampling) -> Estimate:
    """Accuracy over the accuracy with which people predict themselves (Park et al. 2024).

    Both are means over participants, of the cells with a second response. 1 is a prediction as
    good as the same person on another occasion.
    """
    hits = np.where(again >= 0, nanmean(top_options(predicted)[1], axis=0), np.nan)
    accuracy = nanmean(hits, axis=1)
    return estimate(ratio, accuracy, _repeated(predicted.responses, again), people=people)


def constructs(predicted: Predictions, study: Study) -> dict[str, tuple[str, ...]]:
    """Items with scores by the construct that they measure; a construct has at least two.

    Items that measure none have no split-half ceiling. Where items were predicted in blocks, each
    block's part of a construct is a construct of its own: the prediction of one part is made from
    responses to the others, so that all of them together are predicted from themselves.
    """
    found: dict[str, list[str]] = {}
    responses, blocks = predicted.responses, predicted.blocks
    responses.must_be_shared("a construct")
    for number, block in enumerate(blocks, 1):
        for column in block:
            measures = study.items[responses.items[column]].measures
            if responses.scored_items[column] and measures:
                name = f"{measures}, part {number}" if len(blocks) > 1 else measures
                found.setdefault(name, []).append(responses.items[column])
    return {construct: tuple(items) for construct, items in found.items() if len(items) > 1}


def reliability(
    construct: str, items: tuple[str, ...], responses: Responses, study: Study, people: Resampling
) -> Reliability:
    """The reliability of the score of a construct's items."""
    scores = _keyed(responses.scores, responses, study, items)
    return Reliability(
        construct,
        items,
        int(np.isfinite(scores).all(axis=1).sum()),
        estimate(split_half, scores, people=people),
        estimate(cronbach_alpha, scores, people=people),
    )


def construct_fits(
    predicted: Sequence[Predictions], study: Study, people: Resampling
) -> list[ConstructFit]:
    """How well every condition predicts the scores of every construct.

    Answers from several donors are averaged first. Over several wordings the means of what each
    predicts alone are taken, as in `geppetto.evaluation.individuation.statistics.individuation`.
    """
    found: dict[int, list[ConstructFit]] = {}
    same: dict[tuple[tuple[tuple[str, tuple[str, ...]], ...], int, bytes], list[int]] = {}
    for number, one in enumerate(predicted):
        taking_part = one.cells.any(axis=1).tobytes()
        key = tuple(constructs(one, study).items()), len(one.wordings), taking_part
        same.setdefault(key, []).append(number)
    for (measured, wordings, _), numbers in same.items():
        responses = predicted[numbers[0]].of_cells
        expected = [
            nanmean(one.expected, axis=0)
            for number in numbers
            for one in predicted[number].wordings
        ]
        for construct, items in measured:
            scores = _keyed(responses.scores, responses, study, items)
            guesses = np.stack(
                [_keyed(e, responses, study, items).mean(axis=1) for e in expected], axis=1
            )
            truth = scores.mean(axis=1)
            ceiling = reliability(construct, items, responses, study, people)
            columns = (
                estimates(_over(wordings, correlation), truth, guesses, people=people),
                estimates(_over(wordings, signed_r_squared), truth, guesses, people=people),
                estimates(_over(wordings, part_of_reliable), scores, guesses, people=people),
            )
            for number, *fits in zip(numbers, *columns, strict=True):
                fit = ConstructFit(predicted[number].condition, ceiling, *fits)
                found.setdefault(number, []).append(fit)
    return [fit for number in sorted(found) for fit in found[number]]


def ratio(weights: Weights, upper: Floats, lower: Floats) -> Floats:
    """Mean of one number a participant over that of another, of those who have both."""
    known = np.isfinite(upper) & np.isfinite(lower)
    above, below = (weights @ np.where(known, values, 0.0) for values in (upper, lower))
    return quotient(above, below)


def signed_r_squared(weights: Weights, truth: Floats, guesses: Floats) -> Floats:
    """Pearson's r squared, with the sign of r."""
    r = correlation(weights, truth, guesses)
    return np.asarray(r * np.abs(r))


def part_of_reliable(weights: Weights, scores: Floats, guesses: Floats) -> Floats:
    """Signed R² of a construct's score over the split-half reliability of that score.

    Keyed scores are of shape (participants, items), guesses of their mean of shape (participants,)
    or (participants, columns).
    """
    reliability = split_half(weights, scores).reshape(-1, *[1] * (guesses.ndim - 1))
    return quotient(
        signed_r_squared(weights, scores.mean(axis=1), guesses), reliability, above=NOTHING
    )


def cronbach_alpha(weights: Weights, scores: Floats) -> Floats:
    """k / (k - 1) (1 - sum of the variances of k items / variance of their sum)."""
    weights, scores = _complete(weights, scores)
    items, whole = scores.shape[1], scores.sum(axis=1)
    total = weights.sum(axis=1)
    means = quotient(weights @ scores, total[:, None])
    own = quotient(weights @ (scores**2).sum(axis=1), total) - (means**2).sum(axis=1)
    of_sum = quotient(weights @ whole**2, total) - means.sum(axis=1) ** 2
    return np.asarray(items / (items - 1) * (1 - quotient(own, of_sum, above=NOTHING)))


def split_half(weights: Weights, scores: Floats) -> Floats:
    """Correlation of two halves of the items at their full length, averaged over halvings.

    Keyed scores are of shape (participants, items). Halves are summed before anything is
    multiplied, so that it takes as long as there are items, and not their square.
    """
    half = _halvings(scores.shape[1]).astype(float)
    rest = 1 - half
    weights, scores = _complete(weights, scores)
    one, other = scores @ half.T, scores @ rest.T
    total = weights.sum(axis=1)[:, None]
    m_one, m_other = (quotient(weights @ values, total) for values in (one, other))
    v_one = quotient(weights @ one**2, total) - m_one**2
    v_other = quotient(weights @ other**2, total) - m_other**2
    product = quotient(weights @ (one * other), total) - m_one * m_other
    r = quotient(product, np.sqrt(np.maximum(v_one * v_other, 0.0)), above=NOTHING)
    r = np.clip(r, 1e-9 - 1, 1 - 1e-9)
    share = half.mean(axis=1) * rest.mean(axis=1)
    return np.asarray(_full_length(r, share).mean(axis=1))


def _complete(weights: Weights, scores: Floats) -> tuple[Weights, Floats]:
    """Those who have a score of every item, and their scores around the mean of each."""
    complete = np.isfinite(scores).all(axis=1)
    weights, scores = weights[:, complete], scores[complete]
    return weights, scores - scores.mean(axis=0) if len(scores) else scores


def _over(wordings: int, statistic: Statistic) -> Statistic:
    """The mean of a statistic of guesses, one a column, over each so many columns."""

    def averaged(weights: Weights, real: Floats, guesses: Floats) -> Floats:
        found = statistic(weights, real, guesses)
        return np.asarray(found.reshape(len(found), -1, wordings).mean(axis=2))

    return averaged


def _full_length(r: Floats, share: Floats) -> Floats:
    """Reliability of all items from the correlation r of two parts of them (Horst 1951).

    `share` is the product of the shares of items in the two parts, shape (halvings,): 1/4 for
    halves, for which this is Spearman's and Brown's formula.
    """
    squared = r**2
    root = np.sqrt(squared * (squared + 4 * share * (1 - squared)))
    return np.asarray(np.sign(r) * (root - squared) / (2 * share * (1 - squared)))


def _halvings(items: int) -> NDArray[np.bool_]:
    """Which items are in one half, shape (halvings, items)."""
    small = items // 2
    if comb(items, small) // (2 if items % 2 == 0 else 1) <= SPLITS:
        chosen = [list(half) for half in combinations(range(items), small)]
        if items % 2 == 0:
            chosen = [half for half in chosen if 0 in half]
    else:
        rng = np.random.default_rng(0)
        chosen = [rng.permutation(items)[:small].tolist() for _ in range(SPLITS)]
    halves = np.zeros((len(chosen), items), bool)
    halves[np.arange(len(chosen))[:, None], chosen] = True
    return halves


def _keyed(values: Floats, responses: Responses, study: Study, items: Sequence[str]) -> Floats:
    """These items of shares of the range, reversed ones turned, shape (participants, items)."""
    places = {item: column for column, item in enumerate(responses.items)}
    columns = [places[item] for item in items]
    reversed_ = np.array([study.items[item].key == -1 for item in items])
    return np.where(reversed_, 1 - values[:, columns], values[:, columns])


def _repeated(responses: Responses, again: Integers) -> Floats:
    """Each participant's share of items with the same response twice; NaN without any."""
    same = (responses.position == again).astype(float)
    return nanmean(np.where(again >= 0, same, np.nan), axis=1)
