"""Answers as arrays: what each condition predicted of what participants responded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geppetto.evaluation.arrays import Floats, Integers, option_scores, quotient
from geppetto.evaluation.responses import Responses
from geppetto.evaluation.rows import is_of_sessions, rows_by_condition
from geppetto.personas.arms import Matched
from geppetto.planning.plan import Condition


@dataclass(frozen=True, eq=False)
class Predictions:
    """What one condition predicted of the responses.

    The first axis of every array is the draw: answers of one cell in each wording, and in it from
    each donor. A condition with one wording and without donors has one draw. Cells without a
    response are NaN.

    Attributes
    ----------
    pool
        Number of the group of participants of whom the same is known, shape (participants,);
        only within it can a persona stand in for another.
    donors
        Row of the participant whose persona was shown, shape (draws, participants); -1 if it was
        nobody's, or somebody's who does not take part.
    option_log_probs
        Log-probability in nats of each legal option, renormalised over them, shape
        (draws, participants, items, options); NaN beyond the last option.
    log_prob
        That of the real response over everything that could have been said, shape
        (draws, participants, items).
    option_mass
        Probability of all legal options together, shape (draws, participants, items).
    block
        Number of the part of the items that was predicted from one persona, shape (items,); None
        if all were. Personas that know responses are different for different blocks, and the one
        for a block knows responses of the others.
    paraphrase
        Number of the wording of each draw, ascending, shape (draws,), and as many draws of each;
        None if there is one.
    announcing
        Log-probability of the text that announces each response of a session, of the shape of
        `log_prob`; None in surveys.
    counts
        How many samples named each option, of the shape of `option_log_probs`, which are smoothed
        estimates then, and all that is drawn has them; None if no answer was sampled.
    """

    responses: Responses
    condition: Condition
    pool: Integers
    donors: Integers
    option_log_probs: Floats
    log_prob: Floats
    option_mass: Floats
    block: Integers | None = None
    paraphrase: Integers | None = None
    announcing: Floats | None = None
    counts: Floats | None = None

    @cached_property
    def wordings(self) -> tuple[Predictions, ...]:
        if self.paraphrase is None or len(numbers := np.unique(self.paraphrase)) < 2:
            return (self,)
        return tuple(self._of_draws(self.paraphrase == number) for number in numbers)

    def _of_draws(self, chosen: NDArray[np.bool_]) -> Predictions:
        """The predictions of some draws, which are of one wording."""
        of_chosen: dict[str, Any] = {
            name: values[chosen]
            for name in _OF_DRAWS
            if (values := getattr(self, name)) is not None
        }
        return replace(self, paraphrase=None, **of_chosen)

    @cached_property
    def cells(self) -> NDArray[np.bool_]:
        """Which responses were predicted, shape (participants, items).

        All there are, but in the arm `matched` those of people who have a match.
        """
        if self.condition.arm != Matched.name:
            return self.responses.answered
        return np.asarray(~np.isnan(self.log_prob).all(axis=0))

    @property
    def of_cells(self) -> Responses:
        """The responses that were predicted, without all others."""
        observed = self.responses
        return replace(observed, position=np.where(self.cells, observed.position, -1))

    @property
    def blocks(self) -> list[Integers]:
        """Columns of the items of each block."""
        block = np.zeros(len(self.responses.items), int) if self.block is None else self.block
        return [np.flatnonzero(block == number) for number in np.unique(block)]

    @property
    def shows_strangers(self) -> bool:
        return bool(((self.donors >= 0) & (self.donors != np.arange(self.donors.shape[1]))).any())

    @cached_property
    def mass(self) -> float:
        """Mean option mass; 1 if no response has options."""
        mass = self.option_mass[np.isfinite(self.option_mass)]
        return float(mass.mean()) if mass.size else 1.0

    @cached_property
    def nll(self) -> Floats:
        """NLL of the real responses over the legal options, shape (draws, participants, items).

        NaN of an open response.
        """
        return self.of_responses(-self.option_log_probs)

    @cached_property
    def brier(self) -> Floats:
        """Brier score of the real responses, shape (draws, participants, items).

        NaN of an open response, and of an answer of fewer than two samples; see `option_scores`.
        """
        return self.of_responses(option_scores(self.option_log_probs, self.counts))

    def without(self, cells: NDArray[np.bool_]) -> Predictions:
        """The predictions with nothing about the options of some cells, (participants, items)."""
        out = cells[None, :, :, None]
        counts = None if self.counts is None else np.where(out, np.nan, self.counts)
        known = np.where(out, np.nan, self.option_log_probs)
        return replace(self, option_log_probs=known, counts=counts)

    def of_responses(self, of_options: Floats) -> Floats:
        """What the real responses have of a number of every option, without the last axis."""
        position = np.maximum(self.responses.position, 0)[None, :, :, None]
        return np.take_along_axis(of_options, position, axis=3)[..., 0]

    @cached_property
    def in_order(self) -> Floats:
        """Probability of each option among those in the order, of the shape of `option_log_probs`.

        0 of those outside, and where nothing is known.
        """
        if not self.responses.outside:
            return np.nan_to_num(np.exp(self.option_log_probs))
        steps = self.responses.in_order & np.isfinite(self.option_log_probs)
        log_probs = np.where(steps, self.option_log_probs, -np.inf)
        most = log_probs.max(axis=3, keepdims=True)
        odds = np.exp(log_probs - np.where(np.isfinite(most), most, 0.0))
        return quotient(odds, odds.sum(axis=3, keepdims=True), 0.0)

    @cached_property
    def expected(self) -> Floats:
        """Expected response as a share of the item's range, shape (draws, participants, items).

        Of responses that are in the order at all. NaN where `Responses.scores` is.
        """
        values = np.nan_to_num(self.responses.option_values)
        expected = np.einsum("dpio,io->dpi", self.in_order, values)
        unknown = np.isnan(self.responses.scores) | np.isnan(self.nll)
        return np.where(unknown, np.nan, expected)


_OF_DRAWS = ("donors", "option_log_probs", "log_prob", "option_mass", "announcing", "counts")
"""What has draws on its first axis."""


def in_each_wording(found: Sequence[Predictions]) -> list[list[Predictions]]:
    """The same conditions in each wording; one that has a single wording is the same in all."""
    number = max(len(one.wordings) for one in found)
    return [[one.wordings[n % len(one.wordings)] for one in found] for n in range(number)]


def predictions(answers: pd.DataFrame) -> list[Predictions]:
    """The predictions of every condition of a table, in the order in which they first occur.

    Every condition has the same cells, but for people without a match. Neither the order of rows
    nor the names of participants change a number: participants are put in an order that their
    answers alone decide. (People whose answers are all the same keep the order of their names,
    which matters only if they differ in weight or cluster.)
    """
    people = pd.Index(sorted(answers["participant"].unique()))
    items = answers.groupby("item")["trial"].min().reset_index().sort_values(["trial", "item"])
    columns = pd.Index(items["item"])
    row = people.get_indexer(answers["participant"])
    column = columns.get_indexer(answers["item"])
    first = answers.drop_duplicates("item").set_index("item").loc[columns]
    lengths = answers["options"].map(len).to_numpy()
    position = np.full((len(people), len(columns)), -1)
    codes = list(map(tuple, answers["options"]))
    position[row, column] = [
        legal.index(response) if legal else 0
        for legal, response in zip(codes, answers["response"], strict=True)
    ]
    sizes, options = None, tuple(map(tuple, first["options"]))
    if is_of_sessions(answers):
        sizes, options = np.zeros_like(position), ()
        sizes[row, column] = lengths
    shape = (len(people), len(columns))
    arrays = {
        condition: (rows, _arrays(answers, rows, row, column, people, lengths, shape))
        for condition, rows in rows_by_condition(answers)
    }
    of_sessions = sizes is not None
    told = {
        condition: of["log_prob"][..., None] if of_sessions else of["option_log_probs"]
        for condition, (_, (of, *_)) in arrays.items()
    }
    order = _order(position, told)
    rank = np.argsort(order)
    firsts = answers.drop_duplicates("participant").set_index("participant").loc[people[order]]
    responses = Responses(
        tuple(people[order]),
        tuple(columns),
        options,
        first["ordinal"].to_numpy(bool),
        position[order].astype(np.int64),
        clusters(firsts["cluster"]),
        firsts["weight"].to_numpy(float),
        None if sizes is None else sizes[order],
        _outside(first),
    )
    found = []
    for condition, (rows, (of_cells, donors, paraphrase)) in arrays.items():
        pool = np.full(len(people), -1)
        pool[row[rows]] = answers["pool"].to_numpy()[rows]
        block = np.zeros(len(columns), np.int64)
        block[column[rows]] = answers["block"].to_numpy()[rows]
        found.append(
            Predictions(
                responses,
                condition,
                pool[order],
                np.where(donors < 0, -1, rank[donors])[:, order],
                block=block,
                paraphrase=paraphrase,
                **{name: values[:, order] for name, values in of_cells.items()},
            )
        )
    return found


def _outside(of_items: pd.DataFrame) -> tuple[tuple[str, ...], ...]:
    """Options outside the order of each item; tables of earlier versions have none."""
    if "outside" not in of_items or not of_items["outside"].map(bool).any():
        return ()
    return tuple(tuple(codes or ()) for codes in of_items["outside"])


def clusters(names: pd.Series) -> Integers:
    """Number of the group above each participant, by its name; one without a name is alone."""
    groups = pd.factorize(names)[0]
    alone = np.arange(len(groups)) + groups.max() + 1
    return np.where(groups < 0, alone, groups).astype(np.int64)


def _arrays(
    answers: pd.DataFrame,
    rows: Integers,
    row: Integers,
    column: Integers,
    people: pd.Index,
    lengths: Integers,
    shape: tuple[int, int],
) -> tuple[dict[str, Floats], Integers, Integers]:
    """One condition's answers as `Predictions` has them, donors, and wordings of draws."""
    names = people.append(pd.Index(answers["donor"].to_numpy()[rows]).unique().difference(people))
    donor = names.get_indexer(pd.Index(answers["donor"].to_numpy()[rows]))
    row, column = row[rows], column[rows]
    donor = np.where(answers["arm"].to_numpy()[rows] == "own", row, donor)
    numbers, wording = np.unique(answers["paraphrase"].to_numpy()[rows], return_inverse=True)
    draw = _draws(wording * len(people) + row, donor, len(names))
    donors_each = int(draw.max()) + 1
    draw += wording * donors_each
    draws = len(numbers) * donors_each
    donors = np.full((draws, len(people)), -1)
    donors[draw, row] = np.where(donor < len(people), donor, -1)
    if len(np.unique((draw * len(people) + row) * shape[1] + column)) < len(rows):
        first = answers.iloc[rows[0]]
        raise ValueError(
            f"{first['strategy']} · {first['arm']} has a cell twice from one donor in one wording"
        )
    log_prob, mass, announcing = (np.full((draws, *shape), np.nan) for _ in range(3))
    log_prob[draw, row, column] = answers["log_prob"].to_numpy(float)[rows]
    mass[draw, row, column] = answers["option_mass"].to_numpy(float)[rows]
    announcing[draw, row, column] = answers["announcing"].to_numpy(float)[rows]
    log_probs = np.full((draws, *shape, max(1, int(lengths.max()))), np.nan)
    values, of_rows = answers["option_log_probs"].to_numpy()[rows], lengths[rows]
    for length in np.unique(of_rows[of_rows > 0]):
        chosen = of_rows == length
        found = np.array(values[chosen].tolist(), float)
        found -= np.logaddexp.reduce(found, axis=1, keepdims=True)
        log_probs[draw[chosen], row[chosen], column[chosen], :length] = found
    named = answers["counts"].to_numpy()[rows]
    of_cells = {"option_log_probs": log_probs, "log_prob": log_prob, "option_mass": mass}
    if is_of_sessions(answers):
        of_cells["announcing"] = announcing
    if any(map(len, named)):
        of_cells["counts"] = samples = np.full_like(log_probs, np.nan)
        for place, counts in zip(zip(draw, row, column, strict=True), named, strict=True):
            samples[place][: len(counts)] = counts
    return of_cells, donors, np.repeat(numbers, donors_each)


def _draws(receiver: Integers, donor: Integers, width: int) -> Integers:
    """Number of each answer's donor among the donors of its participant in its wording."""
    pairs, pair = np.unique(receiver * width + donor, return_inverse=True)
    receivers = pairs // width
    return np.asarray(np.arange(len(pairs)) - np.searchsorted(receivers, receivers))[pair]


def _order(position: Integers, found: Mapping[Condition, Floats]) -> Integers:
    """An order of participants that depends on their answers and not on their names.

    Each participant's predictions under a condition are summed with weights that no two items or
    options share; rounding keeps the order free of how sums are carried out.
    """
    keys = []
    for _, log_probs in sorted(found.items(), key=lambda pair: pair[0]):
        means = np.nan_to_num(np.nansum(log_probs, axis=0) / len(log_probs))
        weights = np.sqrt(np.arange(2, 2 + means[0].size)).reshape(means[0].shape)
        keys.append(np.round(np.sum(means * weights, axis=(1, 2)), 8))
    return np.lexsort([*reversed(keys), *position.T])
