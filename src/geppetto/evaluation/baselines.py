"""Predictors without a language model, as rows of the same table of answers.

Uniform guesses and item marginals know nothing of the participant. The *supervised twins* of a
strategy know what its personas show, and learned from everybody else in the study what it is
worth: what could be predicted from these fields in this population.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from geppetto.evaluation.predictions import CELL
from geppetto.personas.known import Block, blocks, view
from geppetto.plan import Strategy
from geppetto.studies import Participant, Study

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

BASELINE = "baseline"
"""The `model` of baseline rows."""

MARGINALS = "item marginals"
FOLDS = 5
_INNER_FOLDS = 4
_CHOICE_ITEMS = 5


@dataclass(frozen=True)
class Learner:
    """A way to learn from some people's responses, and to predict those of others.

    Attributes
    ----------
    name
        What its predictions are called in tables.
    settings
        How much it may learn, from the most cautious; one is chosen on training people.
    counts
        A function `(known, responses, options, asked, setting)` of what is known of the training
        people, shape (people, fields), NaN where it is not; of their responses as positions
        among the options, shape (people, items), -1 without one; of the largest number of
        options; of what is known of the people asked about; and of a setting. It returns how
        often it expects each option among as many people as it learned from, shape
        (people asked about, items, options).
    """

    name: str
    settings: tuple[float, ...]
    counts: Callable[[Floats, Integers, int, Floats, float], Floats]


def _logistic(
    known: Floats, responses: Integers, options: int, asked: Floats, strength: float
) -> Floats:
    """Multinomial logistic regression with an L2 penalty, an item at a time.

    Numbers enter with their squares: who agrees strongly to one item differs from who agrees a
    little also in preferring the ends of the scale.
    """
    known, asked = _standardised(known, asked, squares=True)
    model = LogisticRegression(C=strength, tol=1e-3, max_iter=1000)
    return _item_by_item(model, known, responses, options, asked)


def _boosting(
    known: Floats, responses: Integers, options: int, asked: Floats, rate: float
) -> Floats:
    """A few small gradient-boosted trees an item; what is not known has a branch of its own."""
    model = HistGradientBoostingClassifier(
        learning_rate=rate, max_iter=8, max_leaf_nodes=4, max_bins=32, early_stopping=False
    )
    return _item_by_item(model, known, responses, options, asked)


def _neighbours(
    known: Floats, responses: Integers, options: int, asked: Floats, number: float
) -> Floats:
    """What the training people responded who are most alike in what is known."""
    known, asked = _standardised(known, asked, squares=False)
    search = NearestNeighbors(n_neighbors=min(int(number), len(known))).fit(known)
    nearest = search.kneighbors(asked, return_distance=False)
    counts = np.zeros((len(asked), responses.shape[1], options))
    for item, column in enumerate(responses.T):
        theirs = column[nearest]
        for option in range(options):
            counts[:, item, option] = (theirs == option).sum(axis=1)
    return counts


LEARNERS = (
    Learner("logistic", (0.003, 0.03, 0.3), _logistic),
    Learner("boosting", (0.25,), _boosting),
    Learner("neighbours", (300, 100, 30), _neighbours),
)


def twin_names(strategies: Sequence[Strategy], study: Study) -> dict[str, tuple[str, ...]]:
    """Names of the supervised baselines that are given what each strategy shows, by its label.

    Strategies that show the same fields share their twins, which have the name of the first. A
    strategy that shows no field has none.
    """
    first: dict[tuple[frozenset[str], bool], str] = {}
    names = {}
    for strategy in strategies:
        rule = strategy.rule
        traits = frozenset(study.traits if rule.traits is None else rule.traits)
        shown = first.setdefault((traits, rule.reads_responses), strategy.label)
        learners = LEARNERS if traits or rule.reads_responses else ()
        names[strategy.label] = tuple(f"{learner.name} given {shown}" for learner in learners)
    return names


def leave_one_out_marginals(responses: Integers, options: int) -> Floats:
    """Probability of each option of one item, from everybody else's responses to it.

    Parameters
    ----------
    responses
        Position of each participant's response among the options, shape (participants,); -1
        without one.
    options
        Number of options.

    Returns
    -------
    numpy.ndarray
        Shape (participants, options). Each option starts with half a count (Jeffreys' prior), so
        that an option that nobody else chose is improbable and not impossible.
    """
    answered = np.flatnonzero(responses >= 0)
    counts = np.bincount(responses[answered], minlength=options) + 0.5
    others = np.tile(counts, (len(responses), 1))
    others[answered, responses[answered]] -= 1
    return np.asarray(others / others.sum(axis=1, keepdims=True))


def baseline_answers(
    answers: pd.DataFrame, study: Study, strategies: Sequence[Strategy]
) -> pd.DataFrame:
    """Predictions of the cells of a table of answers without a language model.

    Uniform guesses; item marginals, which know what everybody else in the study responded to the
    item; and for each strategy a regularised multinomial logistic regression, gradient boosting
    and nearest neighbours, given what it may know: the chosen traits and, for a strategy that
    reads responses, all of those that its block may show. All three learn from everybody in
    the study, taking part or not, but the fifth of the people that the participant is in; whole
    clusters are in the same fifth. Everybody counts the same for learning, whatever their weight.

    Parameters
    ----------
    answers
        Rows of `geppetto.answers.table`.
    study
        Where the participants come from.
    strategies
        Strategies that supervised baselines are made for.

    Returns
    -------
    pandas.DataFrame
        A row a baseline and cell, with `model` "baseline" and arm "none". Neither the order of
        rows nor that of the study's people changes a number.
    """
    cells = answers.drop_duplicates(CELL).assign(
        model=BASELINE,
        arm="none",
        donor="",
        option_mass=1.0,
        tokens=0,
        cost=0.0,
        status="scored",
        reason="",
        request="",
    )
    everyone = _Everyone.of(study)
    asked = np.unique(everyone.rows(cells["participant"]))
    predicted = set(cells["item"])
    items = [item for item in study.items if item in predicted]
    names = twin_names(strategies, study)
    found: dict[str, dict[str, Floats]] = {"uniform": {}, MARGINALS: {}}
    parts: dict[str, dict[str, int]] = {}
    for item in items:
        options = len(study.scale(study.items[item]).options)
        found["uniform"][item] = np.full((len(everyone.people), options), 1 / options)
        found[MARGINALS][item] = leave_one_out_marginals(everyone.responses(item), options)
    with threadpool_limits(1):  # so small fits that threads only wait for one another
        for strategy in strategies:
            for learner, name in zip(LEARNERS, names[strategy.label], strict=False):
                if name not in found:
                    found[name] = dict(_cross_fitted(learner, strategy, everyone, items, asked))
                    split = enumerate(blocks(strategy.rule, study, items))
                    parts[name] = {item: n for n, block in split for item in block.predicted}
    folds = {person: number for number, people in enumerate(everyone.folds) for person in people}
    tables = []
    for name, by_item in found.items():
        rows = _rows(cells, name, by_item, everyone).assign(pool=0, block=0)
        if name in parts:
            rows["pool"] = [folds[row] for row in everyone.rows(rows["participant"])]
            rows["block"] = rows["item"].map(parts[name])
        tables.append(rows)
    return pd.concat(tables, ignore_index=True)


@dataclass(frozen=True, eq=False)
class _Everyone:
    """All people of a study, in the order of their ids."""

    study: Study
    people: tuple[Participant, ...]

    @classmethod
    def of(cls, study: Study) -> _Everyone:
        return cls(study, tuple(study.people[person] for person in sorted(study.people)))

    @cached_property
    def _row(self) -> dict[str, int]:
        return {person.id: row for row, person in enumerate(self.people)}

    def rows(self, ids: Iterable[str]) -> Integers:
        """Where these people are."""
        return np.array([self._row[person] for person in ids])

    @property
    def groups(self) -> list[str]:
        """The cluster of each person, or the person."""
        return [person.cluster or person.id for person in self.people]

    @cached_property
    def folds(self) -> list[Integers]:
        """Rows of the people who are predicted together, each time from all the others."""
        return [test for _, test in _split(np.array(self.groups), FOLDS)]

    def responses(self, item: str) -> Integers:
        """Position of everyone's response to an item among its options, -1 without one."""
        return _positions(self.study, item, self.people)

    def known(self, strategy: Strategy, block: Block) -> Floats:
        """What the strategy may know of everyone as numbers, shape (people, fields).

        A numeric trait or a response on an ordered scale is one field, anything else one for
        each of its values; NaN where it is not known.
        """
        seen = [view(strategy.rule, person, self.study, block) for person in self.people]
        fields: list[Floats] = []
        for trait in self.study.codebook.traits:
            values = [person.traits.get(trait.name) for person in seen]
            if trait.values is None:
                fields.append(np.array(values, dtype=float))
            else:
                fields += _indicators(values, list(trait.values.values()))
        for name in block.known:
            scale = self.study.scale(self.study.items[name])
            if scale.ordinal or len(scale.options) == 2:
                position = _positions(self.study, name, seen)
                fields.append(np.where(position < 0, np.nan, position))
            else:
                codes = [person.responses.get(name) for person in seen]
                fields += _indicators(codes, list(scale.options))
        return np.stack(fields, axis=1) if fields else np.empty((len(seen), 0))


def _positions(study: Study, item: str, people: Iterable[Participant]) -> Integers:
    options = {code: number for number, code in enumerate(study.scale(study.items[item]).options)}
    codes = (person.responses.get(item) for person in people)
    return np.array([-1 if code is None else options[code] for code in codes])


def _indicators(values: Sequence[object], possible: Sequence[object]) -> list[Floats]:
    missing = np.array([value is None for value in values])
    return [
        np.where(missing, np.nan, [value == one for value in values]).astype(float)
        for one in possible
    ]


def _cross_fitted(
    learner: Learner,
    strategy: Strategy,
    everyone: _Everyone,
    items: Sequence[str],
    asked: Integers,
) -> Iterator[tuple[str, Floats]]:
    """Each item with its predictions, shape (everyone, options), in the rows of people asked."""
    groups = np.array(everyone.groups)
    for block in blocks(strategy.rule, everyone.study, items):
        known = everyone.known(strategy, block)
        responses = np.stack([everyone.responses(item) for item in block.predicted], axis=1)
        options = np.array(
            [len(everyone.study.scale(everyone.study.items[i]).options) for i in block.predicted]
        )
        predicted = np.full((*responses.shape, options.max()), np.nan)
        for train, test in _split(groups, FOLDS):
            test = np.intersect1d(test, asked)
            if test.size:
                predicted[test] = _predict(
                    learner, known[train], responses[train], options, groups[train], known[test]
                )
        for item, number, values in zip(
            block.predicted, options, np.moveaxis(predicted, 1, 0), strict=True
        ):
            yield item, values[:, :number]


def _split(groups: NDArray[np.str_], folds: int) -> list[tuple[Integers, Integers]]:
    """Training and test people, groups whole; nobody to learn from if there is one group."""
    folds = min(folds, len(np.unique(groups)))
    if folds < 2:
        return [(np.arange(0), np.arange(len(groups)))]
    return list(GroupKFold(folds).split(groups, groups=groups))


def _predict(
    learner: Learner,
    known: Floats,
    responses: Integers,
    options: Integers,
    groups: NDArray[np.str_],
    asked: Floats,
) -> Floats:
    """Probabilities of the people asked about, with a setting chosen on training people.

    The setting has the lowest mean NLL on a quarter of the training people when the learner is
    given the others, over at most five items of the block.
    """
    setting = learner.settings[0]
    if len(learner.settings) > 1 and len(np.unique(groups)) > 1:
        train, test = _split(groups, _INNER_FOLDS)[0]
        some = np.unique(np.linspace(0, len(options) - 1, _CHOICE_ITEMS).astype(int))
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
    return _learned(learner, setting, known, responses, options, asked)


def _learned(
    learner: Learner,
    setting: float,
    known: Floats,
    responses: Integers,
    options: Integers,
    asked: Floats,
) -> Floats:
    """Probabilities with one setting, from the fields that are known of any training person."""
    width = int(options.max())
    if not len(known):
        return _smoothed(np.zeros((len(asked), len(options), width)), options)
    fields = np.isfinite(known).any(axis=0)
    if not fields.any():
        known, asked, fields = (
            np.zeros((len(known), 1)),
            np.zeros((len(asked), 1)),
            np.array([True]),
        )
    counts = learner.counts(known[:, fields], responses, width, asked[:, fields], setting)
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
    asked: Floats,
) -> Floats:
    counts = np.zeros((len(asked), responses.shape[1], options))
    for item, column in enumerate(responses.T):
        answered = column >= 0
        chosen = np.unique(column[answered])
        if len(chosen) == 1:
            counts[:, item, chosen] = answered.sum()
        elif len(chosen) > 1:
            model.fit(known[answered], column[answered])
            counts[:, item, model.classes_] = answered.sum() * model.predict_proba(asked)
    return counts


def _standardised(known: Floats, asked: Floats, *, squares: bool) -> tuple[Floats, Floats]:
    """Fields with mean 0 and standard deviation 1 over the training people, none missing.

    A missing value is the mean, and a field more says that it is missing, if that occurs among
    the training people.
    """
    missing = np.isnan(known)
    centre, spread = np.nanmean(known, axis=0), np.nanstd(known, axis=0)
    spread[spread == 0] = 1
    curved = [squares and len(np.unique(column[~np.isnan(column)])) > 2 for column in known.T]
    sometimes = missing.any(axis=0)

    def fields(values: Floats) -> Floats:
        scaled = np.nan_to_num((values - centre) / spread)
        return np.hstack([scaled, scaled[:, curved] ** 2, np.isnan(values[:, sometimes])])

    return fields(known), fields(asked)


def _rows(
    cells: pd.DataFrame, name: str, by_item: Mapping[str, Floats], everyone: _Everyone
) -> pd.DataFrame:
    """The cells as predicted by one baseline."""
    tables = []
    for item, rows in cells.groupby("item", sort=False):
        person = everyone.rows(rows["participant"])
        logs = np.log(by_item[str(item)][person])
        response = everyone.responses(str(item))[person]
        log_prob = logs[np.arange(len(rows)), response]
        tables.append(
            rows.assign(
                strategy=name,
                option_log_probs=pd.Series(list(map(tuple, logs.tolist())), rows.index),
                log_prob=log_prob,
                log_prob_of_options=log_prob,
            )
        )
    return pd.concat(tables)
