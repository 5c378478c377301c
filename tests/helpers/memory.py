"""Memory of tests: models are in cycles of references, so that each is there until these are found.

A worker that runs many whole experiments would otherwise keep the weights of several at once.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path

STATM = Path("/proc/self/statm")
MUCH = 300
"""MiB by which memory may grow before cycles are looked for, which takes part of a second."""

_least = [float("inf")]
"""What was in use after cycles were last looked for, or less."""


def memory() -> float:
    """Memory that this process has in use now, in MiB; 0 where /proc does not tell."""
    if not STATM.exists():
        return 0
    return int(STATM.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def give_back() -> None:
    """Free what is in cycles of references, if memory has grown much."""
    _least[0] = min(_least[0], memory())
    if memory() > _least[0] + MUCH:
        gc.collect()
        _least[0] = memory()
