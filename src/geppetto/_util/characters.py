"""Halves of characters: what JSON and Python can hold, and neither a file nor a database can.

UTF-16 writes a letter beyond the first 65,536 as two surrogates. Where a text is cut between them,
or `"\\ud83d"` stands alone in JSON, half of a letter is left, which UTF-8 has no bytes for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_HALF = re.compile("[\ud800-\udfff]")


def mended(text: str) -> str:
    """A text with a sign for what is not known (U+FFFD) in the place of every half of a character.

    Examples
    --------
    >>> mended("2 \\ud83d") == "2 \\ufffd"
    True
    """
    return text if text.isascii() else _HALF.sub("\ufffd", text)


def halves(value: Any) -> Iterator[str]:
    """The halves of characters in a text, or in the texts of a list or mapping, as JSON has them.

    Examples
    --------
    >>> list(halves({"name": ["Zo\\u00eb", "\\ud83d"]}))
    ['\\\\ud83d']
    """
    if isinstance(value, str):
        if not value.isascii():
            yield from (f"\\u{ord(half):x}" for half in _HALF.findall(value))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from halves(name)
            yield from halves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from halves(inner)
