"""Data files as survey tools write them: headers, encodings, separators, numbers, empty cells."""

from __future__ import annotations

import gzip
import lzma
from pathlib import Path

import pytest

import invented
from geppetto._util.errors import GeppettoError
from geppetto.studies import Codebook, load_study
from geppetto.studies.build import study_from_table
from geppetto.studies.csv_text import header_rows, separator
from geppetto.studies.problems import errors
from geppetto.studies.survey_file import check_study
from geppetto.studies.table_file import read_table

CODEBOOK = """
title: own
source: {origin: tests}
instruction: How true is it?
data: own.csv
participant_column: id
traits: [{name: town, label: town, question: "Where?", values: {1: Köln, 2: Bonn}}]
scales: {s: {options: {1: Never, 2: Often}}}
items: [{name: q1, text: I sleep., scale: s}, {name: q2, text: I wake., scale: s}]
"""
HEADER, ROWS = "id,town,q1,q2", ["a,1,1,2", "b,2,2,1", "c,1,1,1"]


def write(folder: Path, data: str | bytes, more: str = "", name: str = "own.csv") -> str:
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    (folder / "own.yaml").write_text(CODEBOOK.replace("own.csv", name) + more, "utf-8")
    return str(folder / "own.yaml")


def said(name: str) -> list[tuple[str, str, str]]:
    return [(p.level, p.column, p.message) for p in check_study(name).problems]


def table(*lines: str) -> str:
    return "\n".join(lines) + "\n"


PLAIN = table(HEADER, *ROWS)


def same(name: str, folder: Path) -> None:
    """The people are those of the plain file."""
    people = load_study(name).people
    (folder / "plain").mkdir()
    assert people == load_study(write(folder / "plain", PLAIN)).people


def test_columns_that_are_not_used_may_be_called_anything(tmp_path: Path) -> None:
    lines = [f"{HEADER},,,note,note,other", *(f"{row},,,x,y,z" for row in ROWS)]
    name = write(tmp_path, table(*lines))
    notes = [one for one in said(name) if "names none" in one[2] or "not in" in one[2]]
    assert [(level, column) for level, column, _ in notes] == [
        ("note", ""),
        ("note", "note"),
        ("note", "other"),
    ]
    same(name, tmp_path)


def test_a_used_column_must_be_there_once(tmp_path: Path) -> None:
    name = write(tmp_path, table(f"{HEADER},q2", *(f"{row},1" for row in ROWS)))
    assert ("error", "q2", "two columns have this name; rename one of them") in said(name)


QUALTRICS = ["Response,Where?,I sleep,I wake", ",".join(['"{""ImportId"":""x""}"'] * 4)]


def test_headers_of_qualtrics_are_no_people(tmp_path: Path) -> None:
    name = write(tmp_path, table(HEADER, *QUALTRICS, *ROWS))
    assert ("note", "id", "the 2 rows below it are headers of Qualtrics, so not read") in said(name)
    same(name, tmp_path)


def test_other_headers_are_named_and_skipped(tmp_path: Path) -> None:
    name = write(tmp_path, table(HEADER, QUALTRICS[0], *ROWS))
    (error,) = errors(check_study(name).problems)
    assert error.row == 2 and "`skip_rows: 1`" in error.message
    same(write(tmp_path, table(HEADER, QUALTRICS[0], *ROWS), "skip_rows: 1\n"), tmp_path)


def test_a_row_of_wrong_cells_is_no_header(tmp_path: Path) -> None:
    name = write(tmp_path, table(HEADER, *ROWS, "d,x,y,z"))
    assert [error.row for error in errors(check_study(name).problems)] == [5, 5, 5]
    assert header_rows([["a", "1"], ['{"ImportId":1}', "2"]]) == 0


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("between", [",", ";", "\t", "|"])
def test_encodings_and_separators(tmp_path: Path, encoding: str, between: str) -> None:
    text = PLAIN.replace("town", "Köln").replace(",", between)
    data = text.encode(encoding)
    more = "encoding: cp1252\n" if encoding == "cp1252" else ""
    name = write(tmp_path, data, more)
    (tmp_path / "own.yaml").write_text(
        (tmp_path / "own.yaml").read_text("utf-8").replace("name: town", "name: Köln"), "utf-8"
    )
    assert [person.traits["Köln"] for person in load_study(name).people.values()] == [
        "Köln",
        "Bonn",
        "Köln",
    ]


@pytest.mark.parametrize(
    ("data", "more", "message"),
    [
        ("id\ncaf\xe9".encode("cp1252"), "", "line 2: not UTF-8 text; say .* `encoding: cp1252`"),
        (b"id\n\xff", "encoding: shift-jis\n", "not SHIFT-JIS text; correct `encoding`"),
        (PLAIN, "encoding: klingon\n", "there is no encoding 'klingon'"),
    ],
)
def test_another_encoding_is_named(
    tmp_path: Path, data: str | bytes, more: str, message: str
) -> None:
    with pytest.raises(GeppettoError, match=message):
        check_study(write(tmp_path, data, more))


def test_separators_are_those_that_fit_all_rows() -> None:
    assert separator("a;b\n1;2,5\n2;3,5\n") == ";"
    assert separator("a,b\n1,x;y\n2,z\n") == ","
    assert separator("a\n1\n") == separator("") == separator("a,b\n1\n") == ","
    assert separator('"a;b",c\n1,2\n') == ","


def test_decimal_commas_are_named(tmp_path: Path) -> None:
    name = write(tmp_path, "id;w;q1;q2\na;1,5;1;2\nb;2;2;1\n")
    (tmp_path / "own.yaml").write_text(
        (tmp_path / "own.yaml")
        .read_text("utf-8")
        .replace("values: {1: Köln, 2: Bonn}", "range: [0, 9]")
        .replace("name: town", "name: w"),
        "utf-8",
    )
    (error,) = [one for one in said(name) if one[0] == "error"]
    assert error[1] == "w" and 'say `decimal: ","` in the codebook' in error[2]
    with (tmp_path / "own.yaml").open("a", encoding="utf-8") as stream:
        stream.write('decimal: ","\n')
    assert [person.traits["w"] for person in load_study(name).people.values()] == [1.5, 2.0]


def test_whole_numbers_with_decimals_are_codes(tmp_path: Path) -> None:
    lines = ["a,1.0,1.0,2", "b,2.0,2.0,1", "c,1.0,1,1.0"]
    same(write(tmp_path, table(HEADER, *lines)), tmp_path)
    name = write(tmp_path, table(HEADER, *lines, "d,1.5,1,1"))
    assert len(errors(check_study(name).problems)) == 4


def multi(**keys: object) -> Codebook:
    return invented.codebook(
        traits=[{"name": "t", "label": "t", "question": "t?", "values": {1: "Chosen", "": "Not"}}],
        scales={"s": {"options": {"x": "Chosen", "": "Not chosen"}}},
        items=[{"name": "q", "text": "q.", "scale": "s"}],
        **keys,
    )


def test_an_empty_cell_may_mean_something(tmp_path: Path) -> None:
    (tmp_path / "m.csv").write_text("id,t,q\na,,x\nb,1,\nc,,\n")
    study = study_from_table(multi(), read_table(tmp_path / "m.csv")[0])
    assert [(p.traits["t"], p.responses["q"]) for p in study.people.values()] == [
        ("Not", "x"),
        ("Chosen", ""),
        ("Not", ""),
    ]
    assert study.missing == {}


@pytest.mark.parametrize("suffix", [".gz", ".xz"])
def test_a_small_file_that_holds_far_too_much_is_refused(
    tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geppetto.studies.csv_text.FREELY", 2**20)
    pack = {".gz": gzip.compress, ".xz": lzma.compress}[suffix]
    bomb = PLAIN.encode() + b"\n" * 2**21
    with pytest.raises(GeppettoError, match="holds more than 1 MiB"):
        check_study(write(tmp_path, pack(bomb), name=f"own.csv{suffix}"))
    same(write(tmp_path, pack(PLAIN.encode()), name=f"own.csv{suffix}"), tmp_path)
