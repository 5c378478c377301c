"""What participants responded, as arrays."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.arrays import Floats, Integers


@dataclass(frozen=True, eq=False)
class Responses:
    """What each participant responded to each item.

    Attributes
    ----------
    options
        Codes of the legal options of each item, in order; empty in sessions, where each
        participant has options of their own.
    ordinal
        Whether the order of an item's options has a meaning, shape (items,).
    position
        Which of its options each response is, shape (participants, items), 0 if it is open; -1
        without a response.
    cluster
        Number of the group above each participant, shape (participants,); all differ where the
        study has no groups.
    weight
        Survey weight of each participant, shape (participants,).
    sizes
        In sessions, whose items are the numbers of responses, how many options each response had,
        shape (participants, items), 0 if it is open or there is none; None in surveys.
    outside
        Codes of each item's options that are outside the order ("Don't know"); empty if there is
        none anywhere.
    """

    participants: tuple[str, ...]
    items: tuple[str, ...]
    options: tuple[tuple[str, ...], ...]
    ordinal: NDArray[np.bool_]
    position: Integers
    cluster: Integers
    weight: Floats
    sizes: Integers | None = None
    outside: tuple[tuple[str, ...], ...] = ()

    @property
    def of_sessions(self) -> bool:
        return self.sizes is not None

    def must_be_shared(self, to: str) -> None:
        """Refuse to do what compares people on one item."""
        if self.of_sessions:
            raise GeppettoError(
                f"{to} needs items and options that people share; in sessions each person has a "
                "task and options of their own, so ask for effects and metrics of conditions or "
                "participants"
            )

    @cached_property
    def choices(self) -> Integers:
        """Number of options of each response, shape (participants, items); 0 without any."""
        if self.sizes is not None:
            return self.sizes
        return np.where(self.answered, [len(options) for options in self.options], 0)

    @cached_property
    def answered(self) -> NDArray[np.bool_]:
        """Which cells have a response, shape (participants, items)."""
        return self.position >= 0

    @property
    def is_open(self) -> NDArray[np.bool_]:
        """Which responses have no legal options, shape (participants, items)."""
        return np.asarray(self.answered & (self.choices == 0))

    @cached_property
    def in_order(self) -> NDArray[np.bool_]:
        """Which options are no others than steps of an order, shape (items, options)."""
        self.must_be_shared("a value of an option")
        found = np.zeros((len(self.items), max(map(len, self.options))), bool)
        for item, options in enumerate(self.options):
            out = self.outside[item] if self.outside else ()
            found[item, : len(options)] = [code not in out for code in options]
        return found

    @cached_property
    def option_values(self) -> Floats:
        """Value of each option as a share of its item's range, shape (items, options).

        The first option in order is 0, the last 1; NaN outside of the order, and beyond an item's
        last option.
        """
        values = np.full(self.in_order.shape, np.nan)
        for row, steps in zip(values, self.in_order, strict=True):
            row[steps] = np.linspace(0, 1, steps.sum())
        return values

    @cached_property
    def scores(self) -> Floats:
        """Each response as a share of its item's range, shape (participants, items).

        NaN without a response, of one outside the order, and for items whose options have none; an
        item with two options has one.
        """
        columns = np.arange(len(self.items))
        values = self.option_values[columns, np.maximum(self.position, 0)]
        return np.where(self.answered & self.scored_items, values, np.nan)

    @cached_property
    def scored_items(self) -> NDArray[np.bool_]:
        """Items whose responses are numbers: ordinal ones and those with two options in order."""
        return np.asarray(self.ordinal | (self.in_order.sum(axis=1) == 2))

    @property
    def left_out(self) -> int:
        """Number of responses to items with an order that are outside of it."""
        return int((self.answered & self.scored_items & np.isnan(self.scores)).sum())
