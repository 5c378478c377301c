"""The durable store of answers: what a model said is kept the moment it is known."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime

import numpy as np
import sqlalchemy as sql

from geppetto._util.errors import GeppettoError
from geppetto.answers.claims import claimed
from geppetto.answers.database import VARIABLE, Store, answers, batches, claims, stored_columns
from geppetto.elicitation.option_likelihood import OptionScores

UNTIL_LOOKING_AGAIN = 0.2
"""Seconds between looks at what other processes are doing."""

_SAME = 1e-4
"""Nats by which two computations of the same answer may differ."""


class AnswerStore(Store):
    """Answers by the content hash of their request.

    A request is stored once and never changed. Several processes may share a store.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import mkdtemp
    >>> sorted(AnswerStore.of_workspace(Path(mkdtemp())).missing(["one request"]))
    ['one request']
    """

    def claim(self, requests: Collection[str]) -> AbstractContextManager[frozenset[str] | None]:
        """Keep other processes from computing the same requests, while in this context.

        It gives those requests that have no answer yet, for this process to compute and `put`; or
        None if another process computes one of them, and then nothing is claimed.
        """
        return claimed(requests, self._database)

    @contextmanager
    def alone(self, task: str) -> Iterator[None]:
        """Wait until no other process is at the same task, then keep it to this one.

        Where nothing can be written, nobody is at any.
        """
        if self.is_read_only:
            yield
            return
        name = hashlib.sha256(task.encode()).hexdigest()  # as long as the name of a request
        while True:
            with self.claim([name]) as mine:
                if mine:
                    yield
                    return
            time.sleep(UNTIL_LOOKING_AGAIN)

    def put(self, model: str, scores: Mapping[str, OptionScores]) -> None:
        """Store answers by request id, all or none, durably before this returns.

        An answer that is stored already stays as it is. Claims on the requests end.

        Raises
        ------
        GeppettoError
            If an answer that is stored already is a different one.
        """
        with self._database.transaction() as connection:
            stored = _read(scores, connection)
            for request, before in stored.items():
                self._refuse_another(model, before, scores[request])
            now = datetime.now(UTC).replace(tzinfo=None)
            rows = [
                {
                    "request": request,
                    "model": model,
                    "log_probs": json.dumps(answer.log_probs),
                    "tokens": json.dumps(answer.tokens),
                    "prompt_tokens": answer.prompt_tokens,
                    "answered": now,
                    "announcing": (
                        None if answer.announcing is None else json.dumps(answer.announcing)
                    ),
                }
                for request, answer in scores.items()
                if request not in stored
            ]
            if rows:
                connection.execute(answers.insert(), rows)
            connection.execute(claims.delete().where(claims.c.request.in_(scores)))

    def missing(self, requests: Iterable[str]) -> frozenset[str]:
        """Those of these requests that are not stored."""
        wanted = frozenset(requests)
        if not self._database.exists():
            return wanted
        with self._database.reading() as connection:
            return wanted.difference(
                request
                for some in batches(wanted)
                for request in connection.scalars(
                    sql.select(answers.c.request).where(answers.c.request.in_(some))
                ).all()
            )

    def get(self, requests: Iterable[str]) -> dict[str, OptionScores]:
        """The stored answers among these requests, by request id."""
        if not self._database.exists():
            return {}
        with self._database.reading() as connection:
            return _read(requests, connection)

    def _refuse_another(self, model: str, before: OptionScores, now: OptionScores) -> None:
        one, other = (
            np.array([*answer.log_probs, answer.announcing or 0.0]) for answer in (before, now)
        )
        if not np.allclose(one, other, rtol=0, atol=_SAME, equal_nan=True):
            raise GeppettoError(
                f"{model} answered the same request twice, and differently by "
                f"{np.max(np.abs(one - other)):.1g} nats; the answer that is in {self._database} "
                "stays. Its engine does not repeat itself here, or the store has answers of "
                f"another build or machine: give each of them a store of its own with {VARIABLE}"
            )


def _read(requests: Iterable[str], connection: sql.Connection) -> dict[str, OptionScores]:
    found: dict[str, OptionScores] = {}
    wanted = sorted(set(requests))
    columns = stored_columns(connection)
    for start in range(0, len(wanted), 500):
        some = wanted[start : start + 500]
        query = sql.select(*columns).where(answers.c.request.in_(some))
        for row in connection.execute(query).mappings():
            announcing = row.get("announcing")
            found[row["request"]] = OptionScores(
                log_probs=tuple(json.loads(row["log_probs"])),
                tokens=tuple(json.loads(row["tokens"])),
                prompt_tokens=row["prompt_tokens"],
                announcing=None if announcing is None else json.loads(announcing),
            )
    return found
