"""Studies from a user's own codebook file and its data, or from a file of sessions."""

from __future__ import annotations

from pathlib import Path

from geppetto._util.errors import GeppettoError
from geppetto._util.yaml_file import read_yaml
from geppetto.studies.build import Checked, refuse, unchecked
from geppetto.studies.bundled import bundled_studies, bundled_study, bundled_table
from geppetto.studies.check import check, readable
from geppetto.studies.codebook import Codebook
from geppetto.studies.sessions.file import is_sessions, read_sessions
from geppetto.studies.sessions.study import check_sessions
from geppetto.studies.study import Study
from geppetto.studies.table import as_coded, named_columns, with_categories
from geppetto.studies.table_file import read_table

SUFFIXES = (".yaml", ".yml", ".json")
ROW_NUMBER = "row number"
"""The `participant_column` of a file without ids: people are told apart by their rows."""


def read_study(name: str, folder: Path = Path()) -> Study:
    """The study of a codebook file, or of sessions; see `load_study`."""
    checked = check_study(name, folder)
    advice = f"; see everything: geppetto studies check {name}"
    refuse(checked.problems, name, advice)
    assert checked.study is not None  # where there is none, there is an error
    return checked.study


def is_file(name: str) -> bool:
    """Whether a study is given as a codebook file, and not by the name of a bundled one."""
    return name.endswith(SUFFIXES)


def check_study(name: str, folder: Path = Path()) -> Checked:
    """A study's data as they are in its file, and all that is wrong with them.

    Bundled studies can be named too. Parameters and errors are those of `load_study`, except that
    wrong data are no error.
    """
    if is_file(name):
        codebook, data = _read(folder / name)
        if codebook.layout == "sessions":
            return check_sessions(read_sessions(str(data), folder / Path(name).parent), codebook)
        path, named = (folder / name).parent / data, named_columns(codebook)
        read, problems = read_table(path, named, codebook.skip_rows, codebook.encoding)
        if codebook.participant_column == ROW_NUMBER and ROW_NUMBER not in read:
            read = read.assign(**{ROW_NUMBER: [*map(str, read.index)]})
        codebook = with_categories(codebook, read)
        table = as_coded(codebook, read)
    elif name not in bundled_studies() and is_sessions(name, folder):
        return check_sessions(read_sessions(name, folder))
    else:
        codebook, table, problems = bundled_study(name).codebook, bundled_table(name), []
    study = unchecked(codebook, table) if readable(codebook, table) else None
    return Checked(codebook, study, (*problems, *check(codebook, table)))


def _read(path: Path) -> tuple[Codebook, Path]:
    """A codebook and its data, as it names them."""
    codebook = read_yaml(path, Codebook, what="codebook file", name=path.stem)
    if codebook.data is None:
        kind = "file of sessions" if codebook.layout == "sessions" else "CSV or Parquet file"
        raise GeppettoError(f"{path}: `data` is missing: the {kind} with the people")
    return codebook, codebook.data
