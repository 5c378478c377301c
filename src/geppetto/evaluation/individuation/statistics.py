"""Whether predictions tell people apart: association and spread across persons, not of answers.

Everything is about E, the expected response under a prediction, and y, the real one, both as a
share of the item's range, in the cells that have both. Items whose responses are not numbers
(more than two options without order) are not part of it.

Each function below is a statistic in the sense of `geppetto.evaluation.inference.resampling`: it
takes `weights` of shape (draws, participants), E and y of shape (participants, items) with NaN in
empty cells, and gives an array of shape (draws,) that is what the same function gives of people who
are really repeated as often as they weigh. A mean over people, wherever one is taken, is over the
weighted people: nothing is carried over from the sample to a draw.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers, nanmean, quotient
from geppetto.evaluation.inference.resampling import (
    Estimate,
    Resampling,
    Statistic,
    Weights,
    estimate,
    mean,
)
from geppetto.evaluation.predictions import Predictions

R_MAX = 0.999
"""What a stronger correlation counts as when correlations are averaged: Fisher's z of 1 is
infinite, and one perfect correlation among few would decide the average."""

_NOTHING = 1e-14
"""Variance of values that are all the same but for rounding: an SD of 1e-7 of the range."""

_FEWEST = 3
"""Pairs of values that a correlation needs: two pairs always correlate perfectly."""

_BATCH = 20_000_000


@dataclass(frozen=True)
class Individuation:
    """How well a condition's predictions tell people apart: each is the function of its name.

    `items_left_out` says why an item is not in `item_correlation` (of some draw), by its name.
    """

    item_correlation: Estimate
    variance_ratio: Estimate
    residual_correlation: Estimate
    profile_correlation: Estimate
    distinctive_profile_correlation: Estimate
    items_left_out: dict[str, str]


def individuation(
    predictions: Predictions, people: Resampling, folds: Integers | None = None
) -> Individuation:
    """How well a condition's predictions tell people apart, with intervals over people.

    Where a condition has answers from several donors, every statistic is computed for each draw
    of donors and then averaged: to average E itself would take variance out of it. So it is with
    several wordings: the average of E over wordings is the prediction of a committee, which agrees
    with responses more than its members do. Intervals are about other people in these wordings.

    Where items were predicted in blocks, the statistics that compare a person's items with each
    other are computed for each block and averaged: the prediction of one block is made from the
    responses to the others, so that a person's mean prediction and mean response over all items
    would hang together by construction.

    Of cross-fitted predictions `folds` is the number of the people with whom each participant was
    predicted from all others. Both E and y are then taken from their mean over the fold: who is
    left out moves the training people's mean the other way, which would be a negative correlation
    across people of its own.
    """
    responses = predictions.responses
    scored = responses.scored_items
    scores = responses.scores[:, scored]
    predicted = np.where(np.isnan(predictions.nll), np.nan, predictions.expected)[..., scored]
    if folds is not None:
        scores = _within(scores, folds)
        predicted = np.stack([_within(draw, folds) for draw in predicted])
    by_person = np.moveaxis(predicted, 1, 0)
    place = np.cumsum(scored) - 1
    blocks = [place[block[scored[block]]] for block in predictions.blocks]

    def over_people(statistic: Statistic, parts: Sequence[Integers] = ()) -> Estimate:
        whole = _over_draws(statistic)
        if len(parts) < 2:
            return estimate(whole, by_person, scores, people=people)
        pairs = [(by_person.take(part, axis=2), scores.take(part, axis=1)) for part in parts]

        def averaged(weights: Weights, *_: Floats) -> Floats:
            return nanmean(np.array([whole(weights, e, y) for e, y in pairs]), axis=0)

        return estimate(averaged, by_person, scores, people=people)

    names = np.array(responses.items)
    reasons = dict.fromkeys(names[~scored].tolist(), "its options have no order")
    for e in predicted:
        reasons |= _left_out(people.sample, e, scores, names[scored].tolist())
    return Individuation(
        over_people(item_correlation),
        over_people(variance_ratio),
        over_people(residual_correlation, blocks),
        over_people(profile_correlation, blocks),
        over_people(distinctive_profile_correlation, blocks),
        reasons,
    )


def item_correlation(weights: Weights, expected: Floats, scores: Floats) -> Floats:
    """Pearson's r of E and y across people within an item, averaged over items.

    The average is of Fisher's z (Silver & Dunlap 1987), r beyond 0.999 counting as 0.999, and is
    turned back into a correlation. Items that fewer than three people answered, or on which E or
    y is the same for all, have no r and are not in it; NaN if that is so of all of them.
    """
    _, *moments = _item_moments(weights, expected, scores)
    enough = (np.isfinite(expected) & np.isfinite(scores)).sum(axis=0) >= _FEWEST
    r = np.where(enough, _pearson(*moments), np.nan)
    return np.asarray(np.tanh(nanmean(_fisher_z(r), axis=1)))


def variance_ratio(weights: Weights, expected: Floats, scores: Floats) -> Floats:
    """Variance of E across people over that of y: sum over items of each (same cells in both).

    1 if predictions differ between people as much as responses do, 0 if everyone is predicted
    alike. A prediction that is the best there is, E = E[y | what is known], has the share of the
    variance of y that it explains. NaN if all responses of each item are the same.
    """
    _, of_expected, of_scores, _ = _item_moments(weights, expected, scores)
    total = of_scores.sum(axis=1)
    return quotient(of_expected.sum(axis=1), total, above=_NOTHING)


def residual_correlation(weights: Weights, expected: Floats, scores: Floats) -> Floats:
    """Correlation over all cells of what is left of E and of y without person and item effects.

    The effects are those of the additive model person + item, fitted by least squares to the
    answered cells of the weighted people, for E and y each. If every person answered every item,
    what is left is E_ij - E_i. - E_.j + E_.. ("double centring"); if not, means would mix people
    with items and the least-squares effects do not. NaN if nothing is left of either.

    With M_i the matrix that centres the items that person i answered, the item effects b solve
    L b = sum_i w_i M_i e_i where L = sum_i w_i M_i, and the sum of products of what is left of e
    and y is sum_i w_i e_i' M_i y_i - (sum_i w_i M_i e_i)' L^- (sum_i w_i M_i y_i) (Frisch-Waugh-
    Lovell): all of them are weighted sums over people. L is singular, since item effects are
    only known up to constants, and gets a ridge of 1e-10 of its size.
    """
    known, e, y = _filled(expected, scores)
    e, y = _person_centred(known, e), _person_centred(known, y)
    sums = weights @ np.stack([(e * e).sum(1), (y * y).sum(1), (e * y).sum(1)], axis=1)
    by_item = np.stack([weights @ e, weights @ y], axis=2)
    fitted = by_item.swapaxes(1, 2) @ _item_effects(weights, known, by_item)
    products = sums - np.stack([fitted[:, 0, 0], fitted[:, 1, 1], fitted[:, 0, 1]], axis=1)
    moments = quotient(products, weights @ known.sum(axis=1, keepdims=True))
    return _pearson(*moments.T)


def profile_correlation(weights: Weights, expected: Floats, scores: Floats) -> Floats:
    """Pearson's r of E and y over a person's items, averaged over people by Fisher's z.

    People with fewer than three items or the same value on all of them do not count. What is
    typical of everyone is enough for a high value (Furr 2008, "normative" similarity): a model
    that knows only how people respond on average gets one.
    """
    return np.asarray(np.tanh(mean(weights, _fisher_z(_profiles(expected, scores)))))


def distinctive_profile_correlation(weights: Weights, expected: Floats, scores: Floats) -> Floats:
    """`profile_correlation` after subtracting the item's mean over people from E and from y.

    Furr (2008, Journal of Personality 76, 1267-1316), "distinctive" similarity: does the
    prediction know in what this person differs from others?
    """
    parts = zip(_draws(weights), _distinctive(weights, expected, scores), strict=True)
    return np.asarray(np.tanh(np.concatenate([_weighted_mean(w, _fisher_z(r)) for w, r in parts])))


def _over_draws(statistic: Statistic) -> Statistic:
    """The mean of a statistic over draws of donors: E has shape (participants, draws, items)."""

    def averaged(weights: Weights, expected: Floats, scores: Floats) -> Floats:
        draws = [statistic(weights, e, scores) for e in np.moveaxis(expected, 1, 0)]
        return nanmean(np.array(draws), axis=0)

    return averaged


def _within(values: Floats, folds: Integers) -> Floats:
    """Values less their mean over the people of a fold, plus that over everyone."""
    centred = values.copy()
    for fold in np.unique(folds):
        centred[folds == fold] -= nanmean(values[folds == fold], 0)
    return centred + nanmean(values, 0)


def _left_out(
    weights: Weights, expected: Floats, scores: Floats, names: list[str]
) -> dict[str, str]:
    """Why items have no correlation across people, by name."""
    _, of_expected, of_scores, _ = (x[0] for x in _item_moments(weights, expected, scores))
    known = np.isfinite(expected) & np.isfinite(scores)
    answered = (known & (weights[0] > 0)[:, None]).sum(axis=0)
    found = {}
    for name, people, e, y in zip(names, answered, of_expected, of_scores, strict=True):
        if people < _FEWEST:
            found[name] = "fewer than three people responded to it"
        elif y <= _NOTHING:
            found[name] = "everyone responded the same"
        elif e <= _NOTHING:
            found[name] = "everyone is predicted to respond the same"
    return found


def _item_moments(
    weights: Weights, expected: Floats, scores: Floats
) -> tuple[Floats, Floats, Floats, Floats]:
    """Weight, variance of E and of y and their covariance of each item, (draws, items) each."""
    known, e, y = _filled(expected, scores)
    count = weights @ known
    e_mean, y_mean = quotient(weights @ e, count, 0.0), quotient(weights @ y, count, 0.0)
    of_expected = quotient(weights @ e**2, count, 0.0) - e_mean**2
    of_scores = quotient(weights @ y**2, count, 0.0) - y_mean**2
    return count, of_expected, of_scores, quotient(weights @ (e * y), count, 0.0) - e_mean * y_mean


def _item_effects(weights: Weights, known: Floats, sums: Floats) -> Floats:
    """L^- sums of `residual_correlation`, shape (draws, items, values) like the sums."""
    if known.all():
        return quotient(sums, weights.sum(axis=1)[:, None, None])
    items = known.shape[1]
    share = quotient(known, known.sum(axis=1, keepdims=True), 0.0)
    effects = []
    for part, right in zip(_batches(weights, items**2), _batches(sums, items**2), strict=True):
        centring = np.empty((len(part), items, items))
        for item in range(items):
            row = -(part @ (share[:, item:] * known[:, [item]]))
            centring[:, item, item:] = centring[:, item:, item] = row
        diagonal = np.arange(items)
        centring[:, diagonal, diagonal] += part @ known
        size = np.trace(centring, axis1=1, axis2=2)[:, None] / items
        centring[:, diagonal, diagonal] += 1e-10 * size + 1e-300
        effects.append(np.linalg.solve(centring, right))
    return np.concatenate(effects)


def _profiles(expected: Floats, scores: Floats) -> Floats:
    """Correlation over items of each person, shape (participants,)."""
    known, e, y = _filled(expected, scores, people=False)
    e, y = _person_centred(known, e), _person_centred(known, y)
    count = known.sum(axis=1)
    moments = [quotient((a * b).sum(axis=1), count) for a, b in ((e, e), (y, y), (e, y))]
    return np.where(count >= _FEWEST, _pearson(*moments), np.nan)


def _distinctive(weights: Weights, expected: Floats, scores: Floats) -> Iterator[Floats]:
    """Correlation over items of each person without item means, for the parts of `_draws`.

    Each is of shape (some draws, participants). With a and b the item means of E and y in a draw
    and M_i the matrix that centres the items of person i, the products are
    (e_i - a)' M_i (y_i - b); all of them are sums over items.
    """
    known, e, y = _filled(expected, scores)
    e_centred, y_centred = _person_centred(known, e), _person_centred(known, y)
    count = known.sum(axis=1)
    share = np.ascontiguousarray((known / np.maximum(count, 1)[:, None]).T)

    def products(u: Floats, v: Floats) -> Callable[..., Floats]:
        of_values = (u * v).sum(axis=1) / np.maximum(count, 1)
        of_both = np.concatenate([-v.T, -u.T, known.T]) / np.maximum(count, 1)

        def found(a: Floats, b: Floats, a_mean: Floats, b_mean: Floats) -> Floats:
            result: Floats = np.hstack([a, b, a * b]) @ of_both
            result += of_values
            result -= a_mean * b_mean
            return result

        return found

    of_expected, of_scores, of_both = (
        products(u, v)
        for u, v in ((e_centred, e_centred), (y_centred, y_centred), (e_centred, y_centred))
    )
    for part in _draws(weights):
        weighed = part @ known
        a, b = quotient(part @ e, weighed, 0.0), quotient(part @ y, weighed, 0.0)
        a_mean, b_mean = a @ share, b @ share
        r = _pearson(
            of_expected(a, a, a_mean, a_mean),
            of_scores(b, b, b_mean, b_mean),
            of_both(a, b, a_mean, b_mean),
        )
        r[:, count < _FEWEST] = np.nan
        yield r


def _draws(weights: Weights) -> list[Weights]:
    """The weights in parts of so few draws that a number a person fits into a core's cache."""
    return _batches(weights, 100 * weights.shape[1])


def _filled(expected: Floats, scores: Floats, people: bool = True) -> tuple[Floats, Floats, Floats]:
    """Which cells have both values (1 or 0), and the values, 0 in the others.

    With `people`, values are distances from the item's mean: no statistic of distances between
    people changes by that, and sums of squares lose no digits.
    """
    known = np.isfinite(expected) & np.isfinite(scores)
    e, y = np.where(known, expected, 0.0), np.where(known, scores, 0.0)
    if people:
        count = np.maximum(known.sum(axis=0), 1)
        e, y = (np.where(known, v - v.sum(axis=0) / count, 0.0) for v in (e, y))
    return known.astype(float), e, y


def _person_centred(known: Floats, values: Floats) -> Floats:
    """Values less their person's mean in known cells, 0 in the others."""
    means = values.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
    return np.asarray(known * (values - means))


def _pearson(of_one: Floats, of_other: Floats, covariance: Floats) -> Floats:
    """Correlation from variances and covariance; NaN where a variance is nothing."""
    some = (of_one > _NOTHING) & (of_other > _NOTHING)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.where(some, covariance / np.sqrt(of_one * of_other), np.nan))


def _fisher_z(r: Floats) -> Floats:
    return np.asarray(np.arctanh(np.clip(r, -R_MAX, R_MAX)))


def _weighted_mean(weights: Weights, values: Floats) -> Floats:
    """Mean over participants of values that differ between draws; NaN does not count."""
    known = ~np.isnan(values)
    total = np.einsum("dp,dp->d", weights, np.where(known, values, 0.0))
    return quotient(total, np.einsum("dp,dp->d", weights, known))


def _batches(values: Floats, size: int) -> list[Floats]:
    """Rows of an array in parts that stay small when each row becomes `size` numbers."""
    return np.array_split(values, max(1, -(-len(values) * size // _BATCH)))
