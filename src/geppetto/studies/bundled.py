"""Studies that ship with geppetto, each a codebook, a data card, its table and participants."""

from __future__ import annotations

import json
import lzma
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING

from geppetto._util.errors import unknown
from geppetto.studies.codebook import Codebook
from geppetto.studies.study import Participant, Study

if TYPE_CHECKING:
    import pandas as pd

DATA = Path(str(files("geppetto.studies") / "data"))


def bundled_studies() -> dict[str, Codebook]:
    """Codebook of every bundled study by name.

    Examples
    --------
    >>> sorted(bundled_studies())
    ['anes96', 'bfi', 'gss_spending']
    """
    return {
        path.stem: Codebook.model_validate_json(path.read_text("utf-8"))
        for path in sorted(DATA.glob("*.json"))
    }


def data_card(name: str) -> str:
    """The data card of a bundled study, in Markdown.

    Examples
    --------
    >>> data_card("bfi").splitlines()[0]
    '# bfi: 25 personality items of the Big Five'
    """
    return (DATA / f"{name}.md").read_text("utf-8")


@cache
def bundled_study(name: str) -> Study:
    """A bundled study with its participants.

    They ship as they were read from the study's table, so that nobody waits for a table to be read
    and checked again; `tools/rebuild_studies.py` makes them.
    """
    codebooks = bundled_studies()
    if name not in codebooks:
        raise unknown("study", name, codebooks)
    with lzma.open(people_file(name), "rt", encoding="utf-8") as stream:
        read = json.load(stream)
    people = {each["id"]: Participant(**each) for each in read["people"]}
    return Study(codebooks[name], people, read["excluded"], read["missing"])


def bundled_table(name: str) -> pd.DataFrame:
    """The table that a bundled study was read from, from its file or the package that has it."""
    from geppetto.studies.table_file import read_table, text_cells

    if name != "anes96":
        return read_table(DATA / f"{name}.csv.xz")[0]
    from statsmodels.datasets import anes96

    table = anes96.load_pandas().data
    return text_cells(table.assign(participant=range(1, len(table) + 1)))  # it has no ids


def people_file(name: str) -> Path:
    """Where the participants of a bundled study are."""
    return DATA / f"{name}.people.json.xz"
