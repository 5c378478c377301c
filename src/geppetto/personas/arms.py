"""Arms: whose persona the model is given."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field


class Arm(BaseModel):
    """One rung of the ladder."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    name: ClassVar[str]


class NoPersona(Arm):
    """The task alone."""

    name: ClassVar[str] = "none"


class Filler(Arm):
    """A neutral text that has as many tokens as the participant's own persona."""

    name: ClassVar[str] = "filler"


class Shuffled(Arm):
    """Other participants' personas, of whom the same things are known.

    Attributes
    ----------
    donors
        How many strangers stand in for each participant; their answers are averaged.
    seed
        Seed of the derangements.
    """

    name: ClassVar[str] = "shuffled"
    donors: int = Field(1, ge=1)
    seed: int = 0


class Own(Arm):
    """The participant's own persona."""

    name: ClassVar[str] = "own"


ARMS: dict[str, type[Arm]] = {arm.name: arm for arm in (NoPersona, Filler, Shuffled, Own)}


def derangements(
    known: Mapping[str, frozenset[str]], donors: int, seed: int
) -> dict[str, tuple[str, ...]]:
    """Donors for each participant, drawn among those of whom the same things are known.

    Within a group of equal knowledge everyone stands in a random order on a circle, and the
    donors are the people at `donors` distinct random distances. So nobody is their own donor,
    no donor serves a participant twice, and everybody is a donor equally often: the shuffled
    arm shows exactly the personas that the own arm shows.

    Parameters
    ----------
    known
        Names of what is known of each participant, by participant id.
    donors
        Donors a participant.
    seed
        Seed of the draw. The result does not depend on the order of `known`.

    Returns
    -------
    dict
        Donor ids by participant id; people in groups of at most `donors` members are absent.
    """
    rng = np.random.default_rng(seed)
    groups: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for participant, names_known in known.items():
        groups[tuple(sorted(names_known))].append(participant)
    drawn: dict[str, tuple[str, ...]] = {}
    for names in sorted(groups):
        circle: Sequence[str] = rng.permutation(sorted(groups[names])).tolist()
        if len(circle) <= donors:
            continue
        distances = rng.choice(np.arange(1, len(circle)), size=donors, replace=False)
        for place, participant in enumerate(circle):
            drawn[participant] = tuple(circle[(place + d) % len(circle)] for d in distances)
    return drawn
