"""What the contrasts of an experiment come to: verdicts, each with all that is to be said of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import cast

from geppetto.evaluation.bounds.conditions import Limits, limits
from geppetto.evaluation.compared import by_part, everything
from geppetto.evaluation.differences import Differences
from geppetto.evaluation.effects import Effect, effects
from geppetto.evaluation.individuation.matches import information_tests, matching_matrices
from geppetto.evaluation.individuation.matching import MatchingMatrix
from geppetto.evaluation.inference.infer import infer
from geppetto.evaluation.inference.permutation import PermutationTest
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.item_sampling import other_items
from geppetto.evaluation.measures import Measure, measures_of
from geppetto.evaluation.scored import Scored
from geppetto.planning.analysis_config import LEVEL


@dataclass(frozen=True, eq=False)
class Judged(Scored):
    """Answers with the verdicts on their contrasts, computed when they are first asked for."""

    @cached_property
    def _verdicts(self) -> dict[Measure | None, list[Verdict]]:
        return {}

    def verdicts(self, by: str | None = None, measure: Measure | None = None) -> list[Verdict]:
        """Every contrast as an object that can say itself in words; see `Results.effects`."""
        if by is None:
            if measure not in self._verdicts:
                self._verdicts[measure] = self._verdicts_on_everything(measure)
            return list(self._verdicts[measure])
        found = self._in(measure, lambda one: by_part(self, by, one))
        return infer(found, self.resampling, self.analysis, {})

    def _in(
        self, measure: Measure | None, of: Callable[[Measure], list[Differences]]
    ) -> list[Differences]:
        """Contrasts in a measure, or by default of each model in the one that decides for it."""
        if measure is not None:
            return of(measure)
        deciding = self.decided_by
        return [
            one
            for each in dict.fromkeys(deciding.values())
            for one in of(each)
            if deciding[one.model] == each
        ]

    def _verdicts_on_everything(self, measure: Measure | None) -> list[Verdict]:
        """Verdicts in a measure. Those that decide are corrected for all that decide."""
        decide = self.verdicts() if measure else []
        decide = [verdict for verdict in decide if verdict.effect.measure == measure]
        told = {verdict.effect.model for verdict in decide}
        found = [one for one in self._in(measure, self._everything) if one.model not in told]
        of = self._limits if found else None
        measures = set(self.decided_by.values()) if measure is None else ()
        matches = self._matches if measure is None else {}
        judged = infer(found, self.resampling, self.analysis, matches, measures, of)
        return [*decide, *map(self._described, judged)]

    def _described(self, verdict: Verdict) -> Verdict:
        """A verdict with what else is to be said of it: the quality of matches, calibration."""
        effect = verdict.effect
        if effect.differences.is_of_matched_people:
            return replace(verdict, match=self.matches.get(effect.strategy))
        if not verdict.confirmatory:
            return verdict
        calibrated = (
            self._calibrated.get(effect.differences.key) if effect.measure == "nll" else None
        )
        predicted = self.predicted(cast(Measure, effect.measure))
        people = replace(self.resampling, level=LEVEL / self.analysis.looks)
        items = other_items(effect.differences, predicted, people)
        flat = effect.model in self.flat
        return replace(verdict, calibrated=calibrated, flat=flat, items=items)

    @cached_property
    def _calibrated(self) -> dict[tuple[str, str, str], Effect]:
        """What answers the question after calibration, by model, strategy and contrast."""
        found = [one for one in self._everything("nll_calibrated") if one.contrast.confirms]
        people = replace(self.resampling, level=LEVEL / self.analysis.looks)
        every = effects(found, people, self.analysis.intervals)
        return {one.differences.key: one for one in every}

    def _everything(self, measure: Measure) -> list[Differences]:
        found = everything(self, measure)
        if measure == "nll_calibrated":
            return [self.calibrated.with_temperatures(one) for one in found]
        return found

    @cached_property
    def _limits(self) -> Limits:
        return limits(self.in_slice(self.planned), self.predictions, self.analysis)

    @property
    def flat(self) -> list[str]:
        """Models that predict best, over all of their conditions, when they are made uniform."""
        return self.calibrated.flat if "nll" in self.measures else []

    @cached_property
    def matching(self) -> dict[tuple[str, str], MatchingMatrix]:
        """How well everybody's persona predicts everybody, by model and strategy.

        People are compared with those of whom the same is known; see `matching_matrices`.
        """
        return matching_matrices(self.predictions, measures_of(self.responses)[0])

    @cached_property
    def _matches(self) -> dict[tuple[str, str], PermutationTest]:
        return information_tests(
            self.matching, self.predictions, self.resampling, self.analysis.seed
        )
