"""Which arms are compared, and what their difference means."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from geppetto.personas.arms import Knockout


@dataclass(frozen=True)
class Contrast:
    """Two arms whose difference has a meaning: L(worse) - L(better), L the mean NLL."""

    name: str
    worse: str
    better: str
    meaning: str


CONTRASTS = (
    Contrast("total", "none", "own", "what the persona saves over no persona"),
    Contrast("length", "none", "filler", "what as much neutral text saves"),
    Contrast("human", "none", "human", "what being told to be an ordinary human saves"),
    Contrast("average", "none", "average", "what the average participant's persona saves"),
    Contrast("format", "none", "shuffled", "what a stranger's persona saves"),
    Contrast("information", "shuffled", "own", "what knowing this person saves"),
    Contrast("group", "shuffled", "matched", "what knowing the person's demographics saves"),
    Contrast("individual", "matched", "own", "what knowing more than demographics saves"),
)


CONFIRMATORY = ("information",)
"""Names of the contrasts that answer the question; the others explore."""


def contrasts(arms: Sequence[str]) -> list[Contrast]:
    """The contrasts that these arms allow, one for each trait that is left out among them."""
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
