"""The sample's average participant, whom a strategy can describe like any other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from math import fsum
from typing import TypeVar

from geppetto.studies import Item, Participant, Study, Trait
from geppetto.studies.trait import TraitValue

_Value = TypeVar("_Value", str, TraitValue)


def average(people: Sequence[Participant], study: Study) -> Participant:
    """Someone with the most frequent or mean value of each trait, and the typical responses.

    A categorical trait has its most frequent value; a numeric one its mean, with as many decimals
    as the data have; people's own words have no average. An ordinal item has the median response,
    the lower of two, of those in the order, if there is any; any other item the most frequent one.
    The codebook's order decides ties. People count equally, whatever their weight, each with what
    is known of them, and the result does not depend on their order.
    """
    return Participant(
        id="average",
        traits={
            trait.name: _typical_value(trait, values)
            for trait in study.codebook.traits
            if trait.kind != "text"
            and (values := [p.traits[trait.name] for p in people if trait.name in p.traits])
        },
        responses={
            item.name: _typical_response(item, codes, study)
            for item in study.codebook.items
            if (codes := [p.responses[item.name] for p in people if item.name in p.responses])
        },
    )


def averaged(person: Participant, mean: Participant) -> Participant:
    """The average participant in a person's place, of whom only the same things are known.

    They keep the person's id, so that a strategy which orders or words personas by id does for
    both the same.
    """
    return replace(mean.seen_through(person.traits, person.responses), id=person.id)


def _typical_value(trait: Trait, values: Sequence[TraitValue]) -> TraitValue:
    if trait.values is not None:
        return _most_frequent(values, list(trait.values.values()))
    numbers = [float(value) for value in values]
    return round(fsum(numbers) / len(numbers), max(map(_decimals, numbers)))


def _typical_response(item: Item, codes: Sequence[str], study: Study) -> str:
    scale = study.scale(item)
    order = scale.ordered
    steps = [code for code in codes if code in order]
    if scale.ordinal and steps:
        return sorted(steps, key=order.index)[(len(steps) - 1) // 2]
    return _most_frequent(codes, list(scale.options))


def _most_frequent(values: Sequence[_Value], order: Sequence[str]) -> _Value:
    counts = Counter(values)
    return min(counts, key=lambda value: (-counts[value], order.index(value)))


def _decimals(number: float) -> int:
    exponent = Decimal(repr(number)).normalize().as_tuple().exponent
    assert isinstance(exponent, int)
    return max(0, -exponent)
