"""Studies that ship with geppetto, each a codebook, a data card and a table."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from geppetto.errors import unknown
from geppetto.studies.build import study_from_table
from geppetto.studies.codebook import Codebook
from geppetto.studies.study import Study
from geppetto.studies.table_file import read_table, text_cells

DATA = Path(str(files("geppetto.studies") / "data"))


def bundled_studies() -> dict[str, Codebook]:
    """Codebook of every bundled study by name."""
    return {
        path.stem: Codebook.model_validate_json(path.read_text("utf-8"))
        for path in sorted(DATA.glob("*.json"))
    }


def data_card(name: str) -> str:
    """The study's data card, in Markdown."""
    return (DATA / f"{name}.md").read_text("utf-8")


@cache
def bundled_study(name: str) -> Study:
    """A bundled study with its participants.

    Raises
    ------
    GeppettoError
        If there is no study of that name.
    """
    codebooks = bundled_studies()
    if name not in codebooks:
        raise unknown("study", name, codebooks)
    return study_from_table(codebooks[name], bundled_table(name))


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
