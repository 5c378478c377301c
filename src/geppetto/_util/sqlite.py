"""SQLite files that several processes share."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from urllib.parse import quote

PATIENCE = 60.0  # seconds that one waits for another


def log_ahead(connection: sqlite3.Connection) -> None:
    """Have a file be read while it is written, by SQLite's write-ahead log.

    SQLite waits for no lock when it begins such a log, whatever the connection's timeout is: of
    two that open a new file together, one would be told that it is locked.

    Raises
    ------
    sqlite3.OperationalError
        If the file cannot be written, or is locked for longer than a minute.
    """
    until = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def is_read_only(path: Path) -> bool:
    """Whether a file is there that nobody can change from here."""
    return path.exists() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK))


def read_only(path: Path) -> sqlite3.Connection:
    """A connection to a file that cannot be written.

    SQLite's log needs a file of its own beside that, if it is not there already: without it, what
    is in the file itself is all there is.
    """
    for how in ("mode=ro", "mode=ro&immutable=1"):
        connection = sqlite3.connect(
            f"file:{quote(str(path))}?{how}", uri=True, timeout=PATIENCE, check_same_thread=False
        )
        try:
            connection.execute("SELECT 1 FROM sqlite_master").fetchall()
        except sqlite3.OperationalError as error:
            connection.close()
            failed = error
        else:
            return connection
    raise failed
