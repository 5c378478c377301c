"""Who is searched on and who is kept for confirmation, and in which batches people are scored."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np

from geppetto._util.errors import GeppettoError
from geppetto.studies import Participant, Trait


@dataclass(frozen=True)
class Split:
    """Ids of the people who are searched on and of those who confirm, each sorted."""

    search: tuple[str, ...]
    test: tuple[str, ...]


def split(
    people: Sequence[Participant],
    traits: Sequence[Trait],
    share: float,
    seed: int,
    prints: Mapping[str, str] | None = None,
    chosen_on: Set[str] = frozenset(),
) -> Split:
    """Split people so that both sides have the same demographics, and no cluster is cut.

    Clusters, of which somebody without one is their own, stand in a row: sorted by the most
    frequent value of each trait in turn, in a random order where these are the same. Along the
    row each goes to the side that keeps the test side's share nearest to what was asked. So of n
    people without clusters who stand together, as all with the same values do, n times the share
    are test people, give or take one. A cluster with anybody on whom was chosen before is searched
    on, and of the others so many more are test people.

    Parameters
    ----------
    traits
        What both sides are to have alike; numeric ones are ignored.
    share
        Share of the test people.
    prints
        By what people are known again, by id (`Study.prints`): those who are the same stay
        together, if they are in no cluster.
    chosen_on
        The prints of those on whom was chosen before.

    Raises
    ------
    GeppettoError
        If fewer than two people are on a side, or too many were chosen on.
    """
    rng = np.random.default_rng(seed)
    known = {person.id: person.id for person in people} | dict(prints or {})
    first: dict[str, str] = {}
    clusters: defaultdict[tuple[bool, str], list[Participant]] = defaultdict(list)
    for person in sorted(people, key=lambda person: person.id):
        alone = person.cluster is None
        name = first.setdefault(known[person.id], person.id) if alone else person.cluster
        clusters[alone, str(name)].append(person)
    row = [clusters[key] for key in sorted(clusters)]
    row = [row[place] for place in rng.permutation(len(row))]
    row.sort(key=lambda cluster: _stratum(cluster, traits))
    used = [any(known[person.id] in chosen_on for person in cluster) for cluster in row]
    free = sum(len(cluster) for cluster, was in zip(row, used, strict=True) if not was)
    if share * len(people) > free:
        raise GeppettoError(
            f"search: test: of {len(people):,} people {free:,} were never chosen on before, and "
            f"only they can confirm a winner, but {share:g} of all are to; take more "
            "`participants`, or a smaller share"
        )
    sides: tuple[list[str], list[str]] = ([], [])
    owed = rng.random() - 0.5  # test people that are still due
    for cluster, was in zip(row, used, strict=True):
        if was:
            sides[False].extend(person.id for person in cluster)
            continue
        owed += share * len(people) / free * len(cluster)
        is_test = owed >= len(cluster) / 2
        owed -= len(cluster) * is_test
        sides[is_test].extend(person.id for person in cluster)
    search, test = sides
    if min(map(len, sides)) < 2:
        raise GeppettoError(
            f"search: test: {len(search)} of {len(people)} people would be searched on and "
            f"{len(test)} would confirm, and each side needs at least two; take more "
            "`participants`, or another share"
        )
    return Split(tuple(sorted(search)), tuple(sorted(test)))


def _stratum(cluster: Sequence[Participant], traits: Sequence[Trait]) -> list[str]:
    """The most frequent value of each categorical trait, empty where it is unknown."""
    stratum = []
    for trait in traits:
        if trait.values is not None:
            values = Counter(str(person.traits.get(trait.name, "")) for person in cluster)
            stratum.append(min(values, key=lambda value: (-values[value], value)))
    return stratum


def batches(people: Sequence[str], size: int, seed: int) -> tuple[tuple[str, ...], ...]:
    """People in batches of at least `size`, as equal as can be; one batch if they are fewer."""
    names = sorted(people)
    order = np.random.default_rng(seed).permutation(len(names))
    parts = np.array_split(order, max(1, len(names) // size))
    return tuple(tuple(names[place] for place in part) for part in parts)
