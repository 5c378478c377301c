"""The durable store of what language models wrote of people: each text once, with its maker."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime

import sqlalchemy as sql
from pydantic import BaseModel, ConfigDict

from geppetto.answers.database import Store, batches, generated_texts
from geppetto.personas.generated import GeneratedText


class Generator(BaseModel):
    """What wrote a text.

    Attributes
    ----------
    strategy
        Name of the strategy's class.
    writer
        What the strategy calls the model.
    identity
        The model: what of it its completions' hashes have.
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
    identity: dict[str, str]
    module: str
    state: str
    demos: str
    temperature: float
    longest: int


class GeneratedTextStore(Store):
    """Writings by the content hash of their request, beside the answers.

    A writing is stored once and never changed.
    """

    def find(self, generation: str) -> GeneratedText | None:
        """What became of a request; None if nothing was generated yet."""
        return self.get([generation]).get(generation)

    def get(self, requests: Iterable[str]) -> dict[str, GeneratedText]:
        """What became of those requests that were answered, by their id."""
        if not self._database.exists(generated_texts):
            return {}
        with self._database.reading() as connection:
            return {
                row["commission"]: GeneratedText(
                    texts=tuple(json.loads(row["texts"])),
                    failed=row["failed"],
                    prompt_tokens=row["prompt_tokens"],
                    completion_tokens=row["completion_tokens"],
                    cost=row["cost"],
                    seconds=row["seconds"],
                    requests=row["requests"],
                )
                for some in batches(requests)
                for row in connection.execute(
                    sql.select(generated_texts).where(generated_texts.c.commission.in_(some))
                ).mappings()
            }

    def put(
        self, generation: str, inputs: str, generator: Generator, generated: GeneratedText
    ) -> None:
        """Store a text durably; one that is stored already stays as it is.

        Parameters
        ----------
        generation
            Its content hash.
        inputs
            Hex digest of what the generator was told.
        generator, generated
            What wrote it, and what became of it.
        """
        with self._database.transaction() as connection:
            stored = sql.select(generated_texts.c.commission).where(
                generated_texts.c.commission == generation
            )
            if connection.execute(stored).one_or_none() is not None:
                return
            connection.execute(
                generated_texts.insert().values(
                    commission=generation,
                    strategy=generator.strategy,
                    writer=generator.writer,
                    generator=generator.model_dump_json(),
                    inputs=inputs,
                    texts=json.dumps(generated.texts),
                    failed=generated.failed,
                    prompt_tokens=generated.prompt_tokens,
                    completion_tokens=generated.completion_tokens,
                    cost=generated.cost,
                    seconds=generated.seconds,
                    requests=generated.requests,
                    written=datetime.now(UTC).replace(tzinfo=None),
                )
            )

    def generators(self, strategy: str) -> list[Generator]:
        """The distinct makers of a strategy's writings, in the order of their first writing."""
        if not self._database.exists(generated_texts):
            return []
        query = sql.select(generated_texts.c.generator).where(
            generated_texts.c.strategy == strategy
        )
        with self._database.reading() as connection:
            stored = connection.scalars(query.order_by(generated_texts.c.written)).all()
        return [Generator.model_validate_json(each) for each in dict.fromkeys(stored)]
