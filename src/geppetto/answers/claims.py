"""Claims on requests: who is computing an answer, so that nobody else does.

A claim holds as long as its worker lives. Of a process on the same host that is seen, whatever its
clock says. Of another host nothing can be seen, so a claim also ends by itself, `LEASE` after its
worker last said that it lives; a thread of the worker says so all the time, however long the
computation takes (which is in compiled code, where other threads run on). Time is the database's,
not the host's.

Should a claim end while its worker lives, because it was suspended or cut off from the database,
an answer is computed twice, and the one that is stored first stays.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import Event, Lock, Thread
from typing import Self

import sqlalchemy as sql

from geppetto._util.errors import GeppettoError
from geppetto._util.process import Worker
from geppetto.answers.database import Database, answers, batches, claims

LEASE = timedelta(seconds=60)
"""How long a claim holds after its worker last said that it lives."""


_OPEN: set[Claims] = set()
"""The claims of this process that have not ended."""


@contextmanager
def claimed(requests: Collection[str], database: Database) -> Iterator[frozenset[str] | None]:
    """Claim requests until they are answered, or until this ends.

    Yields
    ------
    frozenset of str or None
        The requests that have no answer yet, which are now claimed; None, with nothing claimed,
        if another computes one of them.
    """
    with Claims(database, answers) as held:
        yield held.take_all(requests)


class Claims:
    """Claims that one worker holds, more and more of them, until this context ends.

    Parameters
    ----------
    database
        Where claims and answers are.
    done
        The table in which a request is that needs no claim any more.
    """

    def __init__(self, database: Database, done: sql.Table) -> None:
        self._database = database
        self._done = done
        self._worker = Worker.current()
        self._held: set[str] = set()
        self._change = Lock()
        self._ended = Event()
        self._renewal: Thread | None = None

    def __enter__(self) -> Self:
        _OPEN.add(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        if self._renewal:
            self._renewal.join()
        try:
            # one that cannot be taken back, as on a full disk, holds nothing once this has ended
            with suppress(GeppettoError):
                self._take_back()
        finally:
            _OPEN.discard(self)

    def _take_back(self) -> None:
        if self._held:
            with self._database.transaction() as connection:
                for some in batches(self._held):
                    connection.execute(claims.delete().where(*_of(self._worker, some)))

    def take_all(self, requests: Collection[str]) -> frozenset[str] | None:
        """Claim all requests that are not done; None, with nothing claimed, if another has one."""
        with self._database.transaction() as connection:
            if self._others(requests, connection):
                return None
            return self._take(requests, connection)

    def take_free(self, requests: Collection[str]) -> frozenset[str]:
        """Claim those requests that are not done and that no other has."""
        with self._database.transaction() as connection:
            free = frozenset(requests) - self._others(requests, connection)
            return self._take(free, connection)

    def forget(self, requests: Collection[str]) -> None:
        """Hold no claims any more on requests that are done."""
        with self._change:
            self._held.difference_update(requests)

    def _others(self, requests: Collection[str], connection: sql.Connection) -> frozenset[str]:
        """The requests that another claims, or this worker elsewhere."""
        now = _now(connection)
        held = connection.execute(sql.select(claims).where(claims.c.request.in_(requests)))
        return frozenset(
            claim.request
            for claim in held
            if (
                any(claim.request in open._held for open in tuple(_OPEN))
                if claim.worker == str(self._worker)
                else _holds(Worker.parse(claim.worker), claim.until > now)
            )
        )

    def _take(self, requests: Collection[str], connection: sql.Connection) -> frozenset[str]:
        done = self._done.c.request
        mine = frozenset(requests).difference(
            connection.scalars(sql.select(done).where(done.in_(requests)))
        )
        connection.execute(claims.delete().where(claims.c.request.in_(requests)))
        until = _now(connection) + LEASE
        rows = [
            {"request": request, "worker": str(self._worker), "until": until}
            for request in sorted(mine)
        ]
        if rows:
            connection.execute(claims.insert(), rows)
            with self._change:
                self._held.update(mine)
            self._start_renewal()
        return mine

    def _start_renewal(self) -> None:
        if self._renewal is None:
            self._renewal = Thread(target=self._renew, daemon=True)
            self._renewal.start()

    def _renew(self) -> None:
        """Say that this worker lives, until its claims end.

        A database that cannot be reached is tried again: its error is for who stores the answer.
        """
        while not self._ended.wait(LEASE.total_seconds() / 3):
            with self._change:
                held = frozenset(self._held)
            with suppress(GeppettoError), self._database.transaction() as connection:
                until = _now(connection) + LEASE
                for some in batches(held):
                    mine = _of(self._worker, some)
                    connection.execute(claims.update().where(*mine).values(until=until))


def _of(worker: Worker, requests: Collection[str]) -> tuple[sql.ColumnElement[bool], ...]:
    return claims.c.worker == str(worker), claims.c.request.in_(requests)


def _holds(worker: Worker, has_time: bool) -> bool:
    """Whether a worker's claim does: as long as it is seen to live, or may and has time left."""
    return worker.is_known_alive() or (has_time and not worker.is_known_dead())


def _now(connection: sql.Connection) -> datetime:
    """The database's time, as it compares with what is stored there."""
    return connection.execute(sql.select(sql.func.now())).scalar_one()
