"""Predictors without a language model, as rows of the same table of answers.

Uniform guesses and item marginals know nothing of the participant. The *supervised baselines* of a
strategy know what its personas may know, and learned from everybody else in the study what it is
worth: what could be predicted from these fields in this population.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.baselines.habit import as_predicted, session_baselines
from geppetto.evaluation.baselines.learners import LEARNERS, Learner, predict, split
from geppetto.evaluation.rows import CELL, is_of_sessions
from geppetto.personas.visibility import Block, blocks, view
from geppetto.planning.plan import Strategy
from geppetto.studies import Participant, Study

MARGINALS = "item marginals"
FOLDS = 5

Keep = Callable[[Sequence[NDArray[Any]], Callable[[], Floats]], Floats]
"""Gives what is computed of some arrays, which may have been computed of equal ones before."""


def anew(_: Sequence[NDArray[Any]], compute: Callable[[], Floats]) -> Floats:
    """What a function computes, each time."""
    return compute()


def supervised_names(strategies: Sequence[Strategy], study: Study) -> dict[str, tuple[str, ...]]:
    """Names of the supervised baselines that are given what each strategy may know, by its label.

    Strategies that may know the same share their baselines, which have the name of the first. A
    strategy that may know nothing has none.
    """
    first: dict[tuple[frozenset[str], bool, bool], str] = {}
    names = {}
    for strategy in strategies:
        rule = strategy.rule
        traits = frozenset(study.traits if rule.traits is None else rule.traits)
        may_know = (traits, rule.reads_responses, rule.one_item_at_a_time)
        shown = first.setdefault(may_know, strategy.label)
        learners = LEARNERS if traits or rule.reads_responses else ()
        names[strategy.label] = tuple(f"{learner.name} given {shown}" for learner in learners)
    return names


def leave_one_out_marginals(responses: Integers, options: int) -> Floats:
    """Probability of each option of one item, from everybody else's responses to it.

    Each option starts with half a count (Jeffreys' prior), so that an option that nobody else chose
    is improbable and not impossible. Responses are positions among the options, -1 without one;
    probabilities have the shape (participants, options).

    Examples
    --------
    >>> import numpy as np
    >>> from geppetto.evaluation.baselines import leave_one_out_marginals
    >>> leave_one_out_marginals(np.array([0, 1, 1, -1]), 2).round(2).tolist()
    [[0.17, 0.83], [0.5, 0.5], [0.5, 0.5], [0.38, 0.62]]
    """
    answered = np.flatnonzero(responses >= 0)
    counts = np.bincount(responses[answered], minlength=options) + 0.5
    others = np.tile(counts, (len(responses), 1))
    others[answered, responses[answered]] -= 1
    return np.asarray(others / others.sum(axis=1, keepdims=True))


def baseline_answers(
    answers: pd.DataFrame, study: Study, strategies: Sequence[Strategy], keep: Keep = anew
) -> pd.DataFrame:
    """Predictions of the cells of a table of answers without a language model, a row each.

    Uniform guesses; item marginals, which know what everybody else in the study responded to the
    item; and for each strategy a regularised multinomial logistic regression, gradient boosting
    and a low-rank model of all items together, given what it may know: the chosen traits and, for
    a strategy that reads responses, all of those that its block may show. All three learn from
    everybody in the study, taking part or not, but the fifth of the people that the participant is
    in; whole clusters are in the same fifth. Everybody counts the same for learning, whatever
    their weight. Neither the order of rows nor that of the study's people changes a number.

    Sessions have baselines of their own, see `geppetto.evaluation.baselines.habit`.

    Parameters
    ----------
    keep
        Where what is learned may be kept, since that takes the most time of all.

    Examples
    --------
    >>> import pandas as pd
    >>> from geppetto.evaluation.baselines import baseline_answers
    >>> from geppetto.studies import load_study
    >>> study = load_study("bfi")
    >>> options, person = tuple(study.scale(study.items["A1"]).options), min(study.people)
    >>> cell = {"participant": person, "item": "A1", "options": options, "response": "2"}
    >>> baselines = baseline_answers(pd.DataFrame([cell | {"history": ""}]), study, [])
    >>> baselines.set_index("strategy")["nll_low"].round(2).to_dict()
    {'uniform': 1.79, 'item marginals': 1.22}
    """
    if is_of_sessions(answers):
        return session_baselines(answers, study)
    cells = answers.drop_duplicates(CELL)
    everyone = _Everyone.of(study)
    wanted = np.unique(everyone.rows(cells["participant"]))
    predicted = set(cells["item"])
    items = [item for item in study.items if item in predicted]
    names = supervised_names(strategies, study)
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
                    shown = list(blocks(strategy.rule, study, items))
                    found[name] = _cross_fitted(learner, strategy, everyone, shown, wanted, keep)
                    parts[name] = {item: n for n, b in enumerate(shown) for item in b.predicted}
    folds = {person: number for number, people in enumerate(everyone.folds) for person in people}
    tables = []
    for name, by_item in found.items():
        rows = _rows(cells, name, by_item, everyone)
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
        return np.array([self._row[person] for person in ids])

    @property
    def groups(self) -> list[str]:
        """The cluster of each person, or the person."""
        return [person.cluster or person.id for person in self.people]

    @cached_property
    def folds(self) -> list[Integers]:
        """Rows of the people who are predicted together, each time from all the others."""
        return [test for _, test in split(np.array(self.groups), FOLDS)]

    def responses(self, item: str) -> Integers:
        """Position of everyone's response to an item among its options, -1 without one."""
        return _positions(self.study, item, self.people)

    def known(self, strategy: Strategy, block: Block) -> Floats:
        """What the strategy may know of everyone as numbers, shape (people, fields).

        A numeric trait or a response on an ordered scale is one field, anything else one for
        each of its values, an option outside the order too; people's own words are none. NaN where
        it is not known.
        """
        seen = [view(strategy.rule, person, self.study, block) for person in self.people]
        fields: list[Floats] = []
        for trait in self.study.codebook.traits:
            values = [person.traits.get(trait.name) for person in seen]
            if trait.is_number:
                fields.append(np.array(values, dtype=float))
            elif trait.values is not None:
                fields += _indicators(values, list(trait.values.values()))
        for name in block.known:
            scale = self.study.scale(self.study.items[name])
            codes = [person.responses.get(name) for person in seen]
            if scale.has_order:
                place = {code: float(number) for number, code in enumerate(scale.ordered)}
                fields.append(np.array([place.get(code or "", np.nan) for code in codes]))
                fields += _indicators(codes, list(scale.outside or ()))
            else:
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
    shown: Sequence[Block],
    wanted: Integers,
    keep: Keep,
) -> dict[str, Floats]:
    """Each item with its predictions, shape (everyone, options), in the rows of people asked."""
    groups = np.array(everyone.groups)
    parts = [_Part.of(strategy, block, everyone) for block in shown]
    widest = max((part.options.max() for part in parts), default=0)

    def learned() -> Floats:
        found = []
        for part in parts:
            predicted = np.full((len(groups), len(part.options), widest), np.nan)
            for train, test in split(groups, FOLDS):
                test = np.intersect1d(test, wanted)
                if test.size:
                    predicted[test, :, : part.options.max()] = predict(
                        learner,
                        part.known[train],
                        part.responses[train],
                        part.options,
                        groups[train],
                        part.known[test],
                    )
            found.append(predicted[wanted])
        return np.concatenate(found, axis=1)

    inputs = [np.array([learner.name, str(FOLDS)]), groups, wanted]
    for part in parts:
        inputs += [part.known, part.responses, part.options]
    predicted = np.full((len(groups), sum(len(part.options) for part in parts), widest), np.nan)
    if parts:
        predicted[wanted] = keep(inputs, learned)
    items = [item for block in shown for item in block.predicted]
    options = [number for part in parts for number in part.options]
    return {
        item: predicted[:, place, :number]
        for place, (item, number) in enumerate(zip(items, options, strict=True))
    }


@dataclass(frozen=True, eq=False)
class _Part:
    """What is learned of one block: fields that are `known`, shape (everyone, fields), `responses`
    as positions, shape (everyone, items), and the number of `options` of each item."""

    known: Floats
    responses: Integers
    options: Integers

    @classmethod
    def of(cls, strategy: Strategy, block: Block, everyone: _Everyone) -> _Part:
        scales = [everyone.study.scale(everyone.study.items[item]) for item in block.predicted]
        return cls(
            everyone.known(strategy, block),
            np.stack([everyone.responses(item) for item in block.predicted], axis=1),
            np.array([len(scale.options) for scale in scales]),
        )


def _rows(
    cells: pd.DataFrame, name: str, by_item: Mapping[str, Floats], everyone: _Everyone
) -> pd.DataFrame:
    """The cells as predicted by one baseline, item by item."""
    tables = []
    for item, rows in cells.groupby("item", sort=False):
        person = everyone.rows(rows["participant"])
        tables.append(as_predicted(rows, name, np.log(by_item[str(item)][person]).tolist()))
    return pd.concat(tables)
