"""Donors: the strangers whose personas stand in for a participant's own."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from geppetto.studies import Participant

Known = Mapping[str, frozenset[str]]
"""Names of what is known of each participant, by participant id."""
Clusters = Mapping[str, str | None]
"""Cluster of each participant, by participant id; None or nothing for who has none."""
Donors = dict[str, tuple[str, ...]]
"""Donor ids by participant id; who has not enough strangers is absent."""

_SAME = 12
"""Decimals up to which two differences are the same."""


def groups(known: Known) -> list[list[str]]:
    """Ids of the people of whom the same is known, in an order that does not depend on theirs."""
    found: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for participant, names in known.items():
        found[tuple(sorted(names))].append(participant)
    return [sorted(found[names]) for names in sorted(found)]


def has_strangers(group: Sequence[str], clusters: Clusters, donors: int) -> bool:
    """Whether people of whom the same is known are enough to have as many donors each.

    None of these is of one's own cluster.
    """
    return len(group) - 2 * _largest(group, clusters) + 1 >= donors


def derangements(
    known: Known, donors: int, seed: int, clusters: Clusters = MappingProxyType({})
) -> Donors:
    """Donors for each participant, drawn among those of whom the same things are known.

    Within a group of equal knowledge everyone stands in a random order on a circle, clusters side
    by side, and the donors are the people at `donors` distinct random distances that lead out of
    every cluster: somebody of one's own cluster is no stranger, and may be oneself on another day.
    So nobody is their own donor, no donor serves a participant twice, and everybody is a donor
    equally often: the shuffled arm shows exactly the personas that the own arm shows. The result
    does not depend on the order of `known`.
    """
    rng = np.random.default_rng(seed)
    drawn: Donors = {}
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


@dataclass(frozen=True)
class Likeness:
    """In what a matched stranger is like a participant.

    Demographics are the same, or unknown of both; or numbers that may differ within so much, each
    in its unit, and are known of both or of neither.
    """

    same: tuple[str, ...]
    within: Mapping[str, float]


def matched(
    people: Mapping[str, Participant],
    known: Known,
    like: Likeness,
    donors: int,
    seed: int,
    *,
    of: Collection[str],
    usable: Callable[[Participant], bool] = lambda _: True,
) -> Donors:
    """Donors for each participant who are demographically like them.

    Candidates are all people of other clusters of whom the same things are known. The nearest in
    what may differ come first, by the sum of differences as shares of what is allowed; then those
    who take part, whose personas are shown anyway, the ones who stand in for the fewest before;
    among these chance decides. Who takes part can stand in for many, and is resampled in both
    roles. Anybody else is a draw from the population that no participant stands for, and so stands
    in for one participant only: then receivers differ independently of each other. Everybody has
    a first donor before somebody has a second one.

    Parameters
    ----------
    people
        Everybody by id, at least those of `known`.
    known
        Of those who may be donors and of those who take part, in any order.
    donors
        The most donors of a participant, the nearest first.
    of
        Ids of those who take part.
    usable
        Whether somebody who does not take part can be a donor after all; asked only of those who
        would be one.
    """
    names = sorted(known)
    members = [people[name] for name in names]
    chance = np.random.default_rng(seed).random(len(names))
    inside = np.array([name in of for name in names], bool)
    clusters = {one.id: one.cluster for one in members}
    cluster = np.unique([_cluster(name, clusters) for name in names], return_inverse=True)[1]
    numbers = np.array([[one.traits.get(t, 0.0) for t in like.within] for one in members], float)
    allowed = np.array(list(like.within.values()), float)
    found: dict[int, list[int]] = {}
    serves = np.zeros(len(names), int)
    for rows in _strata(members, known, like):
        taking_part = rows[inside[rows]]
        in_turn = taking_part[np.argsort(chance[taking_part])].tolist()
        found |= {row: [] for row in in_turn}
        for row in in_turn * donors:
            away = np.abs(numbers[rows] - numbers[row]).round(_SAME)
            strangers = cluster[rows] != cluster[row]
            free = strangers & (away <= allowed).all(1) & (inside[rows] | (serves[rows] == 0))
            free &= ~np.isin(rows, found[row])
            who = rows[free]
            far = (away[free] / allowed).sum(1).round(_SAME)
            nearest = who[np.lexsort((chance[who], serves[who], ~inside[who], far))]
            for donor in nearest.tolist():
                if inside[donor] or usable(members[donor]):
                    found[row].append(donor)
                    serves[donor] += 1
                    break
    return {
        names[row]: tuple(names[donor] for donor in whose) for row, whose in found.items() if whose
    }


def _strata(
    members: Sequence[Participant], known: Known, like: Likeness
) -> list[NDArray[np.int64]]:
    """Rows of people who are alike in all that must be the same."""
    strata: defaultdict[tuple[object, ...], list[int]] = defaultdict(list)
    for row, one in enumerate(members):
        same = tuple(one.traits.get(trait) for trait in like.same)
        near = tuple(trait in one.traits for trait in like.within)
        strata[tuple(sorted(known[one.id])), same, near].append(row)
    return [np.array(rows) for rows in strata.values()]


def _cluster(participant: str, clusters: Clusters) -> str:
    """A name of somebody's cluster; of who has none, a name that nobody else has."""
    cluster = clusters.get(participant)
    return f"alone {participant}" if cluster is None else f"in {cluster}"


def _largest(group: Sequence[str], clusters: Clusters) -> int:
    return max(Counter(_cluster(name, clusters) for name in group).values())


def _side_by_side(people: Sequence[str], clusters: Clusters) -> list[str]:
    """People with those of a cluster next to each other, clusters as they first come."""
    members: dict[str, list[str]] = {}
    for name in people:
        members.setdefault(_cluster(name, clusters), []).append(name)
    return [name for cluster in members.values() for name in cluster]


@dataclass(frozen=True)
class MatchQuality:
    """How many participants have matched strangers, and how much like them these are.

    Attributes
    ----------
    participants, matched
        How many people take part, and how many of them have a match.
    differences
        Mean absolute difference of each numeric demographic that may differ, in its unit, over the
        pairs of whom it is known, by the trait's name.
    donors, outside
        How many different people are donors, and how many of those do not take part.
    """

    participants: int
    matched: int
    same: tuple[str, ...]
    within: Mapping[str, float]
    differences: Mapping[str, float]
    donors: int
    outside: int

    @property
    def alike(self) -> str:
        """What a matched stranger is, to be read after "a stranger"."""
        same = [f"of the same {in_a_row(self.same)}"] if self.same else []
        within = [
            f"with {name} within {far:g} ({self.differences.get(name, 0.0):.2g} apart on average)"
            for name, far in self.within.items()
        ]
        return in_a_row([*same, *within])

    @property
    def sentence(self) -> str:
        """For how many people there is a match, and what it leaves open, without a full stop."""
        without = self.participants - self.matched
        said = f"{self.matched:,} of {self.participants:,} people have a stranger {self.alike}"
        if without:
            have, are = ("has", "is") if without == 1 else ("have", "are")
            said += f"; {without:,} {have} no match and {are} left out of group and individual"
        if self.within:
            said += f"; what is left of {in_a_row(list(self.within))} may still be in individual"
        return said


def match_quality(
    drawn: Mapping[str, Sequence[str]],
    people: Mapping[str, Participant],
    like: Likeness,
    of: Collection[str],
) -> MatchQuality:
    """How good the donors are that `matched` drew for those who take part, `of`."""
    pairs = [(people[one].traits, people[d].traits) for one, ds in drawn.items() for d in ds]
    differences = {}
    for name in like.within:
        both = [(float(a[name]), float(b[name])) for a, b in pairs if name in a]
        if both:
            differences[name] = float(np.mean([abs(a - b) for a, b in both]))
    who = {donor for donors in drawn.values() for donor in donors}
    return MatchQuality(
        participants=len(of),
        matched=len(drawn),
        same=like.same,
        within=dict(like.within),
        differences=differences,
        donors=len(who),
        outside=len(who - set(of)),
    )


def in_a_row(names: Sequence[str]) -> str:
    """Names as in running text: "gender, education and age"."""
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
