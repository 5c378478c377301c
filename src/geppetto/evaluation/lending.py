"""What personas cost whoever they are shown to, and what that adds to a mean over their owners.

In a survey what a persona predicts of an item holds for whoever answered it, so that what people's
responses cost under every persona is known, however few were drawn for them. Which were drawn adds
noise to a person's difference, the more the fewer: how much people differ in an effect, and in how
many it is positive, are told as if all others had been the strangers of everyone (`typical_cost`),
or an effect would change its size with the number of strangers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers, nanmean, quotient, sums
from geppetto.evaluation.losses import option_costs
from geppetto.evaluation.predictions import Predictions

STRANGERS = "shuffled"
"""The arm whose strangers are drawn from all others."""


def persona_quality(
    arms: Sequence[Predictions],
    items: Sequence[int] | None = None,
    measure: str = "nll",
    weights: Floats | None = None,
) -> Floats:
    """How badly each participant's persona predicts everybody, whoever it is of.

    The mean over items of what all participants' responses cost under the persona's predictions,
    less the mean of that over personas, shape (participants,). 0 for participants whose persona is
    not shown in any of these arms, their own or others'.
    """
    answers = arms[0].responses
    answers.must_be_shared("what a persona costs whoever it is shown to")
    cost = np.full((len(answers.participants), len(_items(arms, items))), np.nan)
    predictions = costs_under(arms, measure, items)
    for column, item in enumerate(_items(arms, items)):
        position, predicted = answers.position[:, item], predictions[:, column]
        there = position >= 0
        counts = None if weights is None else weights[there]
        said = np.bincount(position[there], counts, predicted.shape[1])
        known = np.isfinite(predicted)
        cost[:, column] = np.sum(said * predicted, axis=1, where=known) / said.sum()
        cost[~known.any(1), column] = np.nan
    return np.nan_to_num(nanmean(cost - nanmean(cost, 0), 1))


def costs_under(
    arms: Sequence[Predictions], measure: str, items: Sequence[int] | None = None
) -> Floats:
    """What each option of an item would cost under everybody's persona.

    Predictions are those that were drawn for strangers, and where there is none of an item those
    that were drawn for the persona's owner. If predictions are samples, each drawing of them has
    noise of its own; taken from the owner's, what a persona costs would be subtracted, noise and
    all, from that same noise in what the own persona saves, which then seems to vary less than it
    does, the more so the more strangers there are. Costs are of shape (participants, items,
    options), NaN under personas that were not shown.
    """
    chosen = list(_items(arms, items))
    people = np.arange(len(arms[0].responses.participants))
    own = np.full((len(people), len(chosen), arms[0].option_log_probs.shape[3]), np.nan)
    lent, times = np.zeros_like(own), np.zeros(own.shape[:2])
    for arm in arms:
        every = zip(arm.donors, option_costs(arm, measure), arm.nll, strict=True)
        for donors, costs, nll in every:
            shown = (donors >= 0)[:, None] & np.isfinite(nll[:, chosen])
            is_owner = (donors == people)[:, None]
            to_owner, to_others = shown & is_owner, shown & ~is_owner
            own[to_owner] = costs[:, chosen][to_owner]
            lender = np.maximum(donors, 0)
            costed = np.where(to_others[..., None], costs[:, chosen], 0.0)
            lent += sums(costed.reshape(len(people), -1), lender, len(people)).reshape(lent.shape)
            times += sums(to_others, lender, len(people))
    return np.where(times[..., None] > 0, lent / np.maximum(times, 1)[..., None], own)


def _items(arms: Sequence[Predictions], items: Sequence[int] | None) -> Sequence[int]:
    return range(len(arms[0].responses.items)) if items is None else items


def influence(
    values: Floats, donors: Integers, quality: Floats, weights: Floats | None = None
) -> Floats:
    """What each participant adds to the mean of a condition over participants, once it is centred.

    A participant whose persona is shown to others is sampled in two roles: as the one who answers
    and as the persona. What the persona costs whoever it is shown to belongs to its owner, and
    not to the people to whom it happens to be shown, so it is moved there. In a contrast of own
    and strangers' personas it then cancels, as it does in the mean: both arms show the same
    personas (the two-way decomposition of a U-statistic; Hoeffding 1948).

    Parameters
    ----------
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
    """
    known = np.isfinite(values)
    of_shown = np.sum(known * quality[np.maximum(donors, 0)], axis=0) / np.maximum(known.sum(0), 1)
    some = (known & (donors >= 0)).any(0)
    if np.ptp(weights) == 0 or not some.any():
        return 0.0
    return float(np.average((quality - of_shown)[some], weights=weights[some]))


def typical_cost(
    arms: Mapping[str, Predictions], measure: str, items: Sequence[int] | None = None
) -> Floats | None:
    """What each participant's responses cost with a stranger's persona, the mean over all others.

    Others are those of their pool whose persona was shown to anybody. None where that is not known:
    without strangers, in sessions and of samples.
    """
    shown = [arms[name] for name in (STRANGERS, "own") if name in arms]
    if STRANGERS not in arms or any(arm.counts is not None for arm in shown):
        return None
    observed, pools = shown[0].responses, shown[0].pool
    if observed.of_sessions:
        return None
    people = np.arange(len(pools))
    number, pool = np.unique(pools, return_inverse=True)
    columns = []
    predictions = costs_under(shown, measure, items)
    for column, item in enumerate(_items(shown, items)):
        predicted = predictions[:, column]
        known = np.isfinite(predicted)
        total = sums(np.where(known, predicted, 0.0), pool, len(number))
        count = sums(known, pool, len(number))
        position = observed.position[:, item]
        at = pool, np.maximum(position, 0)
        own = known[people, at[1]]
        mine = np.where(own, predicted[people, at[1]], 0.0)
        mean = quotient(total[at] - mine, count[at] - own)
        columns.append(np.where(position >= 0, mean, np.nan))
    return nanmean(np.stack(columns, axis=1), 1)
