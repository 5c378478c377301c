"""SQLite files that several processes share."""

from __future__ import annotations

import sqlite3
import time

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
