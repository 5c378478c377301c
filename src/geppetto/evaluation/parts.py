"""Parts of the data, so that effects can be seen in each: an item, or a group of people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd

from geppetto.errors import unknown
from geppetto.evaluation.arrays import Integers
from geppetto.evaluation.predictions import Responses
from geppetto.studies import Study


class Part(NamedTuple):
    """An item or a group of people, with a name; None is all items or everyone."""

    among: str
    items: list[int] | None
    rows: Integers | None


def parts(by: str, responses: Responses, study: Study) -> Iterator[Part]:
    """Every item, or the people of each value of a trait.

    Parameters
    ----------
    by
        "item", or the name of a trait; a number makes two groups, up to its median and above.
    responses
        Whose people and items they are.
    study
        What is known of the people.

    Raises
    ------
    GeppettoError
        If the study has no such trait.
    """
    if by == "item":
        for number, item in enumerate(responses.items):
            yield Part(f"item {item}", [number], None)
        return
    if by not in study.traits:
        raise unknown("by", by, ["item", "paraphrase", *study.traits], f"study {study.name}")
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
