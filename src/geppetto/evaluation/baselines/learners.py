"""Learners of responses: from what is known of people to probabilities of their options."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.baselines.low_rank import low_rank

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.linear_model import LogisticRegression

_INNER_FOLDS = 4
_CHOICE_ITEMS = 5


@dataclass(frozen=True)
class Learner:
    """A way to learn from some people's responses, and to predict those of others.

    Attributes
    ----------
    settings
        How much it may learn, from the most cautious; one is chosen on training people.
    counts
        A function `(known, responses, options, asked, setting)` of what is known of the training
        people, shape (people, fields), NaN where it is not; of their responses as positions
        among the options, shape (people, items), -1 without one; of the largest number of
        options; of what is known of the people asked about; and of a setting. It returns how
        often it expects each option among as many people as it learned from, shape
        (people asked about, items, options).
    together
        Whether items are learned together, so that what suits a few of them does not suit all.
    """

    name: str
    settings: tuple[float, ...]
    counts: Callable[[Floats, Integers, int, Floats, float], Floats]
    together: bool = False


def _logistic(
    known: Floats, responses: Integers, options: int, wanted: Floats, strength: float
) -> Floats:
    """Multinomial logistic regression with an L2 penalty, an item at a time."""
    from sklearn.linear_model import LogisticRegression

    known, wanted = _standardised(known, wanted)
    model = LogisticRegression(C=strength, tol=1e-3, max_iter=1000)
    return _item_by_item(model, known, responses, options, wanted)


def _boosting(
    known: Floats, responses: Integers, options: int, wanted: Floats, rate: float
) -> Floats:
    """A few small gradient-boosted trees an item; what is not known has a branch of its own."""
    from sklearn.ensemble import HistGradientBoostingClassifier

    model = HistGradientBoostingClassifier(
        learning_rate=rate, max_iter=8, max_leaf_nodes=4, max_bins=32, early_stopping=False
    )
    return _item_by_item(model, known, responses, options, wanted)


def _low_rank(
    known: Floats, responses: Integers, options: int, wanted: Floats, strength: float
) -> Floats:
    """A few dimensions of the person that all items share; see `low_rank`."""
    known, wanted = _standardised(known, wanted)
    probabilities = low_rank(known, responses, options, wanted, strength)
    return np.asarray(probabilities * (responses >= 0).sum(axis=0)[:, None])


LEARNERS = (
    Learner("logistic", (0.003, 0.03, 0.3), _logistic),
    Learner("boosting", (0.25,), _boosting),
    Learner("low-rank", (0.003, 0.01, 0.03), _low_rank, together=True),
)


def split(groups: NDArray[np.str_], folds: int) -> list[tuple[Integers, Integers]]:
    """Training and test people, groups whole; nobody to learn from if there is one group."""
    from sklearn.model_selection import GroupKFold

    folds = min(folds, len(np.unique(groups)))
    if folds < 2:
        return [(np.arange(0), np.arange(len(groups)))]
    return list(GroupKFold(folds).split(groups, groups=groups))


def predict(
    learner: Learner,
    known: Floats,
    responses: Integers,
    options: Integers,
    groups: NDArray[np.str_],
    wanted: Floats,
) -> Floats:
    """Probabilities of the people asked about, with a setting chosen on training people.

    The setting has the lowest mean NLL on a quarter of the training people when the learner is
    given the others, over at most five items of the block, or all that are learned `together`.
    """
    setting = learner.settings[0]
    if len(learner.settings) > 1 and len(np.unique(groups)) > 1:
        train, test = split(groups, _INNER_FOLDS)[0]
        number = len(options) if learner.together else _CHOICE_ITEMS
        some = np.unique(np.linspace(0, len(options) - 1, number).astype(int))
        truth = responses[test][:, some]
        answered = np.nonzero(truth >= 0)

        def loss(setting: float) -> float:
            probabilities = _learned(
                learner,
                setting,
                known[train],
                responses[train][:, some],
                options[some],
                known[test],
            )
            return -float(np.log(probabilities[(*answered, truth[answered])]).sum())

        setting = min(learner.settings, key=loss)
    return _learned(learner, setting, known, responses, options, wanted)


def _learned(
    learner: Learner,
    setting: float,
    known: Floats,
    responses: Integers,
    options: Integers,
    wanted: Floats,
) -> Floats:
    """Probabilities with one setting, from the fields that are known of any training person."""
    width = int(options.max())
    if not len(known):
        return _smoothed(np.zeros((len(wanted), len(options), width)), options)
    fields = np.isfinite(known).any(axis=0)
    if not fields.any():
        known, wanted, fields = (
            np.zeros((len(known), 1)),
            np.zeros((len(wanted), 1)),
            np.array([True]),
        )
    counts = learner.counts(known[:, fields], responses, width, wanted[:, fields], setting)
    return _smoothed(counts, options)


def _smoothed(counts: Floats, options: Integers) -> Floats:
    """Probabilities from counts, with half a count more for each option (Jeffreys' prior).

    With n counts of probabilities p of K options it is (n p + 1/2) / (n + K/2): no option is
    impossible. NaN beyond an item's last option.
    """
    legal = np.arange(counts.shape[2]) < options[:, None]
    more = np.where(legal, counts + 0.5, 0.0)
    return np.where(legal, more / more.sum(axis=2, keepdims=True), np.nan)


def _item_by_item(
    model: LogisticRegression | HistGradientBoostingClassifier,
    known: Floats,
    responses: Integers,
    options: int,
    wanted: Floats,
) -> Floats:
    counts = np.zeros((len(wanted), responses.shape[1], options))
    for item, column in enumerate(responses.T):
        answered = column >= 0
        chosen = np.unique(column[answered])
        if len(chosen) == 1:
            counts[:, item, chosen] = answered.sum()
        elif len(chosen) > 1:
            model.fit(known[answered], column[answered])
            counts[:, item, model.classes_] = answered.sum() * model.predict_proba(wanted)
    return counts


def _standardised(known: Floats, wanted: Floats) -> tuple[Floats, Floats]:
    """Fields with mean 0 and standard deviation 1 over the training people, none missing.

    Numbers enter with their squares: who agrees strongly to one item differs from who agrees a
    little also in preferring the ends of the scale. A missing value is the mean, and a field more
    says that it is missing, if that occurs among the training people.
    """
    missing = np.isnan(known)
    centre, spread = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
    spread[spread == 0] = 1
    curved = [len(np.unique(column[~np.isnan(column)])) > 2 for column in known.T]
    sometimes = missing.any(axis=0)

    def fields(values: Floats) -> Floats:
        scaled = np.nan_to_num((values - centre) / spread)
        return np.hstack([scaled, scaled[:, curved] ** 2, np.isnan(values[:, sometimes])])

    return fields(known), fields(wanted)
