"""What interfaces were seen to give, kept beside the answers so that they are asked once."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime

import sqlalchemy as sql

from geppetto.answers.database import Store, probes
from geppetto.models.base import Model
from geppetto.models.budget import BudgetTracker, Usage
from geppetto.models.endpoint.probe import VERSION, Probe, probed
from geppetto.models.identity import ModelIdentity


class ProbeStore(Store):
    """The last probe of each model, by everything that changes its replies but its name."""

    def get(self, model: ModelIdentity) -> Probe | None:
        """The last probe of a model; None if there is none."""
        if not self._database.exists(probes):
            return None
        with self._database.reading() as connection:
            query = sql.select(probes.c.content).where(probes.c.identity == _key(model))
            content = connection.scalar(query)
        return None if content is None else Probe.model_validate_json(content)

    def put(self, probe: Probe) -> None:
        """Keep a probe in place of an earlier one of the same model."""
        key = _key(probe.identity)
        with self._database.transaction() as connection:
            connection.execute(probes.delete().where(probes.c.identity == key))
            connection.execute(
                probes.insert().values(
                    identity=key,
                    model=probe.identity.of_completions["model"],
                    content=probe.model_dump_json(),
                    probed=datetime.now(UTC).replace(tzinfo=None),
                )
            )


def probe_of(model: Model, store: ProbeStore, tracker: BudgetTracker) -> Probe:
    """What a model's interface gives: as it was seen before, or else as it is seen now.

    What that takes is counted, and not held back by a budget.

    Raises
    ------
    GeppettoError
        If it has to be probed and cannot be.
    """
    known = store.get(model.identity)
    if known is None:
        known = probed(model)
        store.put(known)
        tokens = known.prompt_tokens + known.completion_tokens
        tracker.count(Usage(tokens, known.cost or 0.0))
    return known


def _key(model: ModelIdentity) -> str:
    asked = {key: value for key, value in model.of_completions.items() if key != "name"}
    content = json.dumps(asked, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(f"{VERSION} {content}".encode()).hexdigest()
