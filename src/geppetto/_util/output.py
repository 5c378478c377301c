"""Where commands print: to whatever the output can spell, and users' text as it is."""

from __future__ import annotations

import codecs
import io
import os
from contextlib import suppress
from typing import Any, TextIO

from rich.console import Console

_SPELLED = str.maketrans(
    {
        "−": "-",
        "–": "-",
        "—": "-",
        "·": "|",
        "∞": "inf",
        "²": "^2",
        "×": "x",
        "→": "->",
        "…": "...",
        "≤": "<=",
        "≥": ">=",
        "‘": "'",
        "’": "'",
        "“": '"',
        "”": '"',
    }
)
"""How signs that tables have are written where the output does not know them."""


def _spell(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    unknown = error.object[error.start : error.end].translate(_SPELLED)
    return unknown.encode("ascii", "backslashreplace").decode(), error.end


codecs.register_error("geppetto.spelled", _spell)


def spell(output: TextIO | None) -> None:
    """Let an output write every text: in other signs where its encoding lacks some."""
    if isinstance(output, io.TextIOWrapper):
        output.reconfigure(errors="geppetto.spelled")


def plain_console(**settings: Any) -> Console:
    """A console to which text is never markup, emoji codes or something to be coloured."""
    return Console(highlight=False, markup=False, emoji=False, **settings)


def silence(output: TextIO | None) -> None:
    """Let nothing more be written to an output that refuses it, also when Python ends."""
    with suppress(io.UnsupportedOperation):  # it is no file
        if output is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
