"""Whether probabilities mean what they say, and predictions at the temperature that fits best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import minimize_scalar

from geppetto.evaluation.arrays import Floats, Integers, nanmean
from geppetto.evaluation.predictions import Predictions
from geppetto.planning.plan import Condition

BINS = 10
"""Bins of confidence of equal width."""

TEMPERATURES = (0.05, 20.0)
"""The lowest and the highest temperature that is fitted: a model that is always (or never) right
would have no end."""

HIGHEST = 0.99 * TEMPERATURES[1]
"""A fitted temperature above this is as high as it can be: uniform guesses would do as well."""

_BATCH = 200_000
_STEP = 0.01
_LOWEST = 1.01 * TEMPERATURES[0]


@dataclass(frozen=True, eq=False)
class Reliability:
    """How often a model is right when it is so sure, by bins of confidence.

    Mean confidence, share of hits (NaN in an empty bin) and number of answers, shape (bins,) each.

    Examples
    --------
    >>> from geppetto.evaluation.calibration import reliability
    >>> sure_and_half_right = reliability([0.95, 0.95], [1, 0])
    >>> round(sure_and_half_right.error, 2)
    0.45
    """

    confidence: Floats
    accuracy: Floats
    count: Integers

    @property
    def error(self) -> float:
        """Expected calibration error: mean distance of accuracy from confidence over answers.

        ECE = sum over bins of (count / answers) |accuracy - confidence| (Naeini, Cooper &
        Hauskrecht 2015). It is never negative, so of few answers it is above 0 by chance.
        """
        some = self.count > 0
        gaps = np.abs(self.accuracy - self.confidence)[some]
        return float(np.average(gaps, weights=self.count[some])) if some.any() else float("nan")


def reliability(confidence: ArrayLike, correct: ArrayLike, bins: int = BINS) -> Reliability:
    """Accuracy against confidence in bins of equal width from 0 to 1, upper ends included.

    Confidence is the probability of the most probable option, of any shape, NaN where there is no
    answer; `correct` says whether it is the real response (a share if options tie).

    Examples
    --------
    >>> from geppetto.evaluation.calibration import reliability
    >>> reliability([0.2, 0.9, 0.8], [0, 1, 1], bins=2).accuracy.tolist()
    [0.0, 1.0]
    """
    sure, right = np.ravel(np.asarray(confidence, float)), np.ravel(np.asarray(correct, float))
    known = ~(np.isnan(sure) | np.isnan(right))
    sure, right = sure[known], right[known]
    edges = np.linspace(0, 1, bins + 1)
    place = np.searchsorted(edges[1:-1], sure)
    count = np.bincount(place, minlength=bins)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, values, minlength=bins) / count for values in (sure, right)]
    return Reliability(means[0], means[1], count.astype(np.int64))


def top_options(predictions: Predictions) -> tuple[Floats, Floats]:
    """Probability of the most probable option, and whether it is the real response.

    Both of shape (draws, participants, items), NaN without an answer. A response that is one of m
    equally probable best options is a hit by 1/m.
    """
    nll = predictions.nll
    best = np.fmax.reduce(predictions.option_log_probs, axis=3)
    number = (predictions.option_log_probs == best[..., None]).sum(axis=3)
    hit = (-nll == best) / np.maximum(number, 1)
    return np.exp(best), np.where(np.isnan(nll), np.nan, hit)


def temperature_scaled(
    predictions: Sequence[Predictions], clusters: ArrayLike | None = None
) -> tuple[list[Predictions], dict[str, tuple[float, float]]]:
    """Predictions at one temperature for each model, fitted on other people, and the temperatures.

    Participants are split in two halves, and p_o^(1/T) / sum over options of p^(1/T) replaces the
    distribution p over the legal options of everyone in a half, with the T that minimises the mean
    NLL of the other half over all conditions of the model (Guo et al. 2017). Every participant
    counts the same in every condition that they are in, and clusters are not split. `log_prob` and
    `option_mass`, which are about everything the model could say, stay as they are. T is above 1
    for a model that is too sure, below 1 for one that is not sure enough.

    Notes
    -----
    The split depends on the order of participants in `Responses`, which their answers alone
    decide, and so on neither their names nor the order in which they were read.

    What this removes is a model's general over- or underconfidence: without it, whatever makes a
    model that is not sure enough surer, as a long prompt may, saves nats and looks like knowledge.
    What it does not remove is a difference in sharpness between arms, since all share one T: of two
    arms the one nearer to the best T still gains, and with it the total and the format effect,
    which may still be sharpening. Information is between arms that show the same personas, as sharp
    in one as in the other, so sharpening alone does not make it differ from 0. A temperature for
    each arm would take real effects away: to be rightly surer is part of what knowing a person
    gives.
    """
    if not predictions:
        return [], {}
    second = _second_half(len(predictions[0].responses.participants), clusters)
    temperatures = {
        model: _temperatures([p for p in predictions if p.condition.model == model], second)
        for model in dict.fromkeys(p.condition.model for p in predictions)
    }
    scaled = [_at(p, np.array(temperatures[p.condition.model])[second]) for p in predictions]
    return scaled, temperatures


def _second_half(participants: int, clusters: ArrayLike | None) -> Integers:
    """0 or 1 for each participant: a random half of clusters, in the order of their members."""
    groups = np.arange(participants) if clusters is None else np.asarray(clusters)
    _, first, number = np.unique(groups, return_index=True, return_inverse=True)
    appearance = np.argsort(np.argsort(first))
    half = np.random.default_rng(0).permutation(len(first)) % 2
    return np.asarray(half[appearance][number], np.int64)


def _temperatures(conditions: Sequence[Predictions], second: Integers) -> tuple[float, float]:
    """The temperatures of the first and of the second half, each fitted on the other."""
    fitted = [_fitted(conditions, np.flatnonzero(second == other)) for other in (1, 0)]
    return fitted[0], fitted[1]


def _fitted(conditions: Sequence[Predictions], people: Integers) -> float:
    """The temperature that minimises these people's NLL; 1 if they have no answers."""
    parts = [_answers(condition, people) for condition in conditions]
    away, real, weight = (np.concatenate(arrays, axis=-1) for arrays in zip(*parts, strict=True))
    if not weight.size:
        return 1.0
    batches = [slice(start, start + _BATCH) for start in range(0, weight.size, _BATCH)]

    def loss(log_temperature: float) -> float:
        cold = np.exp(-log_temperature)
        return float(
            sum(
                weight[b] @ (np.log(np.exp(cold * away[:, b]).sum(axis=0)) - cold * real[b])
                for b in batches
            )
        )

    found = minimize_scalar(
        loss, bounds=tuple(np.log(TEMPERATURES)), method="bounded", options={"xatol": 1e-5}
    )
    return float(np.exp(found.x))


def _answers(predictions: Predictions, people: Integers) -> tuple[Floats, Floats, Floats]:
    """Answers of some people in a condition.

    Log-probabilities of options less that of the best, shape (options, answers), -inf beyond an
    item's last; that of the real response, and the answer's share of its person's mean, shape
    (answers,).
    """
    log_probs = predictions.option_log_probs[:, people]
    known = ~np.isnan(predictions.nll[:, people])
    best = np.fmax.reduce(log_probs, axis=3)[known]
    away = np.where(np.isnan(log_probs[known]), -np.inf, log_probs[known]) - best[:, None]
    weight = known / np.maximum(known.sum(axis=(0, 2), keepdims=True), 1)
    return np.ascontiguousarray(away.T), -predictions.nll[:, people][known] - best, weight[known]


def _at(predictions: Predictions, temperature: Floats) -> Predictions:
    """Predictions with the option distributions of each person at a temperature."""
    scaled = predictions.option_log_probs / temperature[:, None, None]
    best = np.fmax.reduce(scaled, axis=3, keepdims=True)
    total = np.nansum(np.exp(scaled - best), axis=3, keepdims=True)
    with np.errstate(divide="ignore"):
        return replace(predictions, option_log_probs=scaled - best - np.log(total))


def temperature_contributions(
    predictions: Sequence[Predictions],
    temperatures: tuple[float, float],
    clusters: ArrayLike | None = None,
) -> Mapping[Condition, Floats]:
    """What each person's answers add to a condition's mean NLL through the fitted temperatures.

    A temperature that was fitted on some people is another one if other people are drawn, and moves
    the NLL of all who are predicted at it. Each person's part in that is -(dL/dt) s_i / sum of d
    s/dt, with t = log T, s_i the derivative of the person's own part of the loss that was
    minimised, and L the mean NLL of the people in the other half (the influence function of an
    M-estimator; van der Vaart 1998, section 5.3). Their sum is 0, so that they change the spread of
    a mean and not the mean. Parts are of shape (participants,), of each condition before it is
    scaled, and 0 where a temperature is as high or as low as it can be.
    """
    people = len(predictions[0].responses.participants)
    second = _second_half(people, clusters)
    added = {one.condition: np.zeros(people) for one in predictions}
    for half, temperature in enumerate(temperatures):
        if not _LOWEST < temperature < HIGHEST:
            continue
        steps = [temperature * np.exp(step) for step in (-_STEP, 0.0, _STEP)]
        nll = {
            one.condition: [nanmean(nanmean(_at(one, np.full(people, t)).nll, 0), 1) for t in steps]
            for one in predictions
        }
        fitted_on = np.flatnonzero(second != half)
        loss = (np.nansum(list(nll.values()), axis=0) / len(nll))[:, fitted_on]
        score, bend = (loss[2] - loss[0]) / (2 * _STEP), (loss[2] - 2 * loss[1] + loss[0])
        total = bend.sum() / _STEP**2
        if total <= 0:
            continue
        predicted = second == half
        for condition, (low, _, high) in nll.items():
            slope = np.nansum((high - low)[predicted]) / (2 * _STEP)
            added[condition][fitted_on] -= slope * score / total
    return added
