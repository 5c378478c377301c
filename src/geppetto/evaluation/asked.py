"""What is known of personas in sessions, where each was shown to a few people only.

In a survey what a persona predicts of an item holds for whoever answered it. In a session the
model also reads what the person did before, so that a persona says something of a person only
where it was shown for that person: its owner, and those whom it was drawn for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers, nanmean
from geppetto.evaluation.brier import option_scores
from geppetto.evaluation.matching import MatchingMatrix, comparable
from geppetto.evaluation.predictions import Predictions


def mean_cost(found: Predictions, measure: str, items: Sequence[int] | None = None) -> Floats:
    """Mean cost of each participant and draw by a measure, shape (draws, participants).

    Parameters
    ----------
    measure
        See `cell_cost`.
    items
        Items that count; all by default.
    """
    cells = cell_cost(found, measure)
    return nanmean(cells if items is None else cells[:, :, items], 2)


def cell_cost(found: Predictions, measure: str) -> Floats:
    """What each response costs, shape (draws, participants, items).

    "brier" is its Brier score, "nll_full" its NLL over everything the model could say, "missed"
    whether it is not the most probable option (of m that tie, 1 - 1/m); all other measures are its
    NLL over the legal options.
    """
    match measure:
        case "brier":
            return found.brier
        case "missed":
            return found.of_responses(_missed(found.option_log_probs))
        case "nll_full":
            return -found.log_prob
    return found.nll


def option_costs(found: Predictions, measure: str) -> Floats:
    """What each option would cost as a response, of the shape of `option_log_probs`."""
    match measure:
        case "brier":
            return option_scores(found.option_log_probs, found.counts)
        case "missed":
            return _missed(found.option_log_probs)
        case "nll_full":
            return -found.option_log_probs - np.log(found.option_mass)[..., None]
    return -found.option_log_probs


def _missed(log_probs: Floats) -> Floats:
    best = log_probs == np.fmax.reduce(log_probs, axis=-1, keepdims=True)
    hit = best / np.maximum(best.sum(axis=-1, keepdims=True), 1)
    return np.where(np.isnan(log_probs), np.nan, 1 - hit)


def asked_matrix(own: Predictions, shuffled: Predictions, measure: str) -> MatchingMatrix:
    """How well the personas that were shown for each person predict them; NaN for all others.

    Everyone is compared with the strangers that were drawn for them. The intervals that
    `identification` gives of so few pairs err on the safe side, since a pair then counts in full
    for either of its two people.
    """
    people = np.arange(len(own.pool))
    nll = np.full((len(people), len(people)), np.nan)
    nll[people, people] = mean_cost(own, measure)[0]
    for values, donors in zip(mean_cost(shuffled, measure), shuffled.donors, strict=True):
        shown = np.flatnonzero(donors >= 0)
        nll[shown, donors[shown]] = values[shown]
    return MatchingMatrix(comparable(nll), np.unique(own.pool, return_inverse=True)[1])


def asked_quality(values: Floats, donors: Integers) -> Floats:
    """How badly each participant's persona predicts the strangers that it was shown for.

    Parameters
    ----------
    values
        Mean NLL of each participant with each draw of a persona, shape (draws, participants).
    donors
        Row of the participant whose persona that was, of the same shape; -1 for nobody.

    Returns
    -------
    numpy.ndarray
        Shape (participants,): mean over those it was shown for of how much more it costs them
        than other strangers' personas do, shrunk towards 0 by how little these costs agree:
        times 1 - 1/F, F the ratio of mean squares between and within personas (James & Stein
        1961; Efron & Morris 1975). 0 with one stranger for each person, when a persona cannot be
        told from whom it was shown for: then contrasts of strangers with no persona still vary as
        they should, and information seems to vary more than it does.
    """
    lent = (donors >= 0) & (donors != np.arange(values.shape[1])) & np.isfinite(values)
    others = lent.sum(0) - 1
    lent &= others > 0
    cost = np.where(lent, values, 0.0)
    away = (cost - (cost.sum(0) - cost) / np.maximum(others, 1))[lent]
    persona = donors[lent]
    count = np.bincount(persona, minlength=values.shape[1])
    means = np.bincount(persona, away, values.shape[1]) / np.maximum(count, 1)
    personas = int((count > 0).sum())
    repeated = int(count.sum()) - personas
    between = float(count @ means**2) / max(personas - 1, 1)
    if repeated == 0 or between == 0:
        return np.zeros(values.shape[1])
    within = float(np.sum((away - means[persona]) ** 2)) / repeated
    return np.asarray(means * max(0.0, 1 - within / between))
