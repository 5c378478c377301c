"""Which of some choices a language model's answer names."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NEGATED = re.compile(r"\bnot?\b|n['’]t\b")


def chosen(answer: str, choices: Sequence[str]) -> str | None:
    """The one choice that an answer names; None if it names several, or denies it.

    A choice within a longer one that is named, as "college" in "some college", does not count.
    """
    said = _plain(answer)
    named = [
        each for each in choices if re.search(rf"(?<!\w){re.escape(_plain(each))}(?!\w)", said)
    ]
    longest = {
        each
        for each in named
        if not any(_plain(each) in _plain(other) for other in named if other != each)
    }
    if len(longest) != 1:
        return None
    (only,) = longest
    return None if _NEGATED.search(said.replace(_plain(only), "")) else only


def _plain(text: str) -> str:
    return " ".join(text.casefold().strip(" .\"'").split())
