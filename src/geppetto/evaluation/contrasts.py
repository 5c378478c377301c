"""Which arms are compared, and what their difference means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geppetto.personas.arms import Knockout

UNINFORMED = "uninformed"
"""Name of the best prediction that knows nothing of the person, as if it were an arm."""


@dataclass(frozen=True)
class Contrast:
    """Two arms whose difference has a meaning: L(worse) - L(better), L the mean NLL.

    Attributes
    ----------
    positive, negative, equivalent
        What a verdict calls a difference that is above zero, one that is below, and one that is too
        small to matter. Only `benefit` "helps" or "hurts": that one arm costs less than another
        says nothing yet of whether people are predicted well.
    confirms
        Whether it answers the question; all others explore.

    Examples
    --------
    >>> from geppetto.evaluation import Contrast
    >>> Contrast("total", "none", "own", "what the persona saves over no persona").negative
    'costs'
    """

    name: str
    worse: str
    better: str
    meaning: str
    positive: str = "saves"
    negative: str = "costs"
    equivalent: str = "equivalent to nothing"
    confirms: bool = False


INFORMATION = Contrast(
    "information",
    "shuffled",
    "own",
    "what it costs to be told of a stranger instead",
    "matters",
    "misleads",
    confirms=True,
)
BENEFIT = Contrast(
    "benefit",
    UNINFORMED,
    "own",
    "what it saves over the best that knows nothing of the person",
    "helps",
    "hurts",
    confirms=True,
)

CONTRASTS = (
    Contrast("total", "none", "own", "what the persona saves over no persona"),
    Contrast("length", "none", "filler", "what as much neutral text saves"),
    Contrast("human", "none", "human", "what being told to be an ordinary human saves"),
    Contrast("average", "none", "average", "what the average participant's persona saves"),
    Contrast("format", "none", "shuffled", "what a stranger's persona saves"),
    INFORMATION,
    BENEFIT,
    Contrast("group", "shuffled", "matched", "what a stranger of the same demographics saves"),
    Contrast("individual", "matched", "own", "what is the person's beyond demographics"),
)


def contrasts(arms: Sequence[str]) -> list[Contrast]:
    """The contrasts that these arms allow, one for each trait that is left out among them.

    Examples
    --------
    >>> from geppetto.evaluation import contrasts
    >>> [one.name for one in contrasts(["none", "shuffled", "own"])]
    ['total', 'format', 'information']
    """
    without = Knockout.label("")
    knockouts = [
        Contrast(
            arm,
            arm,
            "own",
            f"what saying {arm.removeprefix(without)} saves, by its text and what it tells",
        )
        for arm in arms
        if arm.startswith(without)
    ]
    return [c for c in (*CONTRASTS, *knockouts) if c.worse in arms and c.better in arms]
