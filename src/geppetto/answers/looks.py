"""The ledger of looks: who was analysed or chosen on, for which claim, in which order."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import sqlalchemy as sql

from geppetto.answers.database import Store, batches, looked_at, looks

Kind = Literal["run", "confirmed", "chosen on"]
Claim = Literal["personas", "pairs"]
"""What an analysis judges: that personas tell of people, or that models of a pair differ."""


@dataclass(frozen=True)
class Look:
    """One use of people's answers: to judge a claim, or to choose among candidates.

    Attributes
    ----------
    question
        Hex digest of all that makes it this look; the same question again is the same look.
    kind
        Whether an experiment was run, a winner was confirmed, or candidates were chosen among.
    claims
        What was judged.
    people
        Everybody's print; see `Study.prints`.
    candidates
        Among how many was chosen; 0 if nothing was.
    experiment
        What its file is called.
    """

    question: str
    kind: Kind
    claims: tuple[Claim, ...]
    people: frozenset[str]
    experiment: str
    candidates: int = 0


@dataclass(frozen=True)
class Past:
    """A look that came before another one, and how many people they have in common."""

    kind: Kind
    claims: tuple[Claim, ...]
    experiment: str
    candidates: int
    looked: datetime
    shared: int


class LookStore(Store):
    """Looks in the order in which they were made, beside the answers.

    It knows people by their prints alone.
    """

    def keep(self, look: Look) -> list[Past]:
        """Keep a look durably, and give those at any of its people that came before it.

        A look that is kept already stays where it is in the order; of how many candidates it was
        the choice may grow. Nobody else can look in between.
        """
        with self._database.transaction() as connection:
            number = _number(look.question, connection)
            if number is None:
                made = connection.execute(
                    looks.insert().values(
                        question=look.question,
                        kind=look.kind,
                        claims=json.dumps(look.claims),
                        candidates=look.candidates,
                        experiment=look.experiment,
                        looked=datetime.now(UTC).replace(tzinfo=None),
                    )
                )
                (number,) = made.inserted_primary_key or (None,)
                rows = [{"person": person, "look": number} for person in sorted(look.people)]
                connection.execute(looked_at.insert(), rows)
            else:
                grown = looks.c.number == number, looks.c.candidates < look.candidates
                connection.execute(looks.update().where(*grown).values(candidates=look.candidates))
            return _before(number, look.people, connection)

    def before(self, question: str, people: Iterable[str]) -> list[Past]:
        """Looks at any of these people before a question's own, or all if it was never asked."""
        if not self._database.exists(looks):
            return []
        with self._database.reading() as connection:
            return _before(_number(question, connection), people, connection)

    def chosen_on(self, question: str, people: Iterable[str]) -> frozenset[str]:
        """Those of these people on whom was chosen before a question's own look."""
        if not self._database.exists(looks):
            return frozenset()
        with self._database.reading() as connection:
            earlier = _earlier(_number(question, connection))
            return frozenset(
                person
                for some in batches(people)
                for person in connection.scalars(
                    sql.select(looked_at.c.person)
                    .join(looks)
                    .where(looked_at.c.person.in_(some), looks.c.kind == "chosen on", earlier)
                )
            )


def _number(question: str, connection: sql.Connection) -> int | None:
    """Where a look stands in the order; None if it was not made."""
    query = sql.select(looks.c.number).where(looks.c.question == question)
    return connection.execute(query).scalar_one_or_none()


def _earlier(number: int | None) -> sql.ColumnElement[bool]:
    return sql.true() if number is None else looks.c.number < number


def _before(number: int | None, people: Iterable[str], connection: sql.Connection) -> list[Past]:
    shared: dict[int, int] = {}
    for some in batches(people):
        of_these = sql.select(looked_at.c.look, sql.func.count()).join(looks)
        of_these = of_these.where(looked_at.c.person.in_(some), _earlier(number))
        for look, people_of_it in connection.execute(of_these.group_by(looked_at.c.look)):
            shared[look] = shared.get(look, 0) + people_of_it
    rows = connection.execute(sql.select(looks).order_by(looks.c.number)).mappings()
    return [
        Past(
            kind=row["kind"],
            claims=tuple(json.loads(row["claims"])),
            experiment=row["experiment"],
            candidates=row["candidates"],
            looked=row["looked"],
            shared=shared[row["number"]],
        )
        for row in rows
        if row["number"] in shared
    ]
