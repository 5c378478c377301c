"""Which rows of a table of answers are of one condition, or were read in one way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from geppetto.evaluation.arrays import Integers
from geppetto.planning.plan import Condition


class Slice(NamedTuple):
    """How sessions were read, and answers: only answers of one slice are of the same task.

    The first two fields are empty in surveys, and the last is of baselines, which are in all.
    """

    history: str
    presentation: str
    elicitation: str


CONDITION = list(Condition._fields)
CELL = ["participant", "item"]
SLICE = list(Slice._fields)
READ = ["history", "presentation"]
"""How sessions were read."""


def is_of_sessions(answers: pd.DataFrame) -> bool:
    """Whether a table of answers is of behavioural sessions."""
    return bool((answers["history"] != "").any())


def rows_by_condition(answers: pd.DataFrame) -> Iterator[tuple[Condition, Integers]]:
    """Row numbers of each condition of a table, in the order in which conditions first occur."""
    for key, rows in rows_by(answers, CONDITION):
        yield Condition(*key), rows


def rows_by(
    answers: pd.DataFrame, columns: list[str]
) -> Iterator[tuple[tuple[str, ...], Integers]]:
    """Row numbers of each combination of values, in the order in which they first occur."""
    number = answers.groupby(columns, sort=False, dropna=False).ngroup().to_numpy()
    order = np.argsort(number, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(number[order])) + 1):
        first = answers.iloc[rows[0]]
        yield tuple(str(first[name]) for name in columns), rows
