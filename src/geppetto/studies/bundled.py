"""Studies that ship with geppetto, each a codebook, a data card and its participants."""

from __future__ import annotations

import json
import lzma
from functools import cache
from importlib.resources import files
from pathlib import Path

from geppetto._util.errors import unknown
from geppetto.studies.codebook import Codebook
from geppetto.studies.study import Participant, Study

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

    They ship as they were read from the study's table, so that nobody waits for a table to be read
    and checked again; `tools/rebuild_studies.py` makes them.

    Raises
    ------
    GeppettoError
        If there is no study of that name.
    """
    codebooks = bundled_studies()
    if name not in codebooks:
        raise unknown("study", name, codebooks)
    with lzma.open(people_file(name), "rt", encoding="utf-8") as stream:
        read = json.load(stream)
    people = {each["id"]: Participant(**each) for each in read["people"]}
    return Study(codebooks[name], people, read["excluded"], read["missing"])


def people_file(name: str) -> Path:
    """Where the participants of a bundled study are."""
    return DATA / f"{name}.people.json.xz"
