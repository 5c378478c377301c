"""The durable store of what language models wrote of people: each text once, with its maker."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sql
from pydantic import BaseModel, ConfigDict

from geppetto.answers.database import Store, batches, writings
from geppetto.models.speaker import SpeakerIdentity


class Generator(BaseModel):
    """What wrote a text.

    Attributes
    ----------
    strategy
        Name of the strategy's class.
    writer
        What the strategy calls the model.
    identity
        The model.
    module
        Class of the DSPy module.
    state
        The module's state as JSON: instruction and demonstrations of each of its predictors.
    demos
        Hex digest of the demonstrations alone.
    temperature
        Of every request.
    longest
        The most tokens of every reply.
    """

    model_config = ConfigDict(frozen=True)

    strategy: str
    writer: str
    identity: SpeakerIdentity
    module: str
    state: str
    demos: str
    temperature: float
    longest: int


@dataclass(frozen=True)
class Writing:
    """What became of one commission.

    Attributes
    ----------
    texts
        What was written, in the order in which the strategy's module gives it.
    failed
        Why it cannot be used, to be read after a person; empty if it can.
    prompt_tokens, completion_tokens
        Numbers of tokens of all requests that it took.
    cost
        In dollars; None if the price of a token is not known.
    seconds
        How long the replies took together.
    requests
        How many there were.
    """

    texts: tuple[str, ...]
    failed: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    requests: int = 0


class WritingStore(Store):
    """Writings by the content hash of their commission, beside the answers.

    A writing is stored once and never changed.
    """

    def find(self, commission: str) -> Writing | None:
        """What became of a commission; None if it was not written yet."""
        return self.get([commission]).get(commission)

    def get(self, commissions: Iterable[str]) -> dict[str, Writing]:
        """What became of those commissions that are written, by commission."""
        if not self._database.exists(writings):
            return {}
        with self._database.reading() as connection:
            return {
                row["commission"]: Writing(
                    texts=tuple(json.loads(row["texts"])),
                    failed=row["failed"],
                    prompt_tokens=row["prompt_tokens"],
                    completion_tokens=row["completion_tokens"],
                    cost=row["cost"],
                    seconds=row["seconds"],
                    requests=row["requests"],
                )
                for some in batches(commissions)
                for row in connection.execute(
                    sql.select(writings).where(writings.c.commission.in_(some))
                ).mappings()
            }

    def put(self, commission: str, inputs: str, generator: Generator, writing: Writing) -> None:
        """Store a writing durably; one that is stored already stays as it is.

        Parameters
        ----------
        commission
            Its content hash.
        inputs
            Hex digest of what the generator was told.
        generator, writing
            What wrote it, and what became of it.
        """
        with self._database.writing() as connection:
            stored = sql.select(writings.c.commission).where(writings.c.commission == commission)
            if connection.execute(stored).one_or_none() is not None:
                return
            connection.execute(
                writings.insert().values(
                    commission=commission,
                    strategy=generator.strategy,
                    writer=generator.writer,
                    generator=generator.model_dump_json(),
                    inputs=inputs,
                    texts=json.dumps(writing.texts),
                    failed=writing.failed,
                    prompt_tokens=writing.prompt_tokens,
                    completion_tokens=writing.completion_tokens,
                    cost=writing.cost,
                    seconds=writing.seconds,
                    requests=writing.requests,
                    written=datetime.now(UTC).replace(tzinfo=None),
                )
            )

    def generators(self, strategy: str) -> list[Generator]:
        """The distinct makers of a strategy's writings, in the order of their first writing."""
        if not self._database.exists(writings):
            return []
        query = sql.select(writings.c.generator).where(writings.c.strategy == strategy)
        with self._database.reading() as connection:
            stored = connection.scalars(query.order_by(writings.c.written)).all()
        return [Generator.model_validate_json(each) for each in dict.fromkeys(stored)]
