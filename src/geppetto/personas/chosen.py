"""Which of some choices a language model's answer names."""

from __future__ import annotations

import re
from collections.abc import Sequence

_NEGATED = re.compile(r"\bnot?\b|n['’]t\b")


def chosen(answer: str, choices: Sequence[str]) -> str | None:
    """The one choice that an answer names; None if it names several or denies it.

    Of choices at one place the longest is meant: "some college" does not name "college".
    """
    meant = {_plain(choice): choice for choice in choices}
    longest = sorted(filter(None, meant), key=len, reverse=True)
    name = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)")
    said = _plain(answer)
    named = set(name.findall(said)) if longest else set()
    if len(named) != 1 or _NEGATED.search(name.sub("", said)):
        return None
    return meant[named.pop()]


def _plain(text: str) -> str:
    return " ".join(text.casefold().strip(" .\"'").split())
