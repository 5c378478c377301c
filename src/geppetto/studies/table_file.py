"""Data files as tables of text: CSV or Parquet, every cell as it is coded."""

from __future__ import annotations

import csv
import gzip
import lzma
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

import pandas as pd

from geppetto._util.errors import GeppettoError
from geppetto.studies.problems import Problem

_OPEN: dict[str, Any] = {".gz": gzip.open, ".xz": lzma.open}


def read_table(path: Path) -> tuple[pd.DataFrame, list[Problem]]:
    """A data file with its cells as text, and what is wrong with its form.

    The index holds the row of the file, whose header is row 1. An empty cell is None; no other
    text is taken for a missing value, `NA` neither. A GeppettoError is raised for what is no CSV or
    Parquet file.
    """
    if not path.is_file():
        raise GeppettoError(f"data file {path} does not exist; `data` is read from its codebook")
    try:
        if path.suffix == ".parquet":
            return _read_parquet(path)
        if path.suffix == ".csv" or path.suffixes[-2:-1] == [".csv"]:
            with _OPEN.get(path.suffix, open)(
                path, "rt", encoding="utf-8-sig", newline=""
            ) as stream:
                return _read_csv(stream)
    except (OSError, EOFError, ValueError, csv.Error, lzma.LZMAError) as error:
        reason = " ".join(str(error).split())
        raise GeppettoError(f"data file {path} cannot be read: {reason}") from error
    raise GeppettoError(f"data file {path} must end in .csv, .csv.gz, .csv.xz or .parquet")


def text_cells(frame: pd.DataFrame) -> pd.DataFrame:
    """A table of numbers, texts and categories with every cell as the text of its code.

    A whole number is written without decimals, even one that is kept as a float because its
    column has empty cells: 1.0 is "1".
    """
    cells = {name: [*map(code_text, frame[name].tolist())] for name in frame.columns}
    return pd.DataFrame(cells, index=range(2, len(frame) + 2), dtype=object)


def _read_csv(stream: IO[str]) -> tuple[pd.DataFrame, list[Problem]]:
    reader = csv.reader(stream, strict=True)
    header = next(reader, None)
    if not header:
        raise ValueError("it has no header")
    kept, problems = _distinct(header)
    width = len(header)
    numbers, rows = [], []
    for number, row in enumerate(reader, start=2):
        if not row:
            continue
        if len(row) != width:
            message = f"the row has {len(row)} cells and the header {width}; is a comma unquoted?"
            problems.append(Problem("error", header[0], message, number, row[0]))
            row = (row + [""] * width)[:width]
        numbers.append(number)
        rows.append([cell or None for cell in row])
    if width == 1 and (";" in header[0] or "\t" in header[0]):
        message = "the whole row is one cell; separate cells by commas"
        problems.append(Problem("error", header[0], message, 1))
    frame = pd.DataFrame(rows, index=numbers, columns=range(width), dtype=object)[kept]
    return frame.set_axis([header[position] for position in kept], axis=1), problems


def _read_parquet(path: Path) -> tuple[pd.DataFrame, list[Problem]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    table = pq.read_table(path)
    kept, problems = _distinct(table.column_names)
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


def _distinct(header: list[str]) -> tuple[list[int], list[Problem]]:
    """Positions of columns, each name once, and a problem for each repeated name."""
    first = {name: position for position, name in reversed(list(enumerate(header)))}
    repeated = [name for position, name in enumerate(header) if first[name] != position]
    message = "two columns have this name; rename one of them"
    return sorted(first.values()), [Problem("error", name, message, 1) for name in repeated]


def code_text(value: Any) -> str | None:
    """A value as the text of its code; None if there is none."""
    if value is None or value is pd.NA or value is pd.NaT or value != value:
        return None
    if isinstance(value, float | Decimal) and value == value // 1:
        return str(int(value))
    return str(value) or None
