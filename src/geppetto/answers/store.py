"""The durable store of answers: what a model said is kept the moment it is known."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sql

from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.errors import GeppettoError

_metadata = sql.MetaData()
_answers = sql.Table(
    "answers",
    _metadata,
    sql.Column("request", sql.String(64), primary_key=True),
    sql.Column("model", sql.String, nullable=False),
    sql.Column("log_probs", sql.String, nullable=False),
    sql.Column("tokens", sql.String, nullable=False),
    sql.Column("prompt_tokens", sql.Integer, nullable=False),
    sql.Column("answered", sql.DateTime, nullable=False),
)


class AnswerStore:
    """Answers by the content hash of their request.

    A request is stored once and never changed.

    Parameters
    ----------
    url
        An SQLAlchemy URL.
    """

    def __init__(self, url: str) -> None:
        self._engine = sql.create_engine(url)
        if self._engine.dialect.name == "sqlite":
            sql.event.listen(self._engine, "connect", _make_durable)

    @classmethod
    def at(cls, path: Path) -> AnswerStore:
        """The SQLite store in a file, which is made when the first answer is stored."""
        return cls(f"sqlite:///{path}")

    def put(self, model: str, scores: Mapping[str, OptionScores]) -> None:
        """Store answers by request id, all or none, durably before this returns.

        Raises
        ------
        GeppettoError
            If one of them is stored already: it was computed twice.
        """
        now = datetime.now(UTC)
        rows = [
            {
                "request": request,
                "model": model,
                "log_probs": json.dumps(answer.log_probs),
                "tokens": json.dumps(answer.tokens),
                "prompt_tokens": answer.prompt_tokens,
                "answered": now,
            }
            for request, answer in scores.items()
        ]
        self._make()
        try:
            with self._engine.begin() as connection:
                connection.execute(_answers.insert(), rows)
        except sql.exc.IntegrityError as error:
            raise GeppettoError(
                f"another process has just stored the same answers of {model} in "
                f"{self._engine.url}; wait until it ends, then run again to go on from there"
            ) from error

    def get(self, requests: Iterable[str]) -> dict[str, OptionScores]:
        """The stored answers among these requests, by request id."""
        found: dict[str, OptionScores] = {}
        if not self._exists():
            return found
        wanted = sorted(set(requests))
        with self._engine.connect() as connection:
            for start in range(0, len(wanted), 500):
                some = wanted[start : start + 500]
                rows = connection.execute(
                    sql.select(_answers).where(_answers.c.request.in_(some))
                ).mappings()
                for row in rows:
                    found[row["request"]] = OptionScores(
                        log_probs=tuple(json.loads(row["log_probs"])),
                        tokens=tuple(json.loads(row["tokens"])),
                        prompt_tokens=row["prompt_tokens"],
                    )
        return found

    def _exists(self) -> bool:
        """Whether anything has been stored yet.

        Raises
        ------
        GeppettoError
            If the database cannot be read.
        """
        file = self._file()
        if file is not None and not file.exists():
            return False
        try:
            return sql.inspect(self._engine).has_table(_answers.name)
        except sql.exc.DatabaseError as error:
            raise GeppettoError(
                f"{self._engine.url} cannot be read as a store of answers: {error.orig}; "
                "move the file away, or restore it from a copy"
            ) from error

    def _make(self) -> None:
        if (file := self._file()) is not None:
            file.parent.mkdir(parents=True, exist_ok=True)
        _metadata.create_all(self._engine)

    def _file(self) -> Path | None:
        """The database's file, if it is one."""
        url = self._engine.url
        return Path(url.database) if url.get_backend_name() == "sqlite" and url.database else None


def _make_durable(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
