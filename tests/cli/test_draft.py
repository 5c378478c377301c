"""From a survey tool's file to a plan, from a user's chair: three commands and one own file."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from command import geppetto
from exported import qualtrics, spss, write
from geppetto._util.errors import GeppettoError
from geppetto.reports import drafts
from geppetto.studies import foreign_file
from geppetto.studies.drafting import guess, read_columns
from geppetto.studies.foreign_file import sheet
from geppetto.studies.table_file import read_table


def experiment_of(said: str) -> str:
    """The lines that a user is told to write into a file."""
    lines = said[said.index("question: ") :]
    return lines[: lines.index("\n\n")] + "\n"


@pytest.mark.parametrize("kind", ["qualtrics.csv", "spss.sav"])
def test_three_commands_to_a_plan(tmp_path: Path, kind: str) -> None:
    """No line of the codebook has to be edited; the experiment is what the draft prints."""
    if kind.endswith(".sav"):
        pytest.importorskip("pyreadstat", reason="reads SPSS files")
    make = qualtrics if kind.endswith(".csv") else spss
    data = make(tmp_path / kind)
    drafted = geppetto("studies", "draft", data.name, cwd=tmp_path)
    assert drafted.returncode == 0, drafted.stderr
    book = data.with_suffix(".yaml").name
    assert f"{book} is written" in drafted.stdout and "its check finds no error" in drafted.stdout
    assert len(drafted.stdout.splitlines()) <= 23
    (tmp_path / "e.yaml").write_text(experiment_of(drafted.stdout), "utf-8")
    checked = geppetto("studies", "check", book, cwd=tmp_path)
    assert checked.returncode == 0 and "no errors" in checked.stdout
    planned = geppetto("plan", "e.yaml", cwd=tmp_path)
    assert planned.returncode == 0, planned.stderr
    assert re.search(r"participants, [\d,]+ cells", planned.stdout)


def test_a_draft_that_has_answers_is_not_written_over(tmp_path: Path) -> None:
    qualtrics(tmp_path / "q.csv", people=60)
    (tmp_path / "q.yaml").write_text("mine")
    refused = geppetto("studies", "draft", "q.csv", cwd=tmp_path)
    assert refused.returncode == 2 and "q.yaml exists" in refused.stderr
    assert (tmp_path / "q.yaml").read_text() == "mine"
    other = geppetto("studies", "draft", "q.csv", "--out", "surveys/mine.yaml", cwd=tmp_path)
    assert other.returncode == 0, other.stderr
    assert "data: ../q.csv" in (tmp_path / "surveys" / "mine.yaml").read_text("utf-8")


@pytest.mark.parametrize(
    ("name", "message"),
    [("none.csv", "none.csv does not exist"), ("a.ods", "must end in .csv, .tsv")],
)
def test_what_is_no_data_file_is_one_sentence(tmp_path: Path, name: str, message: str) -> None:
    if name.startswith("a."):
        (tmp_path / name).write_text("x")
    refused = geppetto("studies", "draft", name, cwd=tmp_path)
    assert refused.returncode == 2 and message in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize(("name", "library"), [("a.sav", "pyreadstat"), ("a.xlsx", "openpyxl")])
def test_a_library_that_is_missing_is_named_with_the_remedy(
    tmp_path: Path, name: str, library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    (tmp_path / name).write_bytes(b"x")
    with pytest.raises(
        GeppettoError, match=rf"read by {library}, .*pip install 'geppetto\[files\]'"
    ):
        read_columns(tmp_path / name)


def test_a_file_that_ends_whatever_reads_it_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("pyreadstat", reason="reads SPSS files")
    monkeypatch.setattr(foreign_file, "_READ", "import os; os.kill(os.getpid(), 11)")
    (tmp_path / "a.sav").write_bytes(b"x")
    with pytest.raises(GeppettoError, match=r"a.sav cannot be read: it ends the process"):
        read_columns(tmp_path / "a.sav")
    with pytest.raises(GeppettoError, match=r"a.sav cannot be read: it ends the process"):
        read_table(tmp_path / "a.sav")


def test_the_layout_that_bundled_models_need_is_in_the_experiment(tmp_path: Path) -> None:
    """Tokenizers join "Answer: " with "-1"; the check says so, and the plan is made."""
    rows = [(n, *(str((n * k) % 7 % 3 - 1) for k in (2, 3))) for n in range(1, 70)]
    write(tmp_path / "n.csv", [("id", "a", "b"), *rows], "utf-8")
    drafted = geppetto("studies", "draft", "n.csv", cwd=tmp_path)
    assert "layout: {answer: label}\n" in experiment_of(drafted.stdout)
    checked = geppetto("studies", "check", "n.yaml", cwd=tmp_path)
    assert "scale minus_1_to_1" in checked.stdout
    assert "use `layout: {answer: label}`" in " ".join(checked.stdout.split())


def test_excel_reads_as_csv_does(tmp_path: Path) -> None:
    openpyxl = pytest.importorskip("openpyxl", reason="reads Excel files")
    book = openpyxl.Workbook()
    for row in [("id", "q", None), (1, "Never", None), (2, 3.5, None), (None, None), (3, True)]:
        book.active.append(row)
    book.save(tmp_path / "x.xlsx")
    assert sheet(tmp_path / "x.xlsx") == [("id", "q"), (1, "Never"), (2, 3.5), (), (3, True)]
    (column, other) = read_columns(tmp_path / "x.xlsx").columns
    assert [*column.cells] == ["1", "2", "3"] and [*other.cells] == ["Never", "3.5", "True"]


def test_what_is_found_is_said_within_80_columns(tmp_path: Path) -> None:
    found = drafts._found(guess(read_columns(qualtrics(tmp_path / "q.csv"))))
    assert "  10 items" not in found[1] and found[1].startswith("  11 items on 2 scales: agreement")
    assert max(map(len, found)) <= 100
