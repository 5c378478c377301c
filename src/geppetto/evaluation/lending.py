"""What personas cost whoever they are shown to, and what that adds to a mean over their owners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers, nanmean
from geppetto.evaluation.inference.moments import quotient
from geppetto.evaluation.losses import option_costs
from geppetto.evaluation.predictions import Predictions


def persona_quality(
    arms: Sequence[Predictions],
    items: Sequence[int] | None = None,
    measure: str = "nll",
    weights: Floats | None = None,
) -> Floats:
    """How badly each participant's persona predicts everybody, whoever it is of.

    Parameters
    ----------
    arms
        The conditions in which participants' personas are shown, their own or others'.
    items
        Items that count; all by default.
    measure
        What responses cost by, see `geppetto.evaluation.losses.cell_cost`.
    weights
        How many people each participant stands for, shape (participants,).

    Returns
    -------
    numpy.ndarray
        Shape (participants,): mean over items of what all participants' responses cost under the
        persona's predictions, less the mean of that over personas. 0 for participants whose
        persona is not shown.

    """
    answers = arms[0].responses
    answers.must_be_shared("what a persona costs whoever it is shown to")
    cost = np.full((len(answers.participants), len(_items(arms, items))), np.nan)
    for column, (item, predicted) in enumerate(costs_under(arms, measure, items)):
        position = answers.position[:, item]
        there = position >= 0
        counts = None if weights is None else weights[there]
        said = np.bincount(position[there], counts, predicted.shape[1])
        known = np.isfinite(predicted)
        cost[:, column] = np.sum(said * predicted, axis=1, where=known) / said.sum()
        cost[~known.any(1), column] = np.nan
    return np.nan_to_num(nanmean(cost - nanmean(cost, 0), 1))


def costs_under(
    arms: Sequence[Predictions], measure: str, items: Sequence[int] | None = None
) -> Iterator[tuple[int, Floats]]:
    """What each option of an item would cost under everybody's persona, an item at a time.

    Predictions are those that were drawn for strangers, and where there is none of an item those
    that were drawn for the persona's owner. If predictions are samples, each drawing of them has
    noise of its own; taken from the owner's, what a persona costs would be subtracted, noise and
    all, from that same noise in what the own persona saves, which then seems to vary less than it
    does, the more so the more strangers there are.

    Parameters
    ----------
    arms, measure, items
        As of `persona_quality`.

    Yields
    ------
    tuple
        The item and costs of shape (participants, options), NaN under personas that were not shown.
    """
    of_arms = [(arm.donors, option_costs(arm, measure), arm.nll) for arm in arms]
    people = np.arange(len(arms[0].responses.participants))
    for item in _items(arms, items):
        own = np.full((len(people), arms[0].option_log_probs.shape[3]), np.nan)
        lent, times = np.zeros_like(own), np.zeros((len(people), 1))
        for shown_for, costs, nll in of_arms:
            for draw, donors in enumerate(shown_for):
                shown = (donors >= 0) & np.isfinite(nll[draw, :, item])
                to_owner, to_others = shown & (donors == people), shown & (donors != people)
                own[to_owner] = costs[draw, to_owner, item]
                np.add.at(lent, donors[to_others], costs[draw, to_others, item])
                np.add.at(times, donors[to_others], 1)
        yield item, np.where(times > 0, lent / np.maximum(times, 1), own)


def _items(arms: Sequence[Predictions], items: Sequence[int] | None) -> Sequence[int]:
    return range(len(arms[0].responses.items)) if items is None else items


def influence(
    values: Floats, donors: Integers, quality: Floats, weights: Floats | None = None
) -> Floats:
    """What each participant adds to the mean of a condition over participants.

    A participant whose persona is shown to others is sampled in two roles: as the one who answers
    and as the persona. What the persona costs whoever it is shown to belongs to its owner, and
    not to the people to whom it happens to be shown, so it is moved there. In a contrast of own
    and strangers' personas it then cancels, as it does in the mean: both arms show the same
    personas (the two-way decomposition of a U-statistic; Hoeffding 1948).

    Parameters
    ----------
    values
        A number a participant and draw, shape (draws, participants).
    donors
        Row of the participant whose persona was shown, shape (draws, participants); -1 for nobody.
        What is lent by those who have no number themselves stays where it is: it varies, and they
        are not among the people of the mean.
    quality
        What each persona costs, shape (participants,), see `persona_quality` and, in sessions,
        `geppetto.evaluation.losses.quality_where_shown`.
    weights
        How many people each participant stands for, shape (participants,): a persona counts as
        much as those to whom it is shown, and its owner adds that to a mean in which they count
        for themselves. All count the same by default.

    Returns
    -------
    numpy.ndarray
        Shape (participants,); its mean is that of the participants' means over draws only once
        it is centred there, see `differences`.
    """
    counts = np.ones(values.shape[1]) if weights is None else weights
    lent = (donors >= 0) & (donors != np.arange(values.shape[1])) & np.isfinite(values)
    here = np.isfinite(nanmean(values, 0))
    lent &= here[np.maximum(donors, 0)]
    share = lent / np.maximum(np.isfinite(values).sum(0), 1)
    counted = (share * counts).ravel()
    shown = np.bincount(np.maximum(donors, 0).ravel(), counted, values.shape[1])
    owed = quotient(shown, counts, otherwise=0.0)
    moved = owed * quality - np.sum(share * quality[np.maximum(donors, 0)], axis=0)
    return np.asarray(nanmean(values, 0) + moved)


def not_shown_in_proportion(
    values: Floats, donors: Integers, quality: Floats, weights: Floats
) -> float:
    """How much more strangers' personas would cost if each were shown for as many as it stands for.

    Strangers are drawn as if everybody stood for one person. Own personas count as their owners do,
    so that with survey weights the two arms show the same personas, but not as often: if those of
    people with large weights cost everybody less, it would seem to matter whose persona it is. 0
    without survey weights: all are shown as often then.

    Parameters
    ----------
    values, donors, quality, weights
        As of `influence`.
    """
    known = np.isfinite(values)
    of_shown = np.sum(known * quality[np.maximum(donors, 0)], axis=0) / np.maximum(known.sum(0), 1)
    some = (known & (donors >= 0)).any(0)
    if np.ptp(weights) == 0 or not some.any():
        return 0.0
    return float(np.average((quality - of_shown)[some], weights=weights[some]))
