"""Studies that ship with geppetto, each a table, a codebook and a data card."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path

import pandas as pd

from geppetto.errors import unknown
from geppetto.studies.study import Codebook, Participant, Study, TraitValue

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
def load_study(name: str) -> Study:
    """A bundled study with its participants.

    Raises
    ------
    GeppettoError
        If there is no study of that name.
    """
    codebooks = bundled_studies()
    if name not in codebooks:
        raise unknown("study", name, codebooks)
    return study_from_table(codebooks[name], pd.read_csv(DATA / f"{name}.csv.xz", dtype=str))


def study_from_table(codebook: Codebook, table: pd.DataFrame) -> Study:
    """A study from a wide table of text cells: a row a participant, a column a trait or item.

    Empty cells are missing. Participants that an exclusion of the codebook names are left out
    and counted.

    Raises
    ------
    ValueError
        If a column is missing, an id occurs twice, or a cell holds a code that the codebook
        does not know.
    """
    ids = table[codebook.participant_column]
    if not ids.is_unique:
        raise ValueError(f"study {codebook.name}: participant ids are not unique")
    people: dict[str, Participant] = {}
    excluded = {exclusion.reason: 0 for exclusion in codebook.exclusions}
    for row in table.to_dict("records"):
        known = {str(column): cell for column, cell in row.items() if isinstance(cell, str)}
        person = Participant(
            id=known[codebook.participant_column],
            traits=_traits(codebook, known),
            responses=_responses(codebook, known),
        )
        reasons = [
            exclusion.reason
            for exclusion in codebook.exclusions
            if float(person.traits.get(exclusion.trait, exclusion.below)) < exclusion.below
        ]
        for reason in reasons:
            excluded[reason] += 1
        if not reasons:
            people[person.id] = person
    return Study(codebook, people, excluded)


def _traits(codebook: Codebook, cells: dict[str, str]) -> dict[str, TraitValue]:
    traits: dict[str, TraitValue] = {}
    for trait in codebook.traits:
        if trait.name not in cells:
            continue
        code = cells[trait.name]
        if trait.values is None:
            traits[trait.name] = float(code)
        elif code in trait.values:
            traits[trait.name] = trait.values[code]
        else:
            raise ValueError(f"study {codebook.name}: {trait.name} has an unknown code {code!r}")
    return traits


def _responses(codebook: Codebook, cells: dict[str, str]) -> dict[str, str]:
    responses = {item.name: cells[item.name] for item in codebook.items if item.name in cells}
    for item in codebook.items:
        code = responses.get(item.name)
        if code is not None and code not in codebook.scales[item.scale].options:
            raise ValueError(f"study {codebook.name}: {item.name} has an unknown code {code!r}")
    return responses
