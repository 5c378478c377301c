"""The tables that bundled studies were read from."""

from __future__ import annotations

import pandas as pd

from geppetto.studies.bundled import DATA
from geppetto.studies.table_file import read_table, text_cells


def bundled_table(name: str) -> pd.DataFrame:
    """The table of a bundled study, from its file or from the package that has it."""
    if name == "anes96":
        return _anes96()
    return read_table(DATA / f"{name}.csv.xz")[0]


def _anes96() -> pd.DataFrame:
    """The table that statsmodels ships; it has no ids, so people are numbered from 1."""
    from statsmodels.datasets import anes96

    table = anes96.load_pandas().data
    return text_cells(table.assign(participant=range(1, len(table) + 1)))
