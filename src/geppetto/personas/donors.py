"""Donors: the strangers whose personas stand in for a participant's own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from geppetto.studies import Participant, Trait
from geppetto.studies.codebook import TraitValue

_SAME = 12
"""Decimals up to which two distances are the same."""


def groups(known: Mapping[str, frozenset[str]]) -> list[list[str]]:
    """Ids of the people of whom the same is known, in an order that does not depend on theirs.

    Parameters
    ----------
    known
        Names of what is known of each participant, by participant id.
    """
    found: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for participant, names in known.items():
        found[tuple(sorted(names))].append(participant)
    return [sorted(found[names]) for names in sorted(found)]


def has_strangers(group: Sequence[str], clusters: Mapping[str, str | None], donors: int) -> bool:
    """Whether a group is large enough for as many donors, none of them of one's own cluster.

    Parameters
    ----------
    group
        Ids of people of whom the same is known.
    clusters
        Cluster of each participant, by participant id; None or nothing for who has none.
    donors
        Donors a participant.
    """
    return len(group) - 2 * _largest(group, clusters) + 1 >= donors


def derangements(
    known: Mapping[str, frozenset[str]],
    donors: int,
    seed: int,
    clusters: Mapping[str, str | None] = MappingProxyType({}),
) -> dict[str, tuple[str, ...]]:
    """Donors for each participant, drawn among those of whom the same things are known.

    Within a group of equal knowledge everyone stands in a random order on a circle, clusters side
    by side, and the donors are the people at `donors` distinct random distances that lead out of
    every cluster: somebody of one's own cluster is no stranger, and may be oneself on another day.
    So nobody is their own donor, no donor serves a participant twice, and everybody is a donor
    equally often: the shuffled arm shows exactly the personas that the own arm shows.

    Parameters
    ----------
    known
        Names of what is known of each participant, by participant id.
    donors
        Donors a participant.
    seed
        Seed of the draw. The result does not depend on the order of `known`.
    clusters
        Cluster of each participant, by participant id; None or nothing for who has none.

    Returns
    -------
    dict
        Donor ids by participant id; people in groups without enough strangers are absent.
    """
    rng = np.random.default_rng(seed)
    drawn: dict[str, tuple[str, ...]] = {}
    for group in groups(known):
        circle = _side_by_side(rng.permutation(group).tolist(), clusters)
        if not has_strangers(group, clusters, donors):
            continue
        largest = _largest(group, clusters)
        distances = rng.choice(
            np.arange(largest, len(circle) - largest + 1), size=donors, replace=False
        )
        for place, participant in enumerate(circle):
            drawn[participant] = tuple(circle[(place + d) % len(circle)] for d in distances)
    return drawn


def nearest(
    people: Mapping[str, Participant],
    known: Mapping[str, frozenset[str]],
    demographics: Sequence[Trait],
    donors: int,
    seed: int,
) -> dict[str, tuple[str, ...]]:
    """Donors for each participant who are demographically most like them.

    Candidates are all of other clusters of whom the same things are known. First come those who
    differ in the fewest categorical demographics; among them those whose numeric ones are
    nearest, by the sum of absolute differences, each as a share of its range in the sample;
    among these chance decides. A demographic that is known of only one of the two differs, like
    a categorical one. Somebody can be the donor of many, and of nobody.

    Parameters
    ----------
    people
        Participants by id, at least those of `known`.
    known
        Names of what is known of each participant, by participant id.
    demographics
        The traits to match on.
    donors
        Donors a participant.
    seed
        Seed of the draw among equals. The result does not depend on the order of `known`.

    Returns
    -------
    dict
        Donor ids by participant id, the most similar first; people in groups without enough
        strangers are absent.
    """
    if not known:
        return {}
    rng = np.random.default_rng(seed)
    table = _Demographics.of([people[participant] for participant in known], demographics)
    spans = np.nanmax(table.numbers, axis=0) - np.nanmin(table.numbers, axis=0)
    spans[spans == 0] = 1
    drawn: dict[str, tuple[str, ...]] = {}
    clusters = {participant: people[participant].cluster for participant in known}
    for group in groups(known):
        if not has_strangers(group, clusters, donors):
            continue
        of = np.unique([_cluster(name, clusters) for name in group], return_inverse=True)[1]
        categories, numbers = table.categories_of(group), table.numbers_of(group)
        labels = np.hstack([categories, np.isnan(numbers)])
        for place, participant in enumerate(group):
            mismatches = (labels != labels[place]).sum(axis=1)
            distances = np.nansum(np.abs(numbers - numbers[place]) / spans, axis=1).round(_SAME)
            strangers = np.flatnonzero(of != of[place])
            enough = np.partition(mismatches[strangers], donors - 1)[donors - 1]
            candidates = strangers[mismatches[strangers] <= enough]
            chance = rng.random(len(candidates))
            order = np.lexsort((chance, distances[candidates], mismatches[candidates]))
            drawn[participant] = tuple(group[row] for row in candidates[order[:donors]])
    return drawn


def _cluster(participant: str, clusters: Mapping[str, str | None]) -> str:
    """A name of somebody's cluster; of who has none, a name that nobody else has."""
    cluster = clusters.get(participant)
    return f"alone {participant}" if cluster is None else f"in {cluster}"


def _largest(group: Sequence[str], clusters: Mapping[str, str | None]) -> int:
    """How many people of a group are in the cluster of which it has the most."""
    return max(Counter(_cluster(name, clusters) for name in group).values())


def _side_by_side(people: Sequence[str], clusters: Mapping[str, str | None]) -> list[str]:
    """People with those of a cluster next to each other, clusters as they first come."""
    members: dict[str, list[str]] = {}
    for name in people:
        members.setdefault(_cluster(name, clusters), []).append(name)
    return [name for cluster in members.values() for name in cluster]


@dataclass(frozen=True)
class MatchQuality:
    """How much donors are like the participants whose place they take.

    Attributes
    ----------
    same_categories
        Share of participants whose every donor has the same categorical demographics; one that
        is known of neither is the same.
    same
        Share of participants whose every donor has the same demographics, numeric ones included.
    differences
        Mean absolute difference of each numeric demographic in its unit, over the pairs of whom
        it is known, by the trait's name.
    donors
        How many different people are donors.
    busiest
        The donor of the most participants; the first by id if there are several.
    busiest_serves
        How many participants that donor serves.
    """

    same_categories: float
    same: float
    differences: Mapping[str, float]
    donors: int
    busiest: str
    busiest_serves: int


def match_quality(
    drawn: Mapping[str, Sequence[str]],
    people: Mapping[str, Participant],
    demographics: Sequence[Trait],
) -> MatchQuality:
    """How good a match is.

    Parameters
    ----------
    drawn
        Donor ids by participant id, as from `nearest`; at least one participant.
    people
        Participants by id.
    demographics
        The traits that were matched on.
    """
    ids = sorted(drawn)
    pairs = [(participant, donor) for participant in ids for donor in drawn[participant]]
    mine, theirs = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    table = _Demographics.of([people[participant] for participant in {*ids, *theirs}], demographics)
    gaps = np.abs(table.numbers_of(mine) - table.numbers_of(theirs))
    same_categories = (table.categories_of(mine) == table.categories_of(theirs)).all(axis=1)
    unknown = np.isnan(table.numbers_of(mine)) & np.isnan(table.numbers_of(theirs))
    same = same_categories & ((gaps == 0) | unknown).all(axis=1)
    served = Counter(theirs)
    busiest = min(served, key=lambda donor: (-served[donor], donor))
    return MatchQuality(
        same_categories=float(same_categories.reshape(len(ids), -1).all(axis=1).mean()),
        same=float(same.reshape(len(ids), -1).all(axis=1).mean()),
        differences={
            name: float(gap[~np.isnan(gap)].mean())
            for name, gap in zip(table.numeric, gaps.T, strict=True)
            if not np.isnan(gap).all()
        },
        donors=len(served),
        busiest=busiest,
        busiest_serves=served[busiest],
    )


@dataclass(frozen=True)
class _Demographics:
    """What is known of people's demographics, a row a person.

    Attributes
    ----------
    rows
        Row of each person, by id.
    categories
        Code of each categorical demographic; -1 where it is unknown.
    numeric
        Names of the numeric demographics that are known of anybody.
    numbers
        Their values; NaN where one is unknown.
    """

    rows: Mapping[str, int]
    categories: NDArray[np.int64]
    numeric: tuple[str, ...]
    numbers: NDArray[np.float64]

    @classmethod
    def of(cls, people: Sequence[Participant], demographics: Sequence[Trait]) -> _Demographics:
        codes: dict[str, dict[TraitValue | None, int]] = {}
        for trait in demographics:
            if trait.values is not None:
                codes[trait.name] = {text: code for code, text in enumerate(trait.values.values())}
                codes[trait.name][None] = -1
        numeric = tuple(
            trait.name
            for trait in demographics
            if trait.values is None and any(trait.name in person.traits for person in people)
        )
        categories = [[of[p.traits.get(name)] for name, of in codes.items()] for p in people]
        numbers = [[float(p.traits.get(name, np.nan)) for name in numeric] for p in people]
        return cls(
            rows={person.id: row for row, person in enumerate(people)},
            categories=np.array(categories, np.int64).reshape(len(people), len(codes)),
            numeric=numeric,
            numbers=np.array(numbers, np.float64).reshape(len(people), len(numeric)),
        )

    def categories_of(self, ids: Sequence[str]) -> NDArray[np.int64]:
        return self.categories[[self.rows[participant] for participant in ids]]

    def numbers_of(self, ids: Sequence[str]) -> NDArray[np.float64]:
        return self.numbers[[self.rows[participant] for participant in ids]]
