"""A data file as columns, each with its cells as text and with all that the file says of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from html import unescape
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd

from geppetto._util.errors import GeppettoError
from geppetto.studies.csv_text import UNREADABLE, csv_bytes, csv_text, header_rows, separator
from geppetto.studies.foreign_file import STATISTICS, Labels, read_statistics
from geppetto.studies.table import number, whole
from geppetto.studies.table_file import code_text, read_table, rows_of, text_cells

_NAMES = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "bars"}
_NOTHING = frozenset(("NA", "N/A", "#N/A", "#NULL!", "NaN", "nan", "NULL", "."))
"""Texts by which programs write that a cell is empty."""

_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
"""What survey tools put into questions that are shown on the web."""

_THOUSANDS = re.compile(r"[1-9][0-9]{0,2},[0-9]{3}")
_COMMA = re.compile(r"[+-]?[0-9]+,[0-9]+")


@dataclass(frozen=True)
class Column:
    """One column of a data file.

    Attributes
    ----------
    cells
        As text; None where there is none, or where a program wrote that there is none.
    text
        The question as people read it, or what else the file says of the column.
    labels
        Words of codes, in the order of the file.
    missing
        Codes that stand for "no answer", as the file declares or as their values suggest.
    guessed
        Whether only their values suggest it.
    """

    name: str
    cells: pd.Series
    text: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()
    guessed: bool = False

    @cached_property
    def counts(self) -> dict[str, int]:
        """How often each cell is there that is not missing, the most frequent first."""
        found = self.cells[~self.cells.isin(self.missing)].value_counts()
        return {str(cell): int(count) for cell, count in found.items()}

    @cached_property
    def numbers(self) -> list[float]:
        """Its different cells as numbers, in order; none unless all of them are some."""
        found = sorted(number(cell.replace(",", ".", 1)) for cell in self.counts)
        return [] if any(value != value for value in found) else found

    @property
    def answered(self) -> int:
        return sum(self.counts.values())

    @cached_property
    def meanings(self) -> dict[str, str]:
        """Words of the codes that are not missing."""
        return {code: words for code, words in self.labels.items() if code not in self.missing}

    @property
    def words(self) -> str:
        """What is said of the column, or else its name, for a reader."""
        if self.text or len(self.name.split()) > 1:
            return self.text or re.sub(r"^[0-9]+[.):]\s*", "", self.name.strip())
        return re.sub(r"[_.]+", " ", self.name).strip()


@dataclass(frozen=True)
class Source:
    """A data file: its columns, how it is to be read, and what was recognised.

    Attributes
    ----------
    keys
        What the codebook has to say so that the file is read like this.
    said
        What was recognised, in a few words each.
    questions
        What of it was guessed.
    """

    name: str
    columns: tuple[Column, ...]
    rows: int
    keys: Mapping[str, Any]
    said: tuple[str, ...]
    questions: tuple[str, ...] = ()


def read_columns(path: Path) -> Source:
    """The columns of a data file; a GeppettoError if it cannot be read.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder) / "own.csv"
    ...     _ = path.write_bytes("Größe;q1\\n1,75;nie\\n1,8;oft\\n".encode("cp1252"))
    ...     read_columns(path).said
    ("Windows' text (cp1252)", 'semicolons between cells', 'decimal commas')
    """
    if path.suffix in STATISTICS and path.is_file():
        try:
            frame, labels = read_statistics(path)
        except ValueError as error:
            raise GeppettoError(f"data file {path} cannot be read: {error}") from error
        program = {".sav": "SPSS", ".dta": "Stata", ".sas7bdat": "SAS"}[path.suffix]
        return _source(path, text_cells(frame), {}, [f"a file of {program}"], labels)
    keys: dict[str, Any] = {}
    said: list[str] = []
    questions: list[str] = []
    try:
        encoding = _encoding(path, said, questions) if _is_csv(path) else None
        top = [*islice(rows_of(path, encoding) or (), 12)] if path.is_file() else []
    except UNREADABLE as error:
        raise GeppettoError(f"data file {path} cannot be read: {error}") from error
    keys |= {"encoding": encoding} if encoding else {}
    headers = header_rows(top[1:4])
    texts = dict(zip(top[0], top[1], strict=False)) if headers else {}
    if not headers and _is_header(top):
        headers, texts = 1, dict(zip(top[0], top[1], strict=False))
        keys["skip_rows"] = 1
        questions.append("the second row reads like a header too, so nobody is in it; is that so?")
    if _is_csv(path):
        said.append(f"{_NAMES[separator(csv_text(path, encoding))]} between cells")
    frame, _ = read_table(path, (), keys.get("skip_rows", 0), encoding)
    return _source(path, frame, keys, said, Labels(texts), questions)


def _is_csv(path: Path) -> bool:
    return bool({".csv", ".tsv"} & set(path.suffixes[-2:])) and path.is_file()


def _encoding(path: Path, said: list[str], questions: list[str]) -> str | None:
    """The encoding that the codebook has to name, if any."""
    data = csv_bytes(path)
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        said.append("UTF-16 text")
        return None
    if data[1:400:2].count(0) > len(data[1:400:2]) / 2:
        said.append("UTF-16 text")
        return "utf-16-le"
    try:
        data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        said.append("Windows' text (cp1252)")
        shown = data[max(0, error.start - 12) : error.start + 12].decode("cp1252", "replace")
        word = next((w for w in re.findall(r"\w+", shown) if not w.isascii()), shown.strip())
        questions.append(f'line {line} was read as "{word}"; is it spelled so? If not, correct it')
        return "cp1252"
    said.append("UTF-8 text" + " as Excel saves it" * data.startswith(b"\xef\xbb\xbf"))
    return None


def _is_header(top: Sequence[Sequence[str]]) -> bool:
    """Whether the second row has words in columns of numbers: what was asked, below the names."""
    if len(top) < 4:
        return False
    of_numbers = [
        cells
        for cells in zip(*(row for row in top[1:] if len(row) == len(top[0])), strict=True)
        if any(cells[1:]) and all(number(cell) == number(cell) for cell in cells[1:] if cell)
    ]
    wordy = [cells for cells in of_numbers if cells[0] and number(cells[0]) != number(cells[0])]
    return len(of_numbers) > 1 and len(wordy) == len(of_numbers)


def _source(
    path: Path,
    frame: pd.DataFrame,
    keys: dict[str, Any],
    said: list[str],
    labels: Labels,
    questions: Sequence[str] = (),
) -> Source:
    blank = sorted({str(cell) for name in frame for cell in frame[name].unique()} & _NOTHING)
    if blank:
        keys["missing"] = blank
        said.append(f"{', '.join(blank)} for an empty cell")
    columns = []
    for name in map(str, frame.columns):
        cells = whole(frame[name].mask(frame[name].isin(blank), None))
        words = {
            text: str(word).strip()
            for code, word in labels.values.get(name, {}).items()
            if (text := code_text(code)) is not None
        }
        seen = {*words, *map(str, cells.dropna().unique())}
        missing = [code for code in seen if _within(code, labels.missing.get(name, ()))]
        missing.sort(key=lambda code: (number(code), code))
        text = _TAG.sub(" ", unescape(str(labels.texts.get(name, ""))))
        text = " ".join(text.split())
        columns.append(Column(name, cells, text, words, tuple(missing)))
    commas = [
        cell for one in columns if one.numbers for cell in one.counts if _COMMA.fullmatch(cell)
    ]
    asked = [*questions]
    if any(not _THOUSANDS.fullmatch(cell) for cell in commas):
        keys["decimal"] = ","
        said.append("decimal commas")
    elif commas:
        asked.append(
            f'does the comma in "{commas[0]}" part thousands? Then take it out of the data; if it '
            'is a decimal point, write `decimal: ","`'
        )
    return Source(path.name, tuple(columns), len(frame), keys, tuple(said), tuple(asked))


def _within(code: str, ranges: Sequence[tuple[Any, Any]]) -> bool:
    """Whether a code is one of those that a file declares as missing."""
    value = number(code)
    for low, high in ranges:
        if isinstance(low, str) or isinstance(high, str):
            if code == str(low).strip():
                return True
        elif low <= value <= high:
            return True
    return False
