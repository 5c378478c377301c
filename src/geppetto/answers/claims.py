"""Claims on requests: who is computing an answer, so that nobody else does.

A claim holds as long as its worker lives. A dead process on the same host is seen at once. Of
another host nothing can be seen, so a claim also ends by itself, `LEASE` after its worker last
said that it lives; a thread of the worker says so all the time, however long the computation takes
(which is in compiled code, where other threads run on). Time is the database's, not the host's.

Should a claim end while its worker lives, because it was suspended or cut off from the database,
an answer is computed twice, and the one that is stored first stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import Event, Thread

import sqlalchemy as sql

from geppetto.answers.database import Database, answers, claims
from geppetto.errors import GeppettoError
from geppetto.worker import Worker

LEASE = timedelta(seconds=60)
"""How long a claim holds after its worker last said that it lives."""


@contextmanager
def claimed(requests: Collection[str], database: Database) -> Iterator[frozenset[str] | None]:
    """Claim requests until they are answered, or until this ends.

    Yields
    ------
    frozenset of str or None
        The requests that have no answer yet, which are now claimed; None, with nothing claimed,
        if another computes one of them.
    """
    worker = Worker.current()
    mine = _claim(requests, worker, database)
    if not mine:
        yield mine
        return
    ended = Event()
    renewal = Thread(target=_renew, args=(mine, worker, database, ended), daemon=True)
    renewal.start()
    try:
        yield mine
    finally:
        ended.set()
        renewal.join()
        with database.writing() as connection:
            connection.execute(claims.delete().where(*_of(worker, mine)))


def _claim(requests: Collection[str], worker: Worker, database: Database) -> frozenset[str] | None:
    with database.writing() as connection:
        now = _now(connection)
        held = connection.execute(sql.select(claims).where(claims.c.request.in_(requests))).all()
        over = [claim for claim in held if claim.until <= now or _is_dead(claim.worker)]
        if len(over) < len(held):
            return None
        answered = connection.scalars(
            sql.select(answers.c.request).where(answers.c.request.in_(requests))
        )
        mine = frozenset(requests).difference(answered)
        connection.execute(claims.delete().where(claims.c.request.in_(requests)))
        rows = [
            {"request": request, "worker": str(worker), "until": now + LEASE}
            for request in sorted(mine)
        ]
        if rows:
            connection.execute(claims.insert(), rows)
    return mine


def _renew(requests: frozenset[str], worker: Worker, database: Database, ended: Event) -> None:
    """Say that a worker lives, until its claim has ended.

    A database that cannot be reached is tried again: its error is for who stores the answer.
    """
    while not ended.wait(LEASE.total_seconds() / 3):
        with suppress(GeppettoError), database.writing() as connection:
            until = _now(connection) + LEASE
            connection.execute(claims.update().where(*_of(worker, requests)).values(until=until))


def _of(worker: Worker, requests: Collection[str]) -> tuple[sql.ColumnElement[bool], ...]:
    return claims.c.worker == str(worker), claims.c.request.in_(requests)


def _is_dead(worker: str) -> bool:
    return Worker.parse(worker).is_known_dead()


def _now(connection: sql.Connection) -> datetime:
    """The database's time, as it compares with what is stored there."""
    return connection.execute(sql.select(sql.func.now())).scalar_one()
