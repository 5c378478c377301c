"""SQLite files that several processes share."""

import sqlite3
from pathlib import Path
from threading import Event, Timer

import pytest

from geppetto._util import sqlite
from geppetto._util.sqlite import log_ahead


@pytest.fixture
def locked(tmp_path: Path) -> sqlite3.Connection:
    """A new file that another has locked."""
    connection = sqlite3.connect(
        tmp_path / "shared.db", isolation_level=None, check_same_thread=False
    )
    connection.execute("BEGIN EXCLUSIVE")
    return connection


def test_a_log_is_begun_once_the_file_is_free(locked: sqlite3.Connection, tmp_path: Path) -> None:
    left = Event()

    def leave() -> None:
        left.set()
        locked.execute("COMMIT")

    timer = Timer(0.3, leave)
    timer.start()
    other = sqlite3.connect(tmp_path / "shared.db", timeout=60)
    log_ahead(other)
    assert left.is_set()
    assert other.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    timer.join()
    other.close()
    locked.close()


def test_a_file_that_stays_locked_is_an_error(
    locked: sqlite3.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "PATIENCE", 0.05)
    other = sqlite3.connect(tmp_path / "shared.db", timeout=0)
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        log_ahead(other)
    other.close()
    locked.close()
