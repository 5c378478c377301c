"""A line of a codebook's list as it is drafted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Entry:
    """One trait, item or exclusion, and what was not sure of it.

    Attributes
    ----------
    question
        For the reader, above the line; empty if there is none.
    off
        Whether the line is a comment until its question is answered.
    """

    content: Mapping[str, Any]
    question: str = ""
    off: bool = False
