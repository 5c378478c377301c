"""Memory of tests: models are in cycles of references, so that each is there until these are found.

A worker that runs many whole experiments would otherwise keep the weights of several at once.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path

STATM = Path("/proc/self/statm")
STATUS = Path("/proc/self/status")
MUCH = 300
"""MiB by which memory may grow before cycles are looked for, which takes part of a second."""

_least = [float("inf")]
"""What was in use after cycles were last looked for, or less."""


def memory() -> float:
    """Memory that this process has in use now, in MiB; 0 where /proc does not tell."""
    if not STATM.exists():
        return 0
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Peak:
    """The most memory that this process had in use since it was last forgotten, in MiB.

    0 where /proc does not tell.
    """

    def forget(self) -> None:
        """Begin anew from what is in use now."""
        if STATM.exists():
            Path("/proc/self/clear_refs").write_text("5")

    def __call__(self) -> float:
        if not STATM.exists():
            return 0
        (line,) = [one for one in STATUS.read_text().splitlines() if one.startswith("VmHWM")]
        return int(line.split()[1]) / 2**10


def give_back() -> None:
    """Free what is in cycles of references, if memory has grown much."""
    _least[0] = min(_least[0], memory())
    if memory() > _least[0] + MUCH:
        gc.collect()
        _least[0] = memory()
