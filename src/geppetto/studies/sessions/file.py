"""Files of sessions as Psych-201 publishes them: JSONL, archives, folders and data sets."""

from __future__ import annotations

import json
import lzma
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from geppetto._util.characters import halves, mended
from geppetto._util.errors import GeppettoError, unknown
from geppetto._util.files import is_file, is_folder
from geppetto.studies.csv_text import FREELY, TIMES
from geppetto.studies.problems import Problem
from geppetto.studies.sessions.published import task_of
from geppetto.studies.table_file import code_text

HUB = "hub:"
TASK = "::"
_PUBLISHED_AS = "prompts"
_FIELDS = ("text", "experiment", "participant")
_NEEDED = "every line needs `text`, `experiment` and `participant`"


_ENCRYPTED = 1
_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    LookupError,
    ValueError,
)
"""What goes wrong in an archive that is none, or a damaged one."""


@dataclass(frozen=True)
class Line:
    """A session as it is published, with its number in the file or data set, from 1.

    Ids are text, whatever they were. `fields` are what else is said of the participant or of their
    responses.
    """

    number: int
    text: str
    experiment: str
    participant: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class SessionFile:
    """The sessions of one task, and what is wrong with lines that are none.

    The task's name is what was asked for, what the sessions say themselves, or that of the archive,
    file or folder.
    """

    task: str
    lines: tuple[Line, ...]
    problems: tuple[Problem, ...]


def is_sessions(name: str, folder: Path) -> bool:
    """Whether a study is given as a file, folder or data set of sessions."""
    path = Path(name.split(TASK)[0])
    if name.startswith(HUB) or TASK in name or path.suffix in (".jsonl", ".zip"):
        return True
    return is_folder(folder / path)


def read_sessions(name: str, folder: Path = Path()) -> SessionFile:
    """The sessions of one task.

    Its name is a JSONL file, an archive with one, a folder of one of them, or a data set that
    `datasets` saved, from `folder`; or a data set of the hub, as `hub:marcelbinz/Psych-201`. If it
    has several tasks, one is named after `::`.

    Raises
    ------
    GeppettoError
        If there is no such file, it is no JSONL file or archive with one, it has no such task, or
        it has several and none is named.
    """
    if [*halves(name)]:
        raise GeppettoError(f"{mended(name)}: the name is not UTF-8; rename it")
    place, _, wanted = name.partition(TASK)
    file, whole, records = _source(place, folder)
    lines: list[Line] = []
    problems: list[Problem] = []
    counted: Counter[str] = Counter()
    with closing(records):
        for number, record in records:
            line = _line(number, record)
            if isinstance(line, Problem):
                problems.append(line)
                continue
            named = bool(wanted) or "study" in line.fields or not whole
            task = task_of(line.fields, line.experiment) if named else file
            counted[task] += 1
            if not wanted and len(counted) > 1:
                lines.clear()
            elif not wanted or task == wanted:
                lines.append(line)
    if wanted and wanted not in counted and counted:
        raise unknown("task", wanted, counted, place)
    if not wanted and len(counted) > 1:
        tasks = ", ".join(f"{task} ({count:,})" for task, count in sorted(counted.items()))
        raise GeppettoError(
            f"{place} has {len(counted):,} tasks, and a study is one of them; say which, as "
            f"{place}{TASK}{min(counted)}: {tasks}"
        )
    if not lines and not problems:
        raise GeppettoError(f"{place} has no sessions; write a line of JSON for each participant")
    if not wanted and lines and "study" in lines[0].fields:
        file = task_of(lines[0].fields, lines[0].experiment)
    return SessionFile(wanted or file, tuple(lines), tuple(problems))


_Records = Iterator[tuple[int, Any]]


def _source(place: str, folder: Path) -> tuple[str, bool, Any]:
    """A name from the path, whether all in it is of that task, and its numbered records.

    What is published in an archive is one task, however its experiments are called.
    """
    if place.startswith(HUB):
        name = place.removeprefix(HUB)
        return name.split("/")[-1], False, _from_datasets(name, saved=False)
    path = folder / place
    if is_folder(path):
        if any((path / mark).exists() for mark in ("dataset_dict.json", "state.json")):
            return path.name, False, _from_datasets(str(path), saved=True)
        path = _only_file(path, place)
    if not is_file(path):
        raise GeppettoError(f"{place} does not exist; sessions are a .jsonl or .zip file")
    name = path.name.split(".")[0]
    task = path.resolve().parent.name if name == _PUBLISHED_AS else path.name
    task = task.removesuffix(".zip").removesuffix(".jsonl")
    if path.suffix == ".zip":
        return task, True, _from_archive(path)
    if path.suffix == ".jsonl":
        return task, name == _PUBLISHED_AS and path.parent != folder, _from_lines(path)
    raise GeppettoError(f"{place} must end in .jsonl or .zip")


def _only_file(path: Path, place: str) -> Path:
    found = sorted(
        file
        for pattern in ("*.jsonl", "*.zip", "*/*.jsonl", "*/*.zip")
        for file in path.glob(pattern)
        if file.is_file() and not _is_decoy(file.relative_to(path).as_posix())
    )
    if len(found) == 1:
        return found[0]
    if not found:
        raise GeppettoError(f"folder {place} has no .jsonl or .zip file and is no saved data set")
    names = ", ".join(f"{place.rstrip('/')}/{file.relative_to(path)}" for file in found)
    raise GeppettoError(f"folder {place} has {len(found)} files, and a study is one: {names}")


def _is_decoy(name: str) -> bool:
    """Whether a file is not what its name says: macOS and editors leave such behind."""
    parts = name.split("/")
    return "__MACOSX" in parts or any(part.startswith(".") for part in parts)


def _from_lines(path: Path) -> _Records:
    with path.open("rb") as stream:
        yield from _records(stream)


def _from_archive(path: Path) -> _Records:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [n for n in archive.namelist() if n.endswith(".jsonl") and not _is_decoy(n)]
            if len(names) != 1:
                held = ", ".join(names) or "none"
                raise GeppettoError(f"{path} must hold one .jsonl file; it holds {held}")
            _refuse(archive.getinfo(names[0]), path)
            with archive.open(names[0]) as stream:
                yield from _records(stream)
    except _BROKEN as error:
        raise GeppettoError(
            f"archive {path} is broken ({error}); fetch it again, or give the .jsonl file"
        ) from error


def _refuse(packed: zipfile.ZipInfo, path: Path) -> None:
    """Refuse what cannot be unpacked, or would be far larger than an archive of its size."""
    if packed.flag_bits & _ENCRYPTED:
        raise GeppettoError(f"archive {path} is encrypted; unpack it, and give the .jsonl file")
    if packed.file_size > max(FREELY, TIMES * packed.compress_size):
        raise GeppettoError(
            f"archive {path} holds {packed.file_size / 2**20:,.0f} MiB, far more than an archive "
            "of its size; unpack it, if that is meant"
        )


def _records(lines: Iterable[bytes]) -> _Records:
    """Each line that is not empty with its number: what it says, or why it says nothing."""
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                yield number, json.loads(line.decode("utf-8-sig" if number == 1 else "utf-8"))
            except (ValueError, RecursionError) as error:
                yield number, error


def _from_datasets(name: str, saved: bool) -> _Records:
    try:
        import datasets
    except ImportError as error:
        raise GeppettoError(
            f"{name} is a data set of the package `datasets`; pip install 'geppetto[hub]'"
        ) from error
    try:
        found = datasets.load_from_disk(name) if saved else datasets.load_dataset(name)
    except Exception as error:  # the package has no error of its own for all that can go wrong
        reason = " ".join(str(error).split())
        raise GeppettoError(f"data set {name} cannot be read: {reason}") from error
    splits = found.values() if isinstance(found, datasets.DatasetDict) else [found]
    rows = (row for split in splits for row in split)
    yield from enumerate(rows, start=1)


def _line(number: int, record: Any) -> Line | Problem:
    """A record as a line, or what is wrong with it."""
    if isinstance(record, UnicodeDecodeError):
        return Problem("error", "line", "not UTF-8; save the file as UTF-8", number)
    if isinstance(record, Exception):
        message = "not a line of JSON; write one session on one line, without a comma after it"
        return Problem("error", "line", message, number, str(record))
    if not isinstance(record, dict):
        return Problem("error", "line", f"not a JSON object; {_NEEDED}", number)
    for name, value in record.items():
        if broken := [*halves(name), *halves(value)]:
            message = (
                "half of a character, as is left where an emoji is cut in two; write the whole one"
            )
            return Problem("error", mended(name), message, number, broken[0])
    text, experiment, participant = (record.get(name) for name in _FIELDS)
    for name, value in zip(_FIELDS, (text, experiment, participant), strict=True):
        if isinstance(value, list | dict | bool) or code_text(value) is None:
            return Problem("error", name, f"the field is missing or empty; {_NEEDED}", number)
    if not isinstance(text, str):
        return Problem("error", "text", f"not a text; {_NEEDED}", number, str(text))
    fields = {name: value for name, value in record.items() if name not in _FIELDS}
    experiment, participant = str(code_text(experiment)), str(code_text(participant))
    return Line(number, text, experiment, participant, fields)
