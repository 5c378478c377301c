"""A workspace of an earlier version: its hashes, and that it runs again and asks nothing.

`tests/golden/workspace` has two small experiments, what a real model answered and wrote for them
(`answers.sql`), the hashes they had (`hashes.json`) and the tables they came to (`*.csv`). A
change that fails this test would ask for everything that anybody has stored anew. To record it
after a change that must do so, delete `answers.sql`, `hashes.json` and the tables, run the tests,
and read what came.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import geppetto
from geppetto.evaluation.results import Results
from geppetto.experiment.prepare import prepare
from geppetto.planning.config import Experiment
from geppetto.search.prepare import search_of_file
from workspaces import ROOT, with_store, without_figures

GOLDEN = ROOT / "tests" / "golden" / "workspace"
EXPERIMENTS = ("survey", "sessions")
KEPT = ("answers", "replies", "writings")
"""The tables of what was asked; the others are of who asks now, and of looks."""


@pytest.fixture(scope="module")
def earlier(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Iterator[Path]:
    """A copy of the workspace, with its store of answers."""
    folder = with_store(tmp_path_factory.mktemp("earlier"), empty_store)
    shutil.copytree(GOLDEN, folder, dirs_exist_ok=True)
    if (dump := GOLDEN / "answers.sql").exists():
        with sqlite3.connect(folder / "mlruns" / "answers.db") as database:
            database.executescript(dump.read_text("utf-8"))
    with pytest.MonkeyPatch.context() as environment:
        environment.delenv("MLFLOW_TRACKING_URI", raising=False)
        environment.delenv("GEPPETTO_ANSWERS", raising=False)
        without_figures(environment)
        yield folder


@pytest.fixture(scope="module")
def found(earlier: Path) -> dict[str, Results]:
    """What the experiments come to."""
    return {name: geppetto.run(earlier / f"{name}.yaml", earlier) for name in EXPERIMENTS}


def kept(folder: Path) -> list[str]:
    """Every row of what was asked, as text."""
    with sqlite3.connect(folder / "mlruns" / "answers.db") as database:
        return [
            line
            for line in database.iterdump()
            if line.startswith(tuple(f'INSERT INTO "{name}"' for name in KEPT))
        ]


def same(name: str, text: str) -> None:
    """Compare a text with the recorded one, or record it."""
    golden = GOLDEN / name
    if not golden.exists():
        golden.write_text(text, "utf-8")
        pytest.fail(f"{name} was missing and has been recorded; read it, run again")
    assert text == golden.read_text("utf-8")


def test_experiments_run_again_and_ask_nothing(earlier: Path, found: dict[str, Results]) -> None:
    if not (dump := GOLDEN / "answers.sql").exists():
        with sqlite3.connect(earlier / "mlruns" / "answers.db") as database:
            dump.write_text("\n".join(database.iterdump()), "utf-8")
        pytest.fail("answers.sql was missing and has been recorded; run again")
    before = dump.read_text("utf-8")
    assert len(rows := kept(earlier)) > 50
    assert all(row in before for row in rows)


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_tables_are_those_of_then(name: str, found: dict[str, Results]) -> None:
    """Without those of baselines that are fitted, whose last digits are the machine's."""
    results = found[name]
    tables = {"answers": results.answers, "metrics": results.metrics()}
    tables = {what: table[table["model"] != "baseline"] for what, table in tables.items()}
    for what, table in (tables | {"effects": results.effects()}).items():
        same(f"{name}_{what}.csv", table.map(_rounded).to_csv(index=False))


def _rounded(value: Any) -> Any:
    """A number with seven digits, since the last ones are the machine's."""
    if isinstance(value, float):
        return float(f"{value:.7g}") + 0.0
    if isinstance(value, tuple | list):
        return tuple(map(_rounded, value))
    return value


def test_where_nothing_can_be_written_it_is_shown(
    earlier: Path, found: dict[str, Results], monkeypatch: pytest.MonkeyPatch
) -> None:
    mlruns = (earlier / "mlruns").glob
    monkeypatch.setattr("geppetto._util.sqlite.os.access", lambda *_: False)
    before = {each.name: each.stat().st_mtime_ns for each in mlruns("*.db")}
    again = {name: geppetto.run(earlier / f"{name}.yaml", earlier) for name in EXPERIMENTS}
    assert {each.name: each.stat().st_mtime_ns for each in mlruns("*.db")} == before
    for name, results in again.items():
        assert results.effects().equals(found[name].effects())
        assert results.looks == found[name].looks


def test_hashes_are_those_of_then(earlier: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("geppetto.planning.prepared.version", "geppetto.search.prepare.version"):
        monkeypatch.setattr(module, lambda _: "0")
    nothing = earlier / "nothing"
    nothing.mkdir()
    hashes: dict[str, Any] = {}
    for name in EXPERIMENTS:
        prepared = prepare(Experiment.from_file(earlier / f"{name}.yaml"), earlier)
        plan = prepared.plan
        hashes[name] = {
            "experiment": prepared.sha256,
            "plan": plan.sha256,
            "study": prepared.study.sha256,
            "requests": sorted({answer.request for answer in plan.answers}),
            "generated texts": sorted(plan.generations),
        }
    monkeypatch.setattr("geppetto.search.prepare.shipped", lambda: nothing)
    search = search_of_file(earlier / "search.yaml", earlier)
    hashes["search"] = {"search": search.sha256, "study": search.study.sha256}
    same("hashes.json", json.dumps(hashes, indent=1))
