"""The durable store of replies: what came back of a request is kept as it came.

It is part of the store of answers, so that several processes may share it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime

import sqlalchemy as sql

from geppetto.answers.claims import Claims
from geppetto.answers.database import Database, Store, batches, claims, completions
from geppetto.models.requests import Completion


class CompletionStore(Store):
    """Replies by the id of their request.

    A reply is stored once and never changed; only one that is an error may be forgotten.
    """

    @contextmanager
    def claiming(self) -> Iterator[CompletionClaims]:
        """Claims on requests, which end with this context."""
        with Claims(self._database, completions) as held:
            yield CompletionClaims(self._database, held)

    def get(self, requests: Iterable[str]) -> dict[str, Completion]:
        """The stored replies among these requests, by request id."""
        if not self._database.exists(completions):
            return {}
        with self._database.reading() as connection:
            return _read(requests, connection)

    def are_errors(self, requests: Collection[str]) -> bool:
        """Whether the reply to each of these requests is, still, an error."""
        stored = self.get(requests)
        return len(stored) == len(requests) and all(
            completion.error for completion in stored.values()
        )

    def forget_errors(self, requests: Iterable[str]) -> int:
        """Forget those replies that are errors, so that they are asked for again.

        Returns
        -------
        int
            How many there were.
        """
        if not self._database.exists(completions):
            return 0
        with self._database.transaction() as connection:
            return sum(
                connection.execute(
                    completions.delete().where(
                        completions.c.request.in_(some), completions.c.failed
                    )
                ).rowcount
                for some in batches(requests)
            )


class CompletionClaims:
    """The requests that this process is asking, and how their replies are stored.

    Made by `CompletionStore.claiming`.
    """

    def __init__(self, database: Database, held: Claims) -> None:
        self._database = database
        self._held = held

    def take(self, requests: Collection[str]) -> tuple[dict[str, Completion], frozenset[str]]:
        """The stored replies, and of the other requests those that are now this process's to ask.

        The rest are being asked by another.
        """
        stored: dict[str, Completion] = {}
        if self._database.exists(completions):
            with self._database.reading() as connection:
                stored = _read(requests, connection)
        mine = [self._held.take_free(some) for some in batches(set(requests).difference(stored))]
        return stored, frozenset().union(*mine)

    def put(self, model: str, new: Mapping[str, Completion]) -> dict[str, Completion]:
        """Store replies, all or none, durably before this returns; claims on them end.

        Returns
        -------
        dict
            What is stored now: a reply that another process stored first stays.
        """
        with self._database.transaction() as connection:
            stored = _read(new, connection)
            now = datetime.now(UTC).replace(tzinfo=None)
            rows = [
                {
                    "request": request,
                    "model": model,
                    "content": completion.model_dump_json(exclude_defaults=True),
                    "failed": bool(completion.error),
                    "answered": now,
                }
                for request, completion in new.items()
                if request not in stored
            ]
            if rows:
                connection.execute(completions.insert(), rows)
            for some in batches(new):
                connection.execute(claims.delete().where(claims.c.request.in_(some)))
        self._held.forget(new)
        return {**new, **stored}


def _read(requests: Iterable[str], connection: sql.Connection) -> dict[str, Completion]:
    return {
        request: Completion.model_validate_json(content)
        for some in batches(requests)
        for request, content in connection.execute(
            sql.select(completions.c.request, completions.c.content).where(
                completions.c.request.in_(some)
            )
        )
    }
