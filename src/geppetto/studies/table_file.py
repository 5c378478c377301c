"""Data files as tables of text, every cell as it is coded: CSV, Excel, Parquet, SPSS, and so on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geppetto._util.errors import GeppettoError
from geppetto._util.files import is_file
from geppetto.studies.csv_text import TIMES, UNREADABLE, csv_rows, csv_text, header_rows
from geppetto.studies.foreign_file import STATISTICS, read_statistics, sheet
from geppetto.studies.problems import Problem

if TYPE_CHECKING:
    import pyarrow

SUFFIXES = (".csv", ".tsv", ".csv.gz", ".csv.xz", ".xlsx", ".parquet", *STATISTICS)
"""How the names of data files end."""

_CELLS = 20_000_000
"""Cells that any Parquet file may have; beyond, so many as a file of its size."""

_NOT_PARQUET = (ArithmeticError, LookupError, NotImplementedError, TypeError, MemoryError)
"""What goes wrong in a damaged one, beside errors of pyarrow."""


def read_table(
    path: Path,
    named: Collection[str] | None = None,
    skip_rows: int = 0,
    encoding: str | None = None,
) -> tuple[pd.DataFrame, list[Problem]]:
    """A data file with its cells as text, and what is wrong with its form.

    The index holds the row of the file, whose header is row 1. An empty cell is None; no other
    text is taken for a missing value, `NA` neither.

    Parameters
    ----------
    path
        A file that ends as one of `SUFFIXES`; a CSV file may be compressed.
    named
        Columns that are used: others may have any name. All are by default.
    skip_rows
        How many rows after the header of a CSV or Excel file are headers, too.
    encoding
        Of a CSV file; see `csv_text`.

    Raises
    ------
    GeppettoError
        For what is no such file, or needs a library that is not installed.
    """
    if not is_file(path):
        raise GeppettoError(f"data file {path} does not exist; `data` is read from its codebook")
    try:
        if path.suffix == ".parquet":
            return _read_parquet(path, named)
        if path.suffix in STATISTICS:
            return text_cells(read_statistics(path)[0]), []
        if (rows := rows_of(path, encoding)) is not None:
            return _of_rows(rows, named, skip_rows)
    except UNREADABLE as error:
        reason = " ".join(str(error).split())
        raise GeppettoError(
            f"data file {path} cannot be read: {reason}; fetch it or write it again"
        ) from error
    *first, last = SUFFIXES
    raise GeppettoError(f"data file {path} must end in {', '.join(first)} or {last}")


def rows_of(path: Path, encoding: str | None) -> Iterator[list[str]] | None:
    """The rows of a CSV or Excel file as text; None of any other file."""
    if path.suffix == ".xlsx":
        return iter([[code_text(cell) or "" for cell in row] for row in sheet(path)])
    packed = path.suffix in (".gz", ".xz")
    if (path.suffixes[-2:-1] if packed else path.suffixes[-1:]) in ([".csv"], [".tsv"]):
        return csv_rows(csv_text(path, encoding))
    return None


def text_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """A table of numbers, texts and categories with every cell as the text of its code.

    A whole number is written without decimals, even one that is kept as a float because its
    column has empty cells: 1.0 is "1".
    """
    cells = {name: [*map(code_text, frame[name].tolist())] for name in frame.columns}
    return pd.DataFrame(cells, index=range(2, len(frame) + 2), dtype=object)


def _of_rows(
    reader: Iterator[list[str]], named: Collection[str] | None, skip_rows: int
) -> tuple[pd.DataFrame, list[Problem]]:
    header = next(reader, None)
    if not header:
        raise ValueError("it has no header")
    kept, problems = _distinct(header, named)
    width, body = len(header), list(enumerate(reader, start=2))
    headers = skip_rows or header_rows([row for _, row in body[:3]])
    if headers and not skip_rows:
        message = f"the {headers} rows below it are headers of Qualtrics, so not read"
        problems.append(Problem("note", header[0], message, 1))
    numbers, rows = [], []
    for number, row in body[headers:]:
        if not row:
            continue
        if len(row) != width:
            message = f"the row has {len(row)} cells and the header {width}; is a comma unquoted?"
            problems.append(Problem("error", header[0], message, number, row[0]))
            row = (row + [""] * width)[:width]
        numbers.append(number)
        rows.append([cell or None for cell in row])
    frame = pd.DataFrame(rows, index=numbers, columns=range(width), dtype=object)[kept]
    return frame.set_axis([header[position] for position in kept], axis=1), problems


def _read_parquet(path: Path, named: Collection[str] | None) -> tuple[pd.DataFrame, list[Problem]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        of = pq.ParquetFile(path).metadata
        if of.num_rows * of.num_columns > max(_CELLS, TIMES * path.stat().st_size):
            raise ValueError(f"{of.num_rows:,} rows are far more than a file of its size has")
        table = pq.read_table(path)
        return _of_parquet(table, named)
    except (pa.ArrowException, *_NOT_PARQUET) as error:
        raise ValueError(str(error) or type(error).__name__) from error


def _of_parquet(
    table: pyarrow.Table, named: Collection[str] | None
) -> tuple[pd.DataFrame, list[Problem]]:
    import pyarrow as pa

    kept, problems = _distinct(table.column_names, named)
    cells = {}
    for position in kept:
        column = table.column(position)
        if pa.types.is_float32(column.type) or pa.types.is_float16(column.type):
            # the shortest text that is this number in its own precision: 0.1, not 0.100000001
            values = [None if v is None else float(str(v)) for v in column.to_numpy()]
        else:
            values = column.to_pylist()
        cells[table.column_names[position]] = [*map(code_text, values)]
    return pd.DataFrame(cells, index=range(2, table.num_rows + 2), dtype=object), problems


def _distinct(header: list[str], named: Collection[str] | None) -> tuple[list[int], list[Problem]]:
    """Positions of columns, each name once, and a problem for each repeated name.

    Of columns that are not used none is kept that has no name of its own.
    """
    count = Counter(header)
    problems, kept = [], []
    for position, name in enumerate(header):
        used = named is None or name in named
        if used and name not in header[:position]:
            kept.append(position)
        elif used:
            message = "two columns have this name; rename one of them"
            problems.append(Problem("error", name, message, 1))
        elif name.strip() and count[name] == 1:
            kept.append(position)
    shared = [name for name in count if named is not None and name not in named]
    for name in shared:
        if count[name] > 1 or not name.strip():
            what = "have this name" if name.strip() else "have no name"
            message = f"{count[name]:,} columns {what}; the codebook names none of them, so they "
            problems.append(Problem("note", name, f"{message}are not used", 1))
    return kept, problems


def code_text(value: Any) -> str | None:
    """A value as the text of its code; None if there is none."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if isinstance(value, float | Decimal) and value == value // 1:
        return str(int(value))
    return str(value) or None
