"""Files of other programs: Excel by openpyxl; SPSS, Stata and SAS by pyreadstat."""

from __future__ import annotations

import pickle
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd

from geppetto._util.errors import GeppettoError
from geppetto.studies.csv_text import FREELY, TIMES

STATISTICS = (".sav", ".dta", ".sas7bdat")
_CELLS = 20_000_000
"""Cells that any file may have; beyond, so many as a file of its size."""


@dataclass(frozen=True)
class Labels:
    """What a file says of its columns.

    Attributes
    ----------
    texts
        The label of a column, by its name.
    values
        The words of its codes.
    missing
        Its codes that the file declares as missing, single ones and ranges.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[Any, str]] = field(default_factory=dict)
    missing: Mapping[str, Sequence[tuple[Any, Any]]] = field(default_factory=dict)


def read_statistics(path: Path) -> tuple[pd.DataFrame, Labels]:
    """The table of an SPSS, Stata or SAS file, and what it says of its columns.

    What the file declares as missing is kept as the code that it is. It is read in a process of its
    own, which some damaged files end.

    Raises
    ------
    GeppettoError
        If pyreadstat is not installed.
    ValueError
        If the file is damaged.
    """
    if find_spec("pyreadstat") is None:
        raise _lacking(path, "pyreadstat")
    most = str(max(_CELLS, TIMES * path.stat().st_size))
    child = subprocess.run(
        [sys.executable, "-I", "-c", _READ, path.suffix[1:], str(path.resolve()), most],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    if child.returncode < 0:
        raise ValueError(f"it ends the process that reads it (signal {-child.returncode})")
    if child.returncode:
        raise ValueError(child.stderr.decode(errors="replace").strip() or "it is damaged")
    frame, texts, values, ranges, single = pickle.loads(child.stdout)
    missing = {name: [(one["lo"], one["hi"]) for one in found] for name, found in ranges.items()}
    missing |= {name: [(value, value) for value in found] for name, found in single.items()}
    return frame, Labels({n: text.strip() for n, text in texts.items() if text}, values, missing)


_READ = """
import pickle, sys
import pyreadstat
kind, path, most = sys.argv[1:]
read = getattr(pyreadstat, "read_" + kind)
try:
    _, meta = read(path, metadataonly=True)
    if (meta.number_rows or 0) * (meta.number_columns or 0) > int(most):
        sys.exit(f"{meta.number_rows:,} rows are far more than a file of its size has")
    frame, meta = read(path, **({} if kind == "sas7bdat" else {"user_missing": True}))
except Exception as error:
    sys.exit(" ".join(str(error).split()) or type(error).__name__)
found = (
    frame, meta.column_names_to_labels, meta.variable_value_labels, meta.missing_ranges,
    meta.missing_user_values,
)
pickle.dump(found, sys.stdout.buffer)
"""


def sheet(path: Path) -> list[tuple[Any, ...]]:
    """The rows of the first sheet of an Excel file, as wide as its first row.

    Raises
    ------
    GeppettoError
        If openpyxl is not installed.
    ValueError
        If the file is damaged.
    """
    try:
        import openpyxl
    except ImportError:
        raise _lacking(path, "openpyxl") from None
    try:
        with zipfile.ZipFile(path) as archive:
            if sum(part.file_size for part in archive.infolist()) > max(
                FREELY, TIMES * path.stat().st_size
            ):
                raise ValueError("it holds far more than a file of its size")
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
        first = book.worksheets[0]
        first.reset_dimensions()  # what the file says of its size may be wrong
        rows = [_trimmed(row) for row in first.iter_rows(values_only=True)]
        book.close()
    except Exception as error:  # a damaged file ends in whatever the library stumbles over
        raise ValueError(str(error) or type(error).__name__) from error
    width = len(rows[0]) if rows else 0
    return [row and row + (None,) * (width - len(row)) for row in rows]


def _trimmed(row: tuple[Any, ...]) -> tuple[Any, ...]:
    """A row without the empty cells at its end."""
    last = max((n for n, cell in enumerate(row, start=1) if cell not in (None, "")), default=0)
    return row[:last]


def _lacking(path: Path, library: str) -> GeppettoError:
    return GeppettoError(
        f"{path}: {path.suffix} files are read by {library}, which is not installed; "
        f"`pip install 'geppetto[files]'`, or save the file as CSV"
    )
