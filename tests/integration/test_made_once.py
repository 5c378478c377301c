"""Files that are made once: by one process, whole, and again if they were damaged."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from geppetto._util.files import kept_whole, made_once


class Maker:
    """Makes a file slowly, and counts how often."""

    def __init__(self, text: str = "weights") -> None:
        self.text = text
        self.times = 0

    def __call__(self, partial: Path) -> None:
        self.times += 1
        partial.write_text(self.text[:3])
        time.sleep(0.05)
        partial.write_text(self.text)


@pytest.mark.parametrize("made", [made_once, kept_whole])
def test_of_many_at_once_one_makes_it_and_all_have_it_whole(made: object, tmp_path: Path) -> None:
    assert callable(made)
    make, target = Maker(), tmp_path / "cache" / "model.gguf"
    with ThreadPoolExecutor(8) as threads:
        found = [*threads.map(lambda _: made(target, make).read_text(), range(8))]
    assert (make.times, set(found)) == (1, {"weights"})


def test_what_killed_processes_left_is_taken_away(tmp_path: Path) -> None:
    target = tmp_path / "model.gguf"
    for left in ("model.123.partial", "model.gguf.0a1b2c3d.partial", "model.7.partial-journal"):
        (tmp_path / left).write_text("half of the weigh")
    (tmp_path / "other.gguf.0a1b2c3d.partial").write_text("of another, which may be being made")
    made_once(target, Maker())
    assert [each.name for each in sorted(tmp_path.glob("[!.]*"))] == [
        "model.gguf",
        "other.gguf.0a1b2c3d.partial",
    ]


def test_what_cannot_be_made_leaves_nothing(tmp_path: Path) -> None:
    def fail(partial: Path) -> None:
        partial.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        made_once(tmp_path / "model.gguf", fail)
    assert not [*tmp_path.glob("[!.]*")]


@pytest.mark.parametrize("damaged", ["weighty", "weigh", "", None])
def test_a_damaged_file_is_made_again(damaged: str | None, tmp_path: Path) -> None:
    make, target = Maker(), tmp_path / "model.gguf"
    kept_whole(target, make)
    target.unlink() if damaged is None else target.write_text(damaged)
    assert kept_whole(target, make).read_text() == "weights"
    assert make.times == 2


def test_a_file_of_which_nothing_is_known_is_made_again(tmp_path: Path) -> None:
    make, target = Maker(), tmp_path / "model.gguf"
    target.write_text("weighty")
    assert kept_whole(target, make).read_text() == "weights"
    for mark in ("", "[]", '{"sha256": 3}', "\ud83d".encode("utf-8", "surrogatepass")):
        where = tmp_path / ".model.gguf.json"
        where.write_bytes(mark) if isinstance(mark, bytes) else where.write_text(mark)
        kept_whole(target, make)
    assert make.times == 5


def test_a_file_that_was_only_moved_or_touched_is_hashed_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, target = Maker(), tmp_path / "model.gguf"
    kept_whole(target, make)
    os.utime(target, (1, 1))
    kept_whole(target, make)
    monkeypatch.setattr("geppetto._util.files.sha256", None)  # it is not hashed again
    assert kept_whole(target, make).read_text() == "weights"
    assert make.times == 1
