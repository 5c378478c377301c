"""The staircase: which package may import which, read from the code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from workspaces import ROOT

SOURCE = ROOT / "src" / "geppetto"
STAIRCASE = (
    "_util",
    "studies",
    "personas",
    "prompts",
    "models",
    "elicitation",
    "planning",
    "answers",
    "evaluation",
    "reports",
    "tracking",
    "experiment",
    "search",
    "api",
    "cli",
)
"""Packages from the data to the command line; each may import those before it, and itself."""

ACCESSORS = {
    ("evaluation/results.py", "geppetto.reports.plots"),
    ("evaluation/pooling.py", "geppetto.reports.pairs"),
}
"""What may climb: `.plot` of results, as pandas has it, which imports figures when it is used."""


def imports(path: Path) -> Iterator[str]:
    """Every module of geppetto that a file imports, lazily or not."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            of_root = node.module == "geppetto"
            names = [f"geppetto.{one.name}" for one in node.names] if of_root else [node.module]
        elif isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        else:
            continue
        yield from (name for name in names if name and name.split(".")[0] == "geppetto")


def climbing(source: Path) -> list[str]:
    """What files import that stands after them on the staircase."""
    found = []
    for path in sorted(source.rglob("*.py")):
        inside = path.relative_to(source)
        room = inside.with_suffix("").parts[0]
        if room in ("__init__", "__main__"):
            continue
        for name in imports(path):
            other = name.split(".")[1]
            above = STAIRCASE.index(other) > STAIRCASE.index(room)
            if above and (inside.as_posix(), name) not in ACCESSORS:
                found.append(f"{inside} imports {name}")
    return found


def test_no_import_climbs_the_staircase() -> None:
    assert climbing(SOURCE) == []


def test_accessors_are_used() -> None:
    assert all(name in imports(SOURCE / path) for path, name in ACCESSORS)


def test_nothing_is_loose() -> None:
    assert {path.stem for path in SOURCE.glob("*.py")} == {"__init__", "__main__", "api"}
    rooms = {path.name for path in SOURCE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert rooms | {"api"} == set(STAIRCASE)


def test_every_package_says_what_it_is_for() -> None:
    for path in SOURCE.rglob("__init__.py"):
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path


@pytest.mark.parametrize(
    "line", ["from geppetto.cli import app", "import geppetto.cli", "from geppetto import cli"]
)
def test_an_import_that_climbs_is_found_however_it_is_written(tmp_path: Path, line: str) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "base.py").write_text(f"def lazily():\n    {line}\n")
    (found,) = climbing(tmp_path)
    assert found.startswith("models/base.py imports geppetto.cli")


STRUCK = {
    "abilities", "approach", "approaches", "asked", "commission", "commissions", "commissioned",
    "commissioning", "desk", "given", "heard", "hearing", "leave", "luck", "remembering",
    "replies", "reply", "speaker", "speakers", "taught", "told", "twin", "twins", "writing",
    "writings",
}  # fmt: skip
"""Words whose meaning a newcomer could not guess; the glossary has those in their place."""

TERMS = {"leave_one_out", "leave_one_out_marginals", "asked"}
"""Terms of the field that have one of these words in them, and what strategies of users name."""


def names(tree: ast.AST) -> Iterator[str]:
    """The classes, functions, parameters, fields and constants that a file defines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name
        if isinstance(node, ast.ClassDef | ast.Module):
            for line in node.body:
                targets = line.targets if isinstance(line, ast.Assign) else []
                targets = [line.target] if isinstance(line, ast.AnnAssign) else targets
                yield from (one.id for one in targets if isinstance(one, ast.Name))
        elif isinstance(node, ast.arg):
            yield node.arg


def test_struck_words_are_in_no_name() -> None:
    found = {
        f"{path.relative_to(SOURCE)}: {name}"
        for path in SOURCE.rglob("*.py")
        for name in [path.stem, *names(ast.parse(path.read_text("utf-8")))]
        if name not in TERMS
        and STRUCK & {part.lower() for part in re.findall(r"[A-Z]?[a-z]+|[A-Z]+", name)}
    }
    assert found == set()
