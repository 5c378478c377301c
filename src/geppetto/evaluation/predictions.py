"""Answers as arrays: what participants responded, and what each condition predicted of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geppetto.plan import Condition

CONDITION = list(Condition._fields)
CELL = ["participant", "item"]

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Responses:
    """What each participant responded to each item.

    Attributes
    ----------
    participants, items
        Names of the rows and columns.
    options
        Codes of the legal options of each item, in order.
    ordinal
        Whether the order of an item's options has a meaning, shape (items,).
    position
        Which of its options each response is, shape (participants, items); -1 without one.
    """

    participants: tuple[str, ...]
    items: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    ordinal: NDArray[np.bool_]
    position: Integers

    @cached_property
    def answered(self) -> NDArray[np.bool_]:
        """Which cells have a response, shape (participants, items)."""
        return self.position >= 0

    @cached_property
    def option_values(self) -> Floats:
        """Value of each option as a share of its item's range, shape (items, options).

        The first option is 0, the last 1; NaN beyond an item's last option.
        """
        values = np.full((len(self.items), max(map(len, self.options))), np.nan)
        for item, options in enumerate(self.options):
            values[item, : len(options)] = np.linspace(0, 1, len(options))
        return values

    @cached_property
    def scores(self) -> Floats:
        """Each response as a share of its item's range, shape (participants, items).

        NaN without a response, and for items whose options have no order; an item with two
        options has one.
        """
        columns = np.arange(len(self.items))
        values = self.option_values[columns, np.maximum(self.position, 0)]
        return np.where(self.answered & self.scored_items, values, np.nan)

    @cached_property
    def scored_items(self) -> NDArray[np.bool_]:
        """Items whose responses are numbers: ordinal ones and those with two options."""
        return self.ordinal | (np.array([len(options) for options in self.options]) == 2)


@dataclass(frozen=True, eq=False)
class Predictions:
    """What one condition predicted of the responses.

    The first axis of every array is the draw: answers of one cell from several donors. A
    condition without donors has one draw. Cells without a response are NaN.

    Attributes
    ----------
    responses
        What is predicted.
    condition
        With what it was predicted.
    donors
        Row of the participant whose persona was shown, shape (draws, participants); -1 if it was
        nobody's.
    option_log_probs
        Log-probability in nats of each legal option, renormalised over them, shape
        (draws, participants, items, options); NaN beyond an item's last option.
    log_prob
        That of the real response over everything that could have been said, shape
        (draws, participants, items).
    option_mass
        Probability of all legal options together, shape (draws, participants, items).
    """

    responses: Responses
    condition: Condition
    donors: Integers
    option_log_probs: Floats
    log_prob: Floats
    option_mass: Floats

    @cached_property
    def nll(self) -> Floats:
        """NLL of the real responses over the legal options, shape (draws, participants, items)."""
        position = np.maximum(self.responses.position, 0)[None, :, :, None]
        return -np.take_along_axis(self.option_log_probs, position, axis=3)[..., 0]

    @cached_property
    def expected(self) -> Floats:
        """Expected response as a share of the item's range, shape (draws, participants, items).

        NaN where `Responses.scores` is.
        """
        values = np.nan_to_num(self.responses.option_values)
        expected = np.einsum("dpio,io->dpi", np.nan_to_num(np.exp(self.option_log_probs)), values)
        return np.where(np.isnan(self.responses.scores), np.nan, expected)


def predictions(answers: pd.DataFrame) -> list[Predictions]:
    """The predictions of every condition of a table, in the order in which they first occur.

    Neither the order of rows nor the names of participants change a number: participants are
    put in an order that their answers alone decide.

    Parameters
    ----------
    answers
        Rows of `geppetto.answers.table`; every condition has the same cells, as after `matched`.
    """
    people = pd.Index(sorted(answers["participant"].unique()))
    items = answers.groupby("item")["trial"].min().reset_index().sort_values(["trial", "item"])
    columns = pd.Index(items["item"])
    row = people.get_indexer(answers["participant"])
    column = columns.get_indexer(answers["item"])
    first = answers.drop_duplicates("item").set_index("item").loc[columns]
    options = tuple(map(tuple, first["options"]))
    position = np.full((len(people), len(columns)), -1)
    for number, codes in enumerate(options):
        of_item = column == number
        position[row[of_item], number] = pd.Index(codes).get_indexer(
            answers["response"].to_numpy()[of_item]
        )
    ordinal = first["ordinal"].to_numpy(bool)
    arrays = [
        (condition, *_arrays(answers, rows, row, column, people, options))
        for condition, rows in _conditions(answers)
    ]
    order = _order(position, [(c, log_probs) for c, _, log_probs, *_ in arrays])
    rank = np.argsort(order)
    responses = Responses(
        tuple(people[order]), tuple(columns), options, ordinal, position[order].astype(np.int64)
    )
    return [
        Predictions(
            responses,
            condition,
            np.where(donors < 0, -1, rank[donors])[:, order],
            log_probs[:, order],
            log_prob[:, order],
            mass[:, order],
        )
        for condition, donors, log_probs, log_prob, mass in arrays
    ]


def _conditions(answers: pd.DataFrame) -> Iterator[tuple[Condition, Integers]]:
    for key, rows in answers.groupby(CONDITION, sort=False).indices.items():
        yield Condition(*map(str, key)), rows  # type: ignore[arg-type] # a tuple of names


def _arrays(
    answers: pd.DataFrame,
    rows: Integers,
    row: Integers,
    column: Integers,
    people: pd.Index,
    options: Sequence[tuple[str, ...]],
) -> tuple[Integers, Floats, Floats, Floats]:
    """Donors, option log-probabilities, log-probabilities and option masses of a condition."""
    donor = people.get_indexer(answers["donor"].to_numpy()[rows])
    row, column = row[rows], column[rows]
    donor = np.where(answers["arm"].to_numpy()[rows] == "own", row, donor)
    pairs = np.unique(np.stack([row, donor]), axis=1)
    draw_of_pair = np.concatenate([np.arange(n) for n in np.unique(pairs[0], return_counts=True)[1]])
    width = len(people) + 1
    pair = np.searchsorted(pairs[0] * width + pairs[1], row * width + donor)
    draw = draw_of_pair[pair]
    draws, shape = int(draw.max()) + 1, (len(people), len(options))
    donors = np.full((draws, len(people)), -1)
    donors[draw, row] = donor
    log_prob, mass = (np.full((draws, *shape), np.nan) for _ in range(2))
    log_prob[draw, row, column] = answers["log_prob"].to_numpy(float)[rows]
    mass[draw, row, column] = answers["option_mass"].to_numpy(float)[rows]
    log_probs = np.full((draws, *shape, max(map(len, options))), np.nan)
    values = answers["option_log_probs"].to_numpy()[rows]
    lengths = np.array([len(codes) for codes in options])[column]
    for length in np.unique(lengths):
        chosen = lengths == length
        found = np.array(values[chosen].tolist(), float)
        found -= np.logaddexp.reduce(found, axis=1, keepdims=True)
        log_probs[draw[chosen], row[chosen], column[chosen], :length] = found
    return donors, log_probs, log_prob, mass


def _order(position: Integers, found: Sequence[tuple[Condition, Floats]]) -> Integers:
    """An order of participants that depends on their answers and not on their names."""
    keys = [
        np.round(np.nanmean(log_probs, axis=(0, 2, 3)), 9)
        for _, log_probs in sorted(found, key=lambda pair: pair[0])
    ]
    return np.lexsort([*reversed(keys), *position.T])
