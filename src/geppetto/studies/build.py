"""From a table of text cells to a study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from geppetto._util.errors import GeppettoError
from geppetto.studies.check import check_cells
from geppetto.studies.codebook import Codebook
from geppetto.studies.problems import Problem, errors, grouped
from geppetto.studies.study import Participant, Study
from geppetto.studies.table import Tidy, as_coded, exclude, number, numbers, tidy, with_categories
from geppetto.studies.trait import Trait


@dataclass(frozen=True)
class Checked:
    """A study as its data have it, and all that is wrong with them; with an error it is not whole.

    There is none where columns are missing without which there is nobody to speak of.
    """

    codebook: Codebook
    study: Study | None
    problems: tuple[Problem, ...]


def study_from_table(codebook: Codebook, table: pd.DataFrame) -> Study:
    """A study from a table of text cells, as from `read_table`; other cells are missing.

    Participants that an exclusion of the codebook names are left out and counted.

    Raises
    ------
    GeppettoError
        If a column is missing, an id occurs twice, or a cell means nothing.
    """
    codebook = with_categories(codebook, table)
    table = as_coded(codebook, table)
    refuse(check_cells(codebook, table), f"study {codebook.name}")
    return unchecked(codebook, table)


def unchecked(codebook: Codebook, table: pd.DataFrame) -> Study:
    """The study that a table makes, whatever is wrong with its cells."""
    whole = tidy(codebook, table)
    people, excluded = exclude(whole)
    return Study(codebook, participants_of(people), excluded, whole.missing)


def refuse(problems: Sequence[Problem], what: str, advice: str = "") -> None:
    """Raise a GeppettoError for errors among problems: how many there are, the first in full."""
    found = errors(problems)
    if found:
        kinds = grouped(found)
        shown = "; ".join(map(str, kinds[:3])) + ("; …" if len(kinds) > 3 else "")
        count = "1 error" if len(found) == 1 else f"{len(found):,} errors"
        raise GeppettoError(f"{what}: {count} in the data: {shown}{advice}")


def participants_of(people: Tidy) -> dict[str, Participant]:
    """Participants by id; they have no session yet where the study is one of sessions."""
    codebook = people.codebook
    ids = people.rows.index.tolist()
    traits = {trait.name: _values(trait, people.facts[trait.name]) for trait in codebook.traits}
    clusters = people.facts[codebook.cluster_column].tolist() if codebook.cluster_column else []
    weights = people.facts[codebook.weight_column].tolist() if codebook.weight_column else []
    each = zip(
        ids,
        _known_of_each(traits, len(ids)),
        _known_of_each(_columns(people.responses), len(ids)),
        _known_of_each(_columns(people.retest), len(ids)),
        [cell if isinstance(cell, str) else None for cell in clusters] or [None] * len(ids),
        map(number, weights) if weights else [1.0] * len(ids),
        strict=True,
    )
    return {person[0]: Participant(*person) for person in each}


def _columns(cells: pd.DataFrame) -> dict[str, list[Any]]:
    return {str(name): cells[name].tolist() for name in cells}


def _values(trait: Trait, cells: pd.Series) -> list[Any]:
    if trait.is_number:
        return numbers(cells).tolist()
    if trait.values is None:
        return [cell if isinstance(cell, str) else None for cell in cells.tolist()]
    return [trait.values.get(cell) for cell in cells.tolist()]


def _known_of_each(columns: Mapping[str, list[Any]], people: int) -> list[dict[str, Any]]:
    """Columns as a mapping for each person, without what is not known."""
    each: list[dict[str, Any]] = [{} for _ in range(people)]
    for name, cells in columns.items():
        for known, cell in zip(each, cells, strict=True):
            if cell is not None and cell == cell:
                known[name] = cell
    return each
