"""The text of a CSV file as rows of cells: its encoding, separator and rows of headers."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import lzma
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from geppetto._util.errors import GeppettoError

_OPEN: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}
_SEPARATORS = (",", ";", "\t", "|")
_SAMPLE = 50
"""Rows by which a separator is found."""

FREELY = 2**26
"""Bytes that any compressed file may hold; beyond, so many times its own size."""

TIMES = 200
"""See `FREELY`."""

_IMPORT_ID = '{"ImportId":'
"""How each cell of the last of Qualtrics' rows of headers begins."""

UNREADABLE = (OSError, EOFError, ValueError, csv.Error, lzma.LZMAError, zlib.error)
"""What goes wrong in a file that is no CSV file, or a damaged one."""


def csv_bytes(path: Path) -> bytes:
    """The bytes of a CSV file, unpacked; a GeppettoError if they are far more than its own."""
    if path.suffix in _OPEN:
        with _OPEN[path.suffix](path, "rb") as stream:
            return _at_most(stream, max(FREELY, TIMES * path.stat().st_size), path)
    return path.read_bytes()


def csv_text(path: Path, encoding: str | None) -> str:
    """The text of a CSV file, compressed or not.

    Without an encoding it is UTF-8, or UTF-16 where the file begins with its mark.

    Raises
    ------
    GeppettoError
        If the file is in another encoding, or holds far more than its size says.
    """
    data = csv_bytes(path)
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    used = encoding or ("utf-16" if wide else "utf-8-sig")
    try:
        return data.decode(used)
    except LookupError:
        raise GeppettoError(f"data file {path}: there is no encoding {encoding!r}") from None
    except UnicodeError as error:
        line = data[: getattr(error, "start", 0)].count(b"\n") + 1
        remedy = (
            "correct `encoding` in the codebook"
            if encoding
            else "say in the codebook which it is, as in `encoding: cp1252` (Western Windows), or "
            "save it as UTF-8"
        )
        name = used.removesuffix("-sig").upper()
        raise GeppettoError(f"data file {path}, line {line}: not {name} text; {remedy}") from error


def _at_most(stream: IO[bytes], most: int, path: Path) -> bytes:
    data = stream.read(most + 1)
    if len(data) > most:
        raise GeppettoError(
            f"data file {path} holds more than {most / 2**20:,.0f} MiB, far more than a file of "
            "its size; unpack it, if that is meant"
        )
    return data


def csv_rows(text: str) -> Iterator[list[str]]:
    """The rows of a CSV text, with the separator that its rows have in common."""
    return csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=separator(text))


def separator(text: str) -> str:
    """What separates cells: the first of comma, semicolon, tab and bar that fits all rows.

    Examples
    --------
    >>> separator("id;weight\\n1;3,5\\n"), separator("id,note\\n1,a;b\\n")
    (';', ',')
    """
    for candidate in _SEPARATORS:
        try:
            widths = _widths(text, candidate)
        except csv.Error:
            continue
        if len(widths) == 1 and widths.pop() > 1:
            return candidate
    return ","


def _widths(text: str, candidate: str) -> set[int]:
    """How many cells the first rows have."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, delimiter=candidate)
    some = (row for row, _ in zip(reader, range(_SAMPLE), strict=False))
    return {len(row) for row in some if row}


def header_rows(rows: Sequence[Sequence[str]]) -> int:
    """How many of the rows after the header are headers too, of a file that Qualtrics exported."""
    for number, row in enumerate(rows[:3], start=1):
        if row and all(cell.startswith(_IMPORT_ID) for cell in row if cell) and any(row):
            return number
    return 0
