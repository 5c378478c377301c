"""What is known of personas in sessions, where each was shown to a few people only.

In a survey what a persona predicts of an item holds for whoever answered it. In a session the
model also reads what the person did before, so that a persona says something of a person only
where it was shown for that person: its owner, and those whom it was drawn for.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import sparse
from scipy.sparse.linalg import spsolve

from geppetto.evaluation.arrays import Floats, Integers, nanmean, option_scores
from geppetto.evaluation.individuation.matching import MatchingMatrix, comparable
from geppetto.evaluation.predictions import Predictions

_LEAST = 1e-6
"""The least share of noise in what personas cost, so that equations have one solution."""


def mean_cost(found: Predictions, measure: str, items: Sequence[int] | None = None) -> Floats:
    """Mean `cell_cost` of each participant and draw, shape (draws, participants)."""
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


def possible_savings(
    worse: Predictions, better: Predictions, measure: str, items: Sequence[int] | None = None
) -> Floats:
    """The least and the most that would be saved a response, whatever somebody had responded.

    By what is predicted of every option, in the mean over draws. Of an open response nothing is
    known, so that anything could be saved. Shape (participants, 2).
    """
    of = slice(None) if items is None else list(items)
    saved = nanmean(option_costs(worse, measure)[:, :, of], 0)
    saved = saved - nanmean(option_costs(better, measure)[:, :, of], 0)
    known = np.isfinite(saved)
    is_open = worse.responses.is_open[:, of] & (measure == "nll_full")
    counted = known.any(2) | is_open
    number = np.maximum(counted.sum(1), 1)
    least = np.where(is_open, -np.inf, np.where(known, saved, np.inf).min(2))
    most = np.where(is_open, np.inf, np.where(known, saved, -np.inf).max(2))
    each = np.stack([least, most], axis=2)
    return np.asarray(np.where(counted[..., None], each, 0.0).sum(1) / number[:, None])


def _missed(log_probs: Floats) -> Floats:
    best = log_probs == np.fmax.reduce(log_probs, axis=-1, keepdims=True)
    hit = best / np.maximum(best.sum(axis=-1, keepdims=True), 1)
    return np.where(np.isnan(log_probs), np.nan, 1 - hit)


def matrix_where_shown(own: Predictions, shuffled: Predictions, measure: str) -> MatchingMatrix:
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


def quality_where_shown(values: Floats, donors: Integers) -> Floats:
    """How badly each participant's persona predicts the strangers that it was shown for.

    What a stranger's persona costs a person is taken as the sum of what any persona costs that
    person, of what this persona costs anybody, and of noise. What personas cost is predicted
    without bias and with the least error that is possible from two variances (the best linear
    unbiased prediction; Henderson 1975, Biometrics 31, 423-447), which are those whose expected
    sums of squares are the observed ones. Own personas have no part in it, so that what they save
    their owners is never taken for what they cost.

    Values are the mean NLL of each participant with each draw of a persona, shape (draws,
    participants), and donors whose that was, -1 for nobody. The result is shrunk towards 0 by how
    little can be told. It is 0 with one stranger for each person, when a persona cannot be told
    from whom it was shown for: then contrasts of strangers with no persona still vary as they
    should, and information seems to vary more than it does.
    """
    people = values.shape[1]
    lent = (donors >= 0) & (donors != np.arange(people)) & np.isfinite(values)
    lent &= lent.sum(0) > 1
    if not lent.any():
        return np.zeros(people)
    shown = np.maximum(lent.sum(0), 1)
    away = np.where(lent, values, 0.0)
    away = np.where(lent, away - away.sum(0) / shown, 0.0)
    of_persona = np.bincount(donors[lent], away[lent], people)
    draw, person = np.nonzero(lent)
    pairs = sparse.csr_array((np.ones(len(draw)), (person, donors[lent])), (people, people))
    lending = sparse.diags_array(np.bincount(donors[lent], minlength=people).astype(float))
    told = lending - pairs.T @ sparse.diags_array(1 / shown) @ pairs
    trace, free = told.trace(), lent.sum() - lent.any(0).sum()
    expected = [[told.multiply(told).sum(), trace], [trace, free]]
    observed = [of_persona @ of_persona, np.sum(away**2)]
    between, within = np.linalg.lstsq(np.array(expected), np.array(observed))[0]
    if between <= 0:
        return np.zeros(people)
    noise = max(within / between, _LEAST)
    return np.asarray(spsolve((told + noise * sparse.eye_array(people)).tocsc(), of_persona))
