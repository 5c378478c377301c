"""Contrasts in parts of what was answered, and how they change from one part to the next."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from geppetto._util.errors import GeppettoError, unknown
from geppetto.evaluation.arrays import Integers
from geppetto.evaluation.changes import Change, between, changes, in_rows_of, slopes
from geppetto.evaluation.differences import Differences, differences
from geppetto.evaluation.inference.interaction import FEWEST_IN_A_GROUP, interactions, large_enough
from geppetto.evaluation.measures import Measure
from geppetto.evaluation.responses import Responses
from geppetto.evaluation.rows import READ
from geppetto.evaluation.scored import Scored
from geppetto.personas.arms import Matched, Shuffled
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
    if trait.kind == "text":
        raise GeppettoError(f"by: {by} is people's own words, which make no groups")
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


def everything(found: Scored, measure: Measure) -> list[Differences]:
    """Every contrast over all people and items."""
    return differences(found.predicted(measure), measure, weights=found.resampling.base)


def by_part(found: Scored, by: str, measure: Measure) -> list[Differences]:
    """Every contrast in every part; see `Results.effects`.

    Raises
    ------
    GeppettoError
        If there are no such parts, or one only.
    """
    if by == "paraphrase":
        return _in_each_wording(found, measure)
    if by in READ:
        return [one for made in _in_each_slice(found, by, measure) for one in made]
    return list(_among(found, by, measure))


def by_change(found: Scored, by: str, measure: Measure) -> list[Change]:
    """How much every contrast changes; see `Results.changes`.

    Raises
    ------
    GeppettoError
        If it cannot be followed so.
    """
    if by == "item":
        return changes(list(_of_items(found, measure)), found.resampling, found.analysis)
    if by in found.study.traits:
        return _between_groups(found, by, measure)
    if by == "position":
        must_be_sessions(found, by)
        predicted, base = found.predicted(measure), found.resampling.base
        grown = list(slopes(predicted, measure, base, "each doubling of the position"))
    elif by in READ:
        first, *others = _in_each_slice(found, by, measure)
        grown = [
            between(a, b, f"{a.among} to {b.among.removeprefix(by).strip()}")
            for other in others
            for a in first
            for b in other
            if a.key == b.key
        ]
    else:
        raise unknown("by", by, ["item", *READ, "position", *found.study.traits])
    return changes(grown, found.resampling, found.analysis)


def _of_items(found: Scored, measure: Measure) -> Iterator[Differences]:
    predicted, weights = found.predicted(measure), found.resampling.base
    every = range(len(found.responses.items))
    for among, items, _ in parts("item", found.responses, found.study):
        others = [item for item in every if item not in (items or ())]
        if not others:
            raise GeppettoError("by: there is one item, which cannot differ from others")
        rest, this = (
            differences(predicted, measure, items=some, weights=weights) for some in (others, items)
        )
        for first in rest:
            for second in this:
                if first.key == second.key:
                    yield between(first, second, f"other items to {among}")


def _between_groups(found: Scored, by: str, measure: Measure) -> list[Change]:
    groups = {
        among: rows
        for among, _, rows in parts(by, found.responses, found.study)
        if rows is not None
    }
    contrasts = _among_people(found, everything(found, measure))
    kept = large_enough(groups, contrasts[0], found.resampling) if contrasts else {}
    if few := [name for name, rows in groups.items() if len(rows) and name not in kept]:
        warnings.warn(
            f"{', '.join(few)}: fewer than {FEWEST_IN_A_GROUP} people, too few to compare",
            stacklevel=4,
        )
    return interactions(contrasts, groups, found.resampling, found.analysis.looks)


def _among_people(found: Scored, made: list[Differences]) -> list[Differences]:
    """The contrasts that can be told among some people: in sessions those without strangers.

    In a survey it is known what a persona costs whoever it is shown to. In sessions it is known of
    a few strangers each, and shrunk as noise is (see `quality_where_shown`): the rest of what
    personas of a group cost everybody would count as what they tell of their owners.
    """
    if not found.of_sessions:
        return made
    arms = {Shuffled.name, Matched.name}
    told = [one for one in made if not arms & {one.contrast.worse, one.contrast.better}]
    if left_out := dict.fromkeys(one.contrast.name for one in made if one not in told):
        warnings.warn(
            f"{', '.join(left_out)}: left out among some people of sessions, where what their "
            "personas cost everybody cannot be told from what they tell of their owners",
            stacklevel=5,
        )
    return told


def along(found: Scored) -> tuple[str, ...]:
    """By what contrasts of sessions can be followed: position, and what was asked in several."""
    if not found.of_sessions:
        return ()
    several = len(found.histories), max(map(len, found.presentations.values()))
    return ("position", *(by for by, number in zip(READ, several, strict=True) if number > 1))


def must_be_sessions(found: Scored, by: str) -> None:
    """Refuse to follow contrasts in a survey."""
    if not found.of_sessions:
        raise GeppettoError(f"by: {by} is of behavioural sessions, and this is a survey")


def _among(found: Scored, by: str, measure: Measure) -> Iterator[Differences]:
    """Every contrast on every item, or among every group of people of whom there are some."""
    clusters = found.resampling.clusters
    for among, items, rows in parts(by, found.responses, found.study):
        made = differences(
            found.predicted(measure),
            measure,
            among=among,
            items=items,
            rows=rows,
            weights=found.resampling.base,
        )
        if rows is not None:
            made = _among_people(found, made)
        enough = [one for one in made if len(np.unique(clusters[one.rows])) > 1]
        if len(enough) < len(made):
            warnings.warn(f"{among}: too few people for an interval", stacklevel=4)
        yield from enough


def _in_each_slice(found: Scored, by: str, measure: Measure) -> list[list[Differences]]:
    """Every contrast at every history, shortest first, or in every presentation."""
    must_be_sessions(found, by)
    if by not in along(found):
        raise GeppettoError(
            f"by: there is one {by}, so effects are those of `effects()`; list several in the "
            f"experiment, as `{by}` of `session`"
        )
    presented = dict.fromkeys(itertools.chain(*found.presentations.values()))
    made = []
    for one in found.histories if by == "history" else list(presented):
        other = found.at(**{by: one})
        made.append(
            [
                replace(
                    in_rows_of(other.responses, found.responses, difference), among=f"{by} {one}"
                )
                for difference in everything(other, measure)
            ]
        )
    return made


def _in_each_wording(found: Scored, measure: Measure) -> list[Differences]:
    made = [one for over in everything(found, measure) for one in over.wordings]
    if not made:
        raise GeppettoError(
            "by: there is one wording, so effects are those of `effects()`; set `paraphrases` "
            "in the experiment to compare several"
        )
    return made
