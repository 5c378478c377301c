"""What fuzzers found once: each input, and the sentence that it ends in."""

from __future__ import annotations

import io
import json
import zipfile
import zlib
from pathlib import Path

import pytest
from pydantic import BaseModel

from geppetto._util.errors import GeppettoError
from geppetto._util.settings import settings
from geppetto._util.yaml_file import read_yaml
from geppetto.planning.config import Experiment
from geppetto.studies.problems import errors
from geppetto.studies.survey_file import check_study


class Anything(BaseModel):
    a: object = None
    b: object = None


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join([f'*{old}'] * 9)}]\n"
    for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (BOMB, "its aliases repeat more than 100,000 values"),
        ("a: &a {b: *a}", "line 1: an alias stands within what it repeats"),
        ("a: " + "[" * 60 + "]" * 60, "line 1: more than 50 levels deep"),
        ("a: " + "[" * 9000, "not valid YAML"),
        ("b: 1\na: 2020-13-45", "line 2: not valid YAML: '2020-13-45' reads like a date"),
        ("a: 0o9", None),
        ("a: " + "9" * 5000, "reads like a number and is none; put it in quotes"),
        ('a: "\\ud800"', "is half of a character"),
        ("a: !!int x", "reads like a number and is none"),
        ("? [1, 2]\n: 3", "not valid YAML: found unhashable key"),
        ("a: 1\na: 2", "line 2: 'a' is given twice"),
        ("", "is no list of `key: value` lines"),
    ],
)
def test_yaml(tmp_path: Path, text: str, message: str | None) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text)
    if message is None:
        assert read_yaml(path, Anything).a == "0o9"
        return
    with pytest.raises(GeppettoError) as raised:
        read_yaml(path, Anything)
    assert message in str(raised.value) and str(path) in str(raised.value)


def test_what_is_set_on_the_command_line_is_as_safe() -> None:
    assert settings("--set", ["k=5"], "k=5") == {"k": 5}
    for value in ("2020-13-45", "&a [*a]", '"\\ud800"'):
        with pytest.raises(GeppettoError, match="is not a YAML value"):
            settings("--set", [f"k={value}"], "k=5")


def test_a_section_that_is_left_blank_is_not_given(tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text(
        "question: q\nstudy: bfi\nmodels: [x]\narms: [none]\nsession:\n  presentation:\n"
    )
    assert Experiment.from_file(tmp_path / "e.yaml").session.presentation is None


def lines(folder: Path, *records: dict[str, object]) -> str:
    common = {"text": "You press <<N>>.\nYou press <<Z>>.\n", "experiment": "e"}
    texts = [
        json.dumps({**common, "participant": number, **record})
        for number, record in enumerate(records)
    ]
    (folder / "x.jsonl").write_text("\n".join(texts))
    return "x.jsonl"


def test_a_field_that_is_spelled_in_two_ways_is_an_error(tmp_path: Path) -> None:
    ages = [{"age": 20 + n} if n % 2 else {"Age": 20 + n} for n in range(6)]
    (error,) = errors(check_study(lines(tmp_path, *ages), tmp_path).problems)
    assert (error.column, error.message[:22]) == ("age", "it is called 'Age', to")


@pytest.mark.parametrize("field", ["text", "gender", "participant", "list"])
def test_half_a_character_is_an_error_with_its_line(tmp_path: Path, field: str) -> None:
    half: object = "You press <<N>>. \ud800"
    name = lines(tmp_path, {}, {field: [half] if field == "list" else half}, {})
    found = errors(check_study(name, tmp_path).problems)
    assert [(p.row, "half of a character" in p.message) for p in found] == [(2, True)]


def test_names_that_no_system_takes(tmp_path: Path) -> None:
    long = "x" * 300
    (tmp_path / "own.yaml").write_text(
        f"title: t\nsource: {{origin: o}}\ninstruction: i\ndata: {long}.csv\n"
        "items: [{name: a, text: A., scale: s}]\nscales: {s: {options: {1: Never, 2: Always}}}\n"
        "traits: [{name: t, label: t, question: 'T?'}]\nparticipant_column: p\n"
    )
    for name in ("own.yaml", f"{long}.yaml", f"{long}.jsonl", long):
        with pytest.raises(GeppettoError, match="cannot be read: File name too long"):
            check_study(name, tmp_path)


def archive(content: bytes, name: str = "a.jsonl") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, content)
    return stream.getvalue()


def test_archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    good = archive(b"{}\n")
    encrypted = bytearray(good)
    for header, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[good.index(header) + offset] |= 1
    misnamed = good.replace(b"a.jsonl", b"\xff.jsonl")
    flags = bytearray(misnamed)
    flags[misnamed.index(b"PK\x01\x02") + 9] |= 8  # the name is said to be UTF-8
    monkeypatch.setattr("geppetto.studies.sessions.file.FREELY", 2**20)
    for data, message in (
        (bytes(encrypted), "is encrypted; unpack it"),
        (bytes(flags), "is broken"),
        (archive(b"\n" * 2**22), "holds 4 MiB, far more than an archive of its size"),
        (good[:-10], "is broken"),
        (zlib.compress(b"x"), "is broken"),
    ):
        (tmp_path / "x.zip").write_bytes(data)
        with pytest.raises(GeppettoError, match=message):
            check_study("x.zip", tmp_path)
