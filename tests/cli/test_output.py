"""Outputs that are closed, full or lack signs, and what else the system refuses."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

import command
from geppetto._util.errors import GeppettoError
from geppetto._util.output import plain_console, spell
from geppetto.cli.ui import served
from geppetto.models.endpoint.secrets import read_keys
from geppetto.models.local.gguf import PACKAGED, cache_dir

SIGNS = "information − 0.3 · R² ∞ ≤ é 您 \U0001f600"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "utf-8"])
def test_every_encoding_writes_every_sign(encoding: str) -> None:
    raw = io.BytesIO()
    output = io.TextIOWrapper(raw, encoding=encoding)
    spell(output)
    plain_console(file=output, width=100).print(SIGNS)
    output.flush()
    said = raw.getvalue().decode(encoding)
    assert said.startswith("information ") and "0.3" in said
    assert "- 0.3" in said or encoding == "utf-8"


def test_text_of_users_is_no_markup_no_emoji_and_no_colour() -> None:
    output = io.StringIO()
    plain_console(file=output, force_terminal=True).print("[b]x[/b] [/b] :smile: 12 'a'")
    assert output.getvalue() == "[b]x[/b] [/b] :smile: 12 'a'\n"


@pytest.mark.parametrize(
    ("end", "code", "said"),
    [
        (">&-", 0, ""),
        ("2>&- >&-", 0, ""),
        ("> /dev/full", 2, "error: what was to be written: No space left on device\n"),
        ("| true; exit ${PIPESTATUS[0]}", 1, ""),
    ],
)
def test_an_output_that_refuses_is_one_sentence(end: str, code: int, said: str) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    line = f"{sys.executable} -m geppetto personas {end}"
    found = subprocess.run(["bash", "-c", line], capture_output=True, text=True)
    assert (found.stderr, found.returncode) == (said, code)


def test_a_cache_that_cannot_be_written_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEPPETTO_CACHE", "/dev/null/x")
    with pytest.raises(GeppettoError, match=r"written to /dev/null/x: .*GEPPETTO_CACHE"):
        PACKAGED["gemma-3-270m"]()


def test_an_empty_or_relative_cache_of_the_user_is_as_if_it_were_not_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("GEPPETTO_CACHE", raising=False)
    for unset in ("", "here"):
        monkeypatch.setenv("XDG_CACHE_HOME", unset)
        assert cache_dir() == Path.home() / ".cache" / "geppetto"
    monkeypatch.setenv("XDG_CACHE_HOME", "/there")
    assert cache_dir() == Path("/there/geppetto")


@pytest.mark.parametrize("content", [b"KEY=\xff\xfe", "KEY=a".encode("utf-16")])
def test_keys_in_another_encoding_are_one_sentence(
    tmp_path: Path, content: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".env").write_bytes(content)
    with pytest.raises(GeppettoError, match=r"\.env cannot be read: it is not UTF-8 text"):
        read_keys(tmp_path)
    monkeypatch.delenv("CANARY_OF_BOM", raising=False)
    (tmp_path / ".env").write_bytes("CANARY_OF_BOM=a".encode("utf-8-sig"))
    read_keys(tmp_path)
    assert os.environ.pop("CANARY_OF_BOM") == "a"


def test_what_the_system_refuses_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "personas").write_text("no folder")
    said = command.refused(command.geppetto("personas", "new", "mine", cwd=tmp_path))
    assert "personas" in said and "Traceback" not in said


def test_the_ui_looks_for_no_code_in_the_workspace(tmp_path: Path) -> None:
    for name in ("mlflow", "uvicorn", "queue", "click"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit(3)")
    line, environment = served("sqlite:///x.db", 5000)
    assert "--app-dir=" in line[-1] and environment["PYTHONSAFEPATH"] == "1"
    imports = [
        *line[: line.index("-m")],
        "-c",
        "import queue, click, importlib.util as i; print(i.find_spec('mlflow').origin)",
    ]
    found = subprocess.run(imports, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert found.returncode == 0 and str(tmp_path) not in found.stdout
