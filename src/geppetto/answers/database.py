"""The database of a store of answers: SQLite or PostgreSQL, by its URL."""

from __future__ import annotations

import os
import sqlite3
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, Self

import sqlalchemy as sql

from geppetto._util.errors import GeppettoError
from geppetto._util.sqlite import PATIENCE, is_read_only, log_ahead, read_only

VARIABLE = "GEPPETTO_ANSWERS"
"""Environment variable with the URL of the store to use."""

_metadata = sql.MetaData()

answers = sql.Table(
    "answers",
    _metadata,
    sql.Column("request", sql.String(64), primary_key=True),
    sql.Column("model", sql.String, nullable=False),
    sql.Column("log_probs", sql.String, nullable=False),
    sql.Column("tokens", sql.String, nullable=False),
    sql.Column("prompt_tokens", sql.Integer, nullable=False),
    sql.Column("answered", sql.DateTime, nullable=False),
    sql.Column("announcing", sql.String),
)

generated_texts = sql.Table(
    "writings",
    _metadata,
    sql.Column("commission", sql.String(64), primary_key=True),
    sql.Column("strategy", sql.String, nullable=False),
    sql.Column("writer", sql.String, nullable=False),
    sql.Column("generator", sql.String, nullable=False),
    sql.Column("inputs", sql.String(64), nullable=False),
    sql.Column("texts", sql.String, nullable=False),
    sql.Column("failed", sql.String, nullable=False),
    sql.Column("prompt_tokens", sql.Integer, nullable=False),
    sql.Column("completion_tokens", sql.Integer, nullable=False),
    sql.Column("cost", sql.Float),
    sql.Column("seconds", sql.Float, nullable=False),
    sql.Column("requests", sql.Integer, nullable=False),
    sql.Column("written", sql.DateTime, nullable=False),
)

completions = sql.Table(
    "replies",
    _metadata,
    sql.Column("request", sql.String(64), primary_key=True),
    sql.Column("model", sql.String, nullable=False),
    sql.Column("content", sql.String, nullable=False),
    sql.Column("failed", sql.Boolean, nullable=False),
    sql.Column("answered", sql.DateTime, nullable=False),
)

claims = sql.Table(
    "claims",
    _metadata,
    sql.Column("request", sql.String(64), primary_key=True),
    sql.Column("worker", sql.String, nullable=False),
    sql.Column("until", sql.DateTime(timezone=True), nullable=False),
)

probes = sql.Table(
    "probes",
    _metadata,
    sql.Column("identity", sql.String(64), primary_key=True),
    sql.Column("model", sql.String, nullable=False),
    sql.Column("content", sql.String, nullable=False),
    sql.Column("probed", sql.DateTime, nullable=False),
)

noises = sql.Table(
    "noises",
    _metadata,
    sql.Column("identity", sql.String(64), primary_key=True),
    sql.Column("model", sql.String, nullable=False),
    sql.Column("answers", sql.Integer, nullable=False),
    sql.Column("mean", sql.Float, nullable=False),
    sql.Column("largest", sql.Float, nullable=False),
)

looks = sql.Table(
    "looks",
    _metadata,
    sql.Column("number", sql.Integer, primary_key=True),
    sql.Column("question", sql.String(64), nullable=False, unique=True),
    sql.Column("kind", sql.String, nullable=False),
    sql.Column("claims", sql.String, nullable=False),
    sql.Column("candidates", sql.Integer, nullable=False),
    sql.Column("experiment", sql.String, nullable=False),
    sql.Column("looked", sql.DateTime, nullable=False),
)

looked_at = sql.Table(
    "looked_at",
    _metadata,
    sql.Column("person", sql.String(64), primary_key=True),
    sql.Column("look", sql.Integer, sql.ForeignKey(looks.c.number), primary_key=True),
)

_IN_ONE_STATEMENT = 500
_LOCK = 7305232  # any number that no other program locks in the same PostgreSQL database
_LET_ONE_WRITE = {
    "sqlite": "BEGIN IMMEDIATE",
    "postgresql": f"SELECT pg_advisory_xact_lock({_LOCK})",
}
_DRIVERS = {
    "sqlite": "sqlite",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}
_OPTIONS: dict[str, dict[str, Any]] = {
    "sqlite": {"connect_args": {"timeout": PATIENCE}},
    "postgresql": {"isolation_level": "READ COMMITTED", "pool_pre_ping": True},
}
_HOW_TO_NAME_ONE = (
    "write sqlite:////folder/answers.db, or postgresql://user@host/database for one that several "
    "machines share"
)


class Database:
    """Where answers and claims are.

    Reading never waits. Only one process writes at a time, and sees all that was written before:
    so what it reads in `writing` stays true until it has written.

    Parameters
    ----------
    url
        An SQLAlchemy URL.

    Raises
    ------
    GeppettoError
        If the URL names no SQLite file and no PostgreSQL database, or its driver is missing.
    """

    def __init__(self, url: str | sql.URL) -> None:
        self._url = _parsed(url)
        options = _OPTIONS[self._url.get_backend_name()]
        if self.is_read_only:
            options = {"creator": lambda: read_only(Path(str(self._url.database)))}
        try:
            self._engine = sql.create_engine(self._url, **options)
        except ModuleNotFoundError as error:
            raise GeppettoError(
                f"{self} needs {error.name}; install it with: pip install 'geppetto[postgres]'"
            ) from error
        # its connections are closed with it, and not when the collector comes across them
        weakref.finalize(self, self._engine.dispose).atexit = False
        self._has_tables = False
        if self._file is not None and not self.is_read_only:
            sql.event.listen(self._engine, "connect", _make_durable)

    def __str__(self) -> str:
        """The URL without a password, wherever in it that stands."""
        return self._url.set(query={}).render_as_string(hide_password=True)

    @cached_property
    def is_read_only(self) -> bool:
        """Whether it is a file that is there and that nobody can change from here."""
        return self._file is not None and is_read_only(self._file)

    @contextmanager
    def reading(self) -> Iterator[sql.Connection]:
        """A connection that only reads."""
        with self._errors(), self._engine.connect() as connection:
            yield connection

    @contextmanager
    def transaction(self) -> Iterator[sql.Connection]:
        """A transaction that begins when no other writes, and is durable when it ends."""
        if self.is_read_only:
            raise GeppettoError(
                f"{self} can be read and not written, and something is left to be written; copy "
                "the workspace to where you may write"
            )
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        with self._errors(), self._engine.begin() as connection:
            connection.exec_driver_sql(_LET_ONE_WRITE[self._engine.dialect.name])
            if not self._has_tables:
                _metadata.create_all(connection)
                for column in set(answers.c) - set(stored_columns(connection)):
                    added = sql.schema.CreateColumn(column).compile(dialect=connection.dialect)
                    connection.exec_driver_sql(f"ALTER TABLE {answers.name} ADD COLUMN {added}")
            yield connection
        self._has_tables = True

    def exists(self, table: sql.Table = answers) -> bool:
        """Whether anything has been written yet, by a geppetto that had this table."""
        if self._file is not None and not self._file.exists():
            return False
        if self._has_tables:
            return True
        with self.reading() as connection:
            return sql.inspect(connection).has_table(table.name)

    @property
    def _file(self) -> Path | None:
        is_file = self._url.get_backend_name() == "sqlite"
        return Path(str(self._url.database)) if is_file else None

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sql.exc.DatabaseError as error:
            if self._file is None:
                advice = f"check {VARIABLE}, and that the server runs and lets you in"
            elif isinstance(error, sql.exc.OperationalError):
                advice = (
                    "see that you may write there, that the disk has room and that no other "
                    "program keeps it locked"
                )
            else:
                advice = "move the file away, or restore it from a copy"
            reason = " ".join(str(error.orig).split())
            raise GeppettoError(
                f"{self} cannot be used as a store of answers: {reason}; {advice}"
            ) from error


class Store:
    """Something that is kept in a database; several processes may share it.

    Parameters
    ----------
    url
        An SQLAlchemy URL of an SQLite file or a PostgreSQL database.
    """

    def __init__(self, url: str | sql.URL) -> None:
        self._database = Database(url)

    @property
    def is_read_only(self) -> bool:
        """Whether what is kept can be read and not changed."""
        return self._database.is_read_only

    @classmethod
    def at(cls, path: Path) -> Self:
        """The one in an SQLite file, which is made when something is first stored."""
        return cls(_of_file(path))

    @classmethod
    def of_workspace(cls, workspace: Path) -> Self:
        """The one in the database that GEPPETTO_ANSWERS names, or in the workspace's own."""
        return cls(os.environ.get(VARIABLE) or _of_file(workspace / "mlruns" / "answers.db"))


def stored_columns(connection: sql.Connection) -> list[sql.Column[Any]]:
    """The columns of the answers that are there; a store that an older geppetto made lacks some
    until it is next written to."""
    present = {column["name"] for column in sql.inspect(connection).get_columns(answers.name)}
    return [column for column in answers.c if column.name in present]


def batches(requests: Iterable[str]) -> Iterator[list[str]]:
    """Requests, or other hex digests, in lists short enough for one statement."""
    left = iter(sorted(set(requests)))
    while some := list(islice(left, _IN_ONE_STATEMENT)):
        yield some


def _of_file(path: Path) -> sql.URL:
    """The address of an SQLite file, whatever signs its folders have."""
    return sql.URL.create("sqlite", database=str(path))


def _parsed(text: str | sql.URL) -> sql.URL:
    """A URL of a database that can keep answers.

    Raises
    ------
    GeppettoError
        If it is not; the message does not repeat it, since a password may be anywhere in it.
    """
    try:
        url = sql.make_url(text)
    except (sql.exc.ArgumentError, ValueError):
        raise GeppettoError(
            f"the store of answers is not named by an SQLAlchemy URL; {_HOW_TO_NAME_ONE} "
            f"(in {VARIABLE})"
        ) from None
    if url.drivername not in _DRIVERS:
        raise GeppettoError(f"answers cannot be kept in {url.drivername}; {_HOW_TO_NAME_ONE}")
    if url.drivername == "sqlite" and (url.query or url.database in {None, "", ":memory:"}):
        raise GeppettoError(f"an SQLite store of answers is a plain file; {_HOW_TO_NAME_ONE}")
    return url.set(drivername=_DRIVERS[url.drivername])


def _make_durable(connection: sqlite3.Connection, _: object) -> None:
    log_ahead(connection)
    connection.execute("PRAGMA synchronous=FULL")
