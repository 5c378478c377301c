"""By how much rounding changes the answers of each model, kept beside them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

import sqlalchemy as sql

from geppetto.answers.database import Store, noises
from geppetto.answers.local import Unanswered
from geppetto.models.base import Scorer
from geppetto.models.identity import ModelIdentity
from geppetto.models.noise import Noise, noise


class NoiseStore(Store):
    """The noise of each model, by everything that changes its answers."""

    def get(self, model: ModelIdentity) -> Noise | None:
        """The noise of a model; None if it was not measured."""
        if not self._database.exists(noises):
            return None
        with self._database.reading() as connection:
            query = sql.select(noises.c.answers, noises.c.mean, noises.c.largest)
            row = connection.execute(query.where(noises.c.identity == _key(model))).one_or_none()
        return None if row is None else Noise(*row)

    def known(self, models: Iterable[Scorer]) -> dict[str, Noise]:
        """The noise of each of some models that was measured, by name."""
        found = {model.identity.name: self.get(model.identity) for model in models}
        return {name: of for name, of in found.items() if of}

    def measure(self, model: Scorer, work: Unanswered) -> None:
        """Measure the noise of a model on the first prompts of what it is asked, if not known."""
        if not work or self.get(model.identity):
            return
        first = next(iter(work))
        found = noise(model, [first.only(first.ids[:8]).tree])
        with self._database.transaction() as connection:
            known = sql.select(noises.c.identity).where(noises.c.identity == _key(model.identity))
            if connection.scalar(known) is None:  # another process may have been quicker
                connection.execute(
                    noises.insert().values(
                        identity=_key(model.identity), model=model.identity.name, **vars(found)
                    )
                )


def _key(model: ModelIdentity) -> str:
    content = json.dumps(model.of_scores, sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
