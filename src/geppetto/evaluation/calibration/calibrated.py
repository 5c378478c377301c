"""An experiment's predictions at the temperatures that fit them best."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.calibration.reliability import (
    HIGHEST,
    temperature_contributions,
    temperature_scaled,
)
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.responses import Responses
from geppetto.planning.plan import Condition

Temperatures = tuple[float, float]
"""Of the first and the second half of people, each fitted on the other."""


@dataclass(frozen=True, eq=False)
class Calibrated:
    """The conditions of language models after calibration, computed when first asked for."""

    responses: Responses
    raw: Sequence[Predictions]

    @property
    def by_model(self) -> list[Predictions]:
        return self._by_model[0]

    @property
    def of_models(self) -> Mapping[str, Temperatures]:
        """The temperatures of each model over all of its conditions."""
        return self._by_model[1]

    @property
    def by_condition(self) -> list[Predictions]:
        return [scaled for scaled, _ in self._by_condition.values()]

    @property
    def of_conditions(self) -> Mapping[Condition, Temperatures]:
        """The temperatures of each condition alone."""
        return {condition: fitted for condition, (_, fitted) in self._by_condition.items()}

    @property
    def flat(self) -> list[str]:
        """Models that predict best, over all of their conditions, when they are made uniform."""
        return [model for model, pair in self.of_models.items() if max(pair) > HIGHEST]

    def with_temperatures(self, difference: Differences) -> Differences:
        """A contrast of `by_model` that varies also as the temperature it depends on does.

        One without the people who have no match takes it as given.
        """
        if difference.is_of_matched_people:
            return difference
        worse, better, rivals = (of[difference.rows] for of in self._of_arms(difference))
        changed = worse - better
        each = difference.rivals
        trials = (self.responses.choices > 0).sum(1)[difference.rows].mean()
        return replace(
            difference,
            influence=difference.influence + changed,
            totals=difference.totals + changed * trials,
            projection=difference.of_each[1] + changed,
            rivals=None if each is None else each + rivals - better[:, None],
            wordings=tuple(self.with_temperatures(one) for one in difference.wordings),
        )

    def _of_arms(self, difference: Differences) -> tuple[Floats, Floats, Floats]:
        """How the costs of the two arms of a contrast vary with temperatures, person by person.

        And of all that could have been chosen as the worse one, shape (participants, predictions).
        Baselines have no temperature.
        """
        worse, better = difference.conditions
        mine, best = self._contributions[better], difference.uninformed
        if best is None:
            theirs = self._contributions[worse]
            return theirs, mine, theirs[:, None]
        none = np.zeros_like(mine)
        each = [self._contributions.get(one, none) for one in best.conditions]
        return best.of(each), mine, np.stack(each, axis=1)

    @cached_property
    def _by_model(self) -> tuple[list[Predictions], dict[str, Temperatures]]:
        return temperature_scaled(self.raw, self.responses.cluster)

    @cached_property
    def _by_condition(self) -> dict[Condition, tuple[Predictions, Temperatures]]:
        found = {}
        for one in self.raw:
            (scaled,), fitted = temperature_scaled([one], self.responses.cluster)
            found[one.condition] = scaled, fitted[one.condition.model]
        return found

    @cached_property
    def _contributions(self) -> dict[Condition, Floats]:
        added: dict[Condition, Floats] = {}
        for model, pair in self.of_models.items():
            conditions = [found for found in self.raw if found.condition.model == model]
            added |= temperature_contributions(conditions, pair, self.responses.cluster)
        return added
