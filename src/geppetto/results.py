"""What an experiment found: every number of an evaluation, from one table of answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
import pandas as pd

from geppetto.errors import GeppettoError, unknown
from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.calibration import temperature_scaled
from geppetto.evaluation.effects import Effect, differences, effect, personas
from geppetto.evaluation.hypotheses import equivalence
from geppetto.evaluation.matching import MatchingMatrix, matching_matrix
from geppetto.evaluation.metrics import (
    condition_metrics,
    item_metrics,
    matched,
    participant_metrics,
)
from geppetto.evaluation.permutation import sign_flip_p
from geppetto.evaluation.power import people_to_decide
from geppetto.evaluation.predictions import Integers, Predictions, predictions
from geppetto.evaluation.resampling import Resampling
from geppetto.evaluation.verdicts import Verdict, conclusion, judge
from geppetto.reports.plots import Plots
from geppetto.studies import Study

By = Literal["condition", "participant", "item"]
Measure = Literal["nll", "nll_full", "nll_calibrated"]


@dataclass(frozen=True, eq=False)
class Results:
    """What an experiment found. Everything is computed from `answers` when it is first asked for.

    Attributes
    ----------
    question
        The experiment's question.
    study
        Whose people answered; its traits make groups, its retests make ceilings.
    analysis
        Settings of the inference.
    answers
        The tidy table, baselines included; see `geppetto.answers.table.COLUMNS`.
    """

    question: str
    study: Study
    analysis: Analysis
    answers: pd.DataFrame

    @cached_property
    def _matched(self) -> tuple[pd.DataFrame, dict[str, int]]:
        return matched(self.answers)

    @property
    def unscored(self) -> Mapping[str, int]:
        """How many cells were left out of every condition, by reason."""
        return self._matched[1]

    @cached_property
    def predictions(self) -> list[Predictions]:
        """The answers as arrays, a condition each."""
        return predictions(self._matched[0])

    @cached_property
    def resampling(self) -> Resampling:
        """How people are drawn: whole, with their clusters, by their weights if so analysed."""
        given = self.predictions[0].responses
        return Resampling.of(
            len(given.participants),
            base=given.weight if self.analysis.weighted else None,
            clusters=given.cluster,
            draws=self.analysis.draws,
            seed=self.analysis.seed,
        )

    def metrics(self, by: By = "condition") -> pd.DataFrame:
        """Metrics of each condition, or of each participant or item under each condition.

        Conditions have 95% intervals; see `condition_metrics`, `participant_metrics` and
        `item_metrics` for the columns.
        """
        match by:
            case "condition":
                people = self._participants
                return condition_metrics(people, self.resampling, self.analysis.intervals)
            case "participant":
                return self._participants.copy()
            case "item":
                return item_metrics(self.predictions)
        raise unknown("by", by, ("condition", "participant", "item"))

    @cached_property
    def _participants(self) -> pd.DataFrame:
        return participant_metrics(self.predictions)

    def effects(self, by: str | None = None, measure: Measure = "nll") -> pd.DataFrame:
        """Every contrast between arms with its intervals, tests and verdict, a row each.

        Parameters
        ----------
        by
            None for all people and items together; "item" for every item; or the name of a trait,
            for the people of each of its values (a number: up to its median and above).
        measure
            "nll" over the legal options, "nll_full" over everything the model could say, or
            "nll_calibrated": over the options after one temperature per model.
        """
        return effects_table(self.verdicts(by, measure))

    def verdicts(self, by: str | None = None, measure: Measure = "nll") -> list[Verdict]:
        """The same as objects that can say themselves in words."""
        if by is None:
            return self._verdicts(measure)
        found = [
            difference
            for among, items, rows in self._restrictions(by)
            for difference in differences(
                self._of(measure), measure, among=among, items=items, rows=rows
            )
            if len(difference.rows) > 1
        ]
        return self._judge(found)

    def _of(self, measure: Measure) -> Sequence[Predictions]:
        return self._calibrated[0] if measure == "nll_calibrated" else self.predictions

    @cached_property
    def _calibrated(self) -> tuple[list[Predictions], pd.DataFrame]:
        return temperature_scaled(self.predictions)

    @property
    def temperatures(self) -> pd.DataFrame:
        """The temperature of each model, fitted on one half of people and used for the other."""
        return self._calibrated[1]

    def _verdicts(self, measure: Measure) -> list[Verdict]:
        known = self.__dict__.setdefault("_verdicts_of", {})
        if measure not in known:
            known[measure] = self._judge(differences(self._of(measure), measure))
        return list(known[measure])

    def _judge(self, found: Sequence[Differences]) -> list[Verdict]:
        people, analysis = self.resampling, self.analysis
        return judge(
            [effect(difference, people, analysis.intervals) for difference in found],
            analysis.smallest_effect,
            self._p,
            lambda e: equivalence(...),
            people_to_decide,
        )

    def _p(self, found: Effect) -> float:
        key = found.model, found.strategy
        if is_confirmatory(found) and key in self.matching:
            return self.matching[key].p
        contributions, rows = found.differences.influence, found.differences.rows
        return sign_flip_p(contributions, self.resampling.among(rows), seed=self.analysis.seed)

    def _restrictions(self, by: str) -> Iterator[tuple[str, list[int] | None, Integers | None]]:
        """Names, items and participants of each part of the data."""
        given = self.predictions[0].responses
        if by == "item":
            for number, item in enumerate(given.items):
                yield f"item {item}", [number], None
            return
        if by not in self.study.traits:
            raise unknown("by", by, ["item", *self.study.traits], f"study {self.study.name}")
        trait = self.study.traits[by]
        people = [self.study.people[name] for name in given.participants]
        values = pd.Series([person.traits.get(by) for person in people])
        if trait.values is None:
            middle = values.astype(float).median()
            parts = {
                f"{by} up to {middle:g}": values.astype(float) <= middle,
                f"{by} above {middle:g}": values.astype(float) > middle,
            }
        else:
            parts = {f"{by} {label}": values == label for label in trait.values.values()}
        parts[f"{by} not known"] = values.isna()
        for name, chosen in parts.items():
            yield name, None, np.flatnonzero(chosen)
