"""Parts of the data, so that effects can be seen in each: items, or a group of people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from geppetto._util.errors import GeppettoError, unknown
from geppetto.evaluation.arrays import Integers
from geppetto.evaluation.responses import Responses
from geppetto.studies import Study


class Part(NamedTuple):
    """An item or a group of people, with a name; None is all items or everyone."""

    among: str
    items: list[int] | None
    rows: Integers | None


def parts(by: str, responses: Responses, study: Study) -> Iterator[Part]:
    """Every item, every part of a session, or the people of each value of a trait.

    Parameters
    ----------
    by
        "item"; "position" for the first 5, the next 5, 10, 30, 50, 100 responses of a session and
        so on; or the name of a trait; a number makes two groups, up to its median and above.
    responses
        Whose people and items they are.
    study
        What is known of the people.

    Raises
    ------
    GeppettoError
        If the study has no such trait, or people share no items.
    """
    if by == "position":
        yield from _of_sessions(responses)
        return
    if by == "item":
        responses.must_be_shared("an effect of an item")
        for number, item in enumerate(responses.items):
            yield Part(f"item {item}", [number], None)
        return
    if by not in study.traits:
        others = ("history", "presentation", "position") if responses.of_sessions else ("item",)
        raise unknown("by", by, [*others, "paraphrase", *study.traits], f"study {study.name}")
    trait = study.traits[by]
    people = [study.people[name] for name in responses.participants]
    values = pd.Series([person.traits.get(by) for person in people])
    if trait.values is None:
        middle = values.astype(float).median()
        groups = {
            f"{by} up to {middle:g}": values.astype(float) <= middle,
            f"{by} above {middle:g}": values.astype(float) > middle,
        }
    else:
        groups = {f"{by} {label}": values == label for label in trait.values.values()}
    groups[f"{by} not known"] = values.isna()
    for name, chosen in groups.items():
        yield Part(name, None, np.flatnonzero(chosen))


def _of_sessions(responses: Responses) -> Iterator[Part]:
    """Responses between round numbers: 5, 10, 20, 50, 100, 200, 500 and so on."""
    if not responses.of_sessions:
        raise GeppettoError("by: position is of behavioural sessions, and this is a survey")
    numbers = np.array([int(item) for item in responses.items])
    ends = [step * 10**power for power in range(len(str(numbers.max())) + 1) for step in (1, 2, 5)]
    first = 1
    for end in ends[2:]:
        chosen = np.flatnonzero((numbers >= first) & (numbers <= end))
        if chosen.size:
            last = min(end, int(numbers.max()))
            yield Part(f"responses {first} to {last}", chosen.tolist(), None)
        first = end + 1
