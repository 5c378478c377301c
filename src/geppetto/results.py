"""What an experiment found: every number of an evaluation, from one table of answers."""

from __future__ import annotations

import itertools
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from geppetto.errors import GeppettoError, unknown
from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.baselines import BASELINE, MARGINALS
from geppetto.evaluation.calibrated import Calibrated
from geppetto.evaluation.calibration import Reliability, reliability, top_options
from geppetto.evaluation.ceilings import (
    construct_fits,
    normalised_accuracy,
    retest,
    second_responses,
)
from geppetto.evaluation.changes import between, changes, in_rows_of, slopes
from geppetto.evaluation.effects import Differences, differences
from geppetto.evaluation.individuation import individuation
from geppetto.evaluation.inference import infer
from geppetto.evaluation.matches import information_tests, matching_matrices
from geppetto.evaluation.matching import Identification, MatchingMatrix, identification
from geppetto.evaluation.measures import (
    ALL_OPEN,
    MEASURES,
    NOT_IN_SESSIONS,
    Measure,
    measures_of,
    must_exist,
)
from geppetto.evaluation.metrics import (
    condition_metrics,
    item_metrics,
    matched,
    participant_metrics,
)
from geppetto.evaluation.parts import parts
from geppetto.evaluation.permutation import PermutationTest
from geppetto.evaluation.predictions import (
    SLICE,
    Predictions,
    Responses,
    Slice,
    predictions,
    rows_by,
)
from geppetto.evaluation.resampling import Resampling
from geppetto.evaluation.second_opinion import second_opinion
from geppetto.evaluation.skill import Skill, skills
from geppetto.evaluation.verdicts import Verdict
from geppetto.plan import Condition
from geppetto.studies import Study
from geppetto.tables import (
    calibration_table,
    ceilings_table,
    changes_table,
    effects_table,
    identification_table,
    individuation_table,
    second_opinion_table,
    skill_table,
    wordings_table,
)

if TYPE_CHECKING:
    from geppetto.reports.plots import Plots

By = Literal["condition", "participant", "item"]

__all__ = ["MEASURES", "Measure", "Results"]


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
    twins
        The baselines that are given what each strategy shows, by the label of the strategy.
    history, presentation
        Of sessions, the answers that everything but comparisons `by` them is about: how many trials
        before its own the model read, and how. By default the longest history, and of each model
        the presentation that comes first; see `at`.
    """

    question: str
    study: Study
    analysis: Analysis
    answers: pd.DataFrame
    twins: Mapping[str, Sequence[str]]
    history: str = ""
    presentation: str = ""

    @cached_property
    def histories(self) -> list[str]:
        """How many trials before its own the model could read, shortest first, "all" last."""
        asked = [str(history) for history in self.answers["history"].unique()]
        return sorted(asked, key=lambda one: int(one) if one.isdecimal() else np.inf)

    @cached_property
    def presentations(self) -> Mapping[str, list[str]]:
        """How each model read sessions, by its name, in the order in which that was asked."""
        found: dict[str, list[str]] = {}
        for (model, presentation), _ in rows_by(self.answers, ["model", "presentation"]):
            if model != BASELINE:
                found.setdefault(model, []).append(presentation)
        return found

    def at(self, history: int | str = "", presentation: str = "") -> Results:
        """The same results with another history, another presentation, or both.

        Raises
        ------
        GeppettoError
            If that was not asked.
        """
        wanted = Slice(str(history) or self.history, presentation or self.presentation)
        presented = list(dict.fromkeys(itertools.chain(*self.presentations.values())))
        for name, one, asked in zip(SLICE, wanted, (self.histories, presented), strict=True):
            if one and one not in asked:
                raise GeppettoError(
                    f"{name} {one} was not asked; there are {', '.join(filter(None, asked)) or 0}"
                )
        if wanted not in self._others:
            self._others[wanted] = replace(self, **wanted._asdict())
        return self._others[wanted]

    @cached_property
    def _others(self) -> dict[Slice, Results]:
        return {Slice(self.history, self.presentation): self}

    @cached_property
    def of_sessions(self) -> bool:
        """Whether people's sessions are predicted, and not their responses to shared items."""
        return self._responses.of_sessions

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """The measures that exist of these responses, see `measures_of`."""
        return measures_of(self._responses)

    @property
    def measure(self) -> Measure:
        """The measure of the verdicts that answer the question."""
        return "nll" if self.measures == MEASURES else "nll_full"

    @property
    def left_out(self) -> Mapping[str, str]:
        """Why tables that surveys have do not exist here, by their names."""
        if not self.of_sessions:
            return {}
        return NOT_IN_SESSIONS | ({} if "nll" in self.measures else {"calibration": ALL_OPEN})

    def _must_apply(self, table: str) -> None:
        if table in self.left_out:
            raise GeppettoError(f"{table}: not of these sessions, since {self.left_out[table]}")

    @cached_property
    def _verdicts(self) -> dict[Measure, list[Verdict]]:
        return {}

    @cached_property
    def _matched(self) -> tuple[pd.DataFrame, dict[str, int]]:
        return matched(self.answers)

    @property
    def unscored(self) -> Mapping[str, int]:
        """How many cells were left out of every condition, by reason."""
        return self._matched[1]

    @cached_property
    def predictions(self) -> tuple[Predictions, ...]:
        """The answers as arrays, a condition each."""
        scored = self._matched[0]
        if len(self.histories) > 1:
            scored = scored[scored["history"] == (self.history or self.histories[-1])]
        first = scored.groupby("model", sort=False)["presentation"].transform("first")
        wanted = self.presentation or first
        return tuple(predictions(scored[scored["presentation"] == wanted]))

    @property
    def conditions(self) -> list[Condition]:
        """Models with their strategies and arms, baselines last."""
        return [found.condition for found in self.predictions]

    @property
    def plot(self) -> Plots:
        """The figures: `results.plot.effects()` and others.

        They are imported here since reports are made from results, and not the other way round.
        """
        from geppetto.reports.plots import Plots

        return Plots(self)

    @cached_property
    def resampling(self) -> Resampling:
        """How people are drawn: whole, with their clusters, by their weights if so analysed."""
        given = self._responses
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
        `item_metrics` for the columns. Sessions share no items.
        """
        match by:
            case "condition":
                return self._conditions.copy()
            case "participant":
                return self._participants.copy()
            case "item":
                return item_metrics(self.predictions)
        raise unknown("by", by, ("condition", "participant", "item"))

    @cached_property
    def _participants(self) -> pd.DataFrame:
        return participant_metrics(self.predictions)

    @cached_property
    def _conditions(self) -> pd.DataFrame:
        return condition_metrics(self._participants, self.resampling, self.analysis.intervals)

    def effects(self, by: str | None = None, measure: Measure | None = None) -> pd.DataFrame:
        """Every contrast between arms with its intervals, tests and verdict, a row each.

        Parameters
        ----------
        by
            None for all people and items together; "item" for every item; "paraphrase" for every
            wording, if there are several; or the name of a trait, for the people of each of its
            values (a number: up to its median and above). Of sessions also "position" for the
            first, next and later responses, "history" and "presentation" for each that was asked.
        measure
            By default `measure`. "nll" over the legal options, "nll_full" over everything the model
            could say; or over the options after calibration: "nll_calibrated" with one
            temperature for a model, "nll_each_calibrated" with one for each of its conditions, so
            that no arm gains by being surer or less sure. Temperatures are fitted on other
            people; intervals of "nll_calibrated" over everything vary as they would, all others
            take them as given.
        """
        return effects_table(self.verdicts(by, measure))

    def verdicts(self, by: str | None = None, measure: Measure | None = None) -> list[Verdict]:
        """The same as objects that can say themselves in words."""
        measure = measure or self.measure
        if by is None:
            if measure not in self._verdicts:
                self._verdicts[measure] = self._verdicts_on_everything(measure)
            return list(self._verdicts[measure])
        if by == "paraphrase":
            return infer(self._in_each_wording(measure), self.resampling, self.analysis, {})
        if by in SLICE:
            every = [one for found in self._along(by, measure) for one in found]
            return infer(every, self.resampling, self.analysis, {})
        found = []
        for among, items, rows in parts(by, self._responses, self.study):
            made = differences(
                self._of(measure),
                measure,
                among=among,
                items=items,
                rows=rows,
                weights=self.resampling.base,
            )
            clusters = self.resampling.clusters
            enough = [one for one in made if len(np.unique(clusters[one.rows])) > 1]
            if len(enough) < len(made):
                warnings.warn(f"{among}: too few people for an interval", stacklevel=2)
            found += enough
        return infer(found, self.resampling, self.analysis, {})

    def changes(self, by: str, measure: Measure | None = None) -> pd.DataFrame:
        """How much every contrast of sessions grows, a row each, with 95% intervals over people.

        Parameters
        ----------
        by
            "history": from the shortest to every other one, person by person, which says whether
            a persona still adds something once the model has read what the person did;
            "presentation": from the first to every other one, of models that were asked in both;
            "position": with each doubling of a response's number in its session.
        measure
            As of `effects`.
        """
        measure = measure or self.measure
        if by == "position":
            self._must_be_sessions(by)
            predicted, base = self._of(measure), self.resampling.base
            found = list(slopes(predicted, measure, base, "each doubling of the position"))
        elif by in SLICE:
            first, *others = self._along(by, measure)
            found = [
                between(a, b, f"{a.among} to {b.among.removeprefix(by).strip()}")
                for other in others
                for a in first
                for b in other
                if (a.model, a.strategy, a.contrast) == (b.model, b.strategy, b.contrast)
            ]
        else:
            raise unknown("by", by, [*SLICE, "position"])
        return changes_table(changes(found, self.resampling, self.analysis))

    @property
    def along(self) -> tuple[str, ...]:
        """By what effects of sessions can be followed: position, and what was asked in several."""
        if not self.of_sessions:
            return ()
        several = len(self.histories), max(map(len, self.presentations.values()))
        return ("position", *(by for by, number in zip(SLICE, several, strict=True) if number > 1))

    def _along(self, by: str, measure: Measure) -> list[list[Differences]]:
        """Every contrast at every history, shortest first, or in every presentation."""
        self._must_be_sessions(by)
        if by not in self.along:
            raise GeppettoError(
                f"by: there is one {by}, so effects are those of `effects()`; list several in the "
                f"experiment, as `{by}` of `session`"
            )
        presented = dict.fromkeys(itertools.chain(*self.presentations.values()))
        asked = self.histories if by == "history" else list(presented)
        along = []
        for one in asked:
            other = self.at(**{by: one})
            made = differences(other._of(measure), measure, weights=other.resampling.base)
            along.append(
                [
                    replace(
                        in_rows_of(other._responses, self._responses, difference),
                        among=f"{by} {one}",
                    )
                    for difference in made
                ]
            )
        return along

    def _must_be_sessions(self, by: str) -> None:
        if not self.of_sessions:
            raise GeppettoError(f"by: {by} is of behavioural sessions, and this is a survey")

    def _in_each_wording(self, measure: Measure) -> list[Differences]:
        over = differences(self._of(measure), measure, weights=self.resampling.base)
        found = [in_wording for one in over for in_wording in one.wordings]
        if not found:
            raise GeppettoError(
                "by: there is one wording, so effects are those of `effects()`; set `paraphrases` "
                "in the experiment to compare several"
            )
        return found

    def wordings(self) -> pd.DataFrame:
        """How much every contrast differs between wordings, a row each; empty if there is one.

        `sd` is the standard deviation between wordings of the mean over people, in nats a response,
        `lowest` and `highest` are the ends of its range, and `same_sign` says whether it has one
        sign in all of them. `effects(by="paraphrase")` has each wording.
        """
        told = []
        for verdict in self.verdicts():
            one = verdict.effect.differences
            if over := one.over_wordings(self.resampling.among(one.rows)):
                told.append((one, over))
        return wordings_table(told)

    def _verdicts_on_everything(self, measure: Measure) -> list[Verdict]:
        found = differences(self._of(measure), measure, weights=self.resampling.base)
        if measure == "nll_calibrated":
            found = [self._calibrated.with_temperatures(one) for one in found]
        matches = self._matches if measure == self.measure else {}
        return infer(found, self.resampling, self.analysis, matches, self.measure)

    def individuation(self) -> pd.DataFrame:
        """Whether predictions tell people apart, a row a condition, with 95% intervals.

        See `Individuation` for `item_correlation` and the columns after it, and
        `Identification` for `auc`, `top_1` and `reciprocal_rank`, which the arm `own` has:
        finding a person's own persona among everybody's. `information_of_all` is information
        against all strangers instead of some. Conditions that predict the same for everyone have
        no correlations. In sessions, where options of different people do not mean the same,
        there is only the identification, among the strangers that were drawn for each person.
        """
        return self._individuation.copy()

    @cached_property
    def _individuation(self) -> pd.DataFrame:
        if self.of_sessions:
            return identification_table(self.identified)
        told = []
        for found in self._informed:
            condition = found.condition
            folds = found.pool if condition.model == BASELINE else None
            identified = self.identified.get(condition[:2]) if condition.arm == "own" else None
            told.append((condition, individuation(found, self.resampling, folds), identified))
        return individuation_table(told)

    @cached_property
    def matching(self) -> dict[tuple[str, str], MatchingMatrix]:
        """How well everybody's persona predicts everybody, by model and strategy.

        People are compared with those of whom the same is known; see `matching_matrices`.
        """
        return matching_matrices(self.predictions, self.measure)

    @cached_property
    def identified(self) -> dict[tuple[str, str], Identification]:
        """Whether people can be found by their personas, by model and strategy."""
        return {
            key: identification(matrix, self.resampling) for key, matrix in self.matching.items()
        }

    @cached_property
    def _matches(self) -> dict[tuple[str, str], PermutationTest]:
        return information_tests(
            self.matching, self.predictions, self.resampling, self.analysis.seed
        )

    @cached_property
    def skills(self) -> list[Skill]:
        """How much of what could be predicted from a strategy's fields each model does predict."""
        self._must_apply("skill")
        return skills(self.predictions, self.twins, self.resampling)

    def skill(self) -> pd.DataFrame:
        """`skills` as a table, a row a model and strategy."""
        return skill_table(self.skills)

    def ceilings(self) -> pd.DataFrame:
        """How much of what can be predicted each condition predicts, with 95% intervals.

        A row a condition and construct, with the correlation `r` of people's construct scores and
        their predictions, `r_squared`, the construct's split-half `reliability`, which bounds R²
        (and r by its root, `r_ceiling`), and `of_reliable`, R² over reliability. Strategies that
        read responses predict one part of a construct's items from the other, so their rows are
        of parts. Where people were asked twice, also a row a condition with construct "all
        items": `accuracy_of_retest`, accuracy over that of people's own second responses.
        """
        return self._ceilings.copy()

    @cached_property
    def _ceilings(self) -> pd.DataFrame:
        self._must_apply("ceilings")
        given, people = self._responses, self.resampling
        again = second_responses(given, self.study)
        repeated = retest(given, again, people)
        accuracies = {}
        if repeated:
            accuracies = {
                found.condition: normalised_accuracy(found, again, people)
                for found in self.predictions
            }
        fits = construct_fits(self._asked, self.study, people)
        return ceilings_table(fits, repeated, accuracies)

    @property
    def _informed(self) -> list[Predictions]:
        """Conditions that may know something of the participant.

        Uniform guesses and item marginals do not, and the latter predict each participant a little
        away from their own response, which is left out: a correlation would measure just that.
        """
        nobody = ("uniform", MARGINALS)
        return [p for p in self.predictions if p.condition.strategy not in nobody]

    @cached_property
    def reliability(self) -> dict[Condition, Reliability]:
        """How often each condition was right when it was so sure."""
        self._must_apply("calibration")
        return {found.condition: reliability(*top_options(found)) for found in self.predictions}

    def calibration(self) -> pd.DataFrame:
        """Expected calibration error and temperatures of each condition, a row each.

        `ece` is the expected calibration error; `temperature` the mean of the two that were
        fitted for the model, each on one half of people for the other, and `own_temperature` the
        same for the condition alone: above 1 if it is too sure. `flat` says that one of them is
        as high as it can be: at no temperature does the model (or the condition) predict better
        than a uniform guess, and what is left of its effects says nothing. Baselines have none.
        """
        return calibration_table(self.reliability, self._calibrated)

    @property
    def flat(self) -> list[str]:
        """Models that predict best, over all of their conditions, when they are made uniform."""
        return self._calibrated.flat if "nll" in self.measures else []

    def second_opinion(self) -> pd.DataFrame:
        """Information by a mixed model with crossed random people and items, a row an effect.

        It answers for other items like these as well as for other people, where the intervals of
        `effects` answer for other people on these items. Wordings, if there are several, are
        random in both. `nats` is its mean with a 95% interval,
        and the variance of differences is split into what people, items, wordings and none of them
        account for.
        `reason` says why there is none: it knows no survey weights and no groups of people, and
        needs people with several items.
        """
        self._must_apply("second_opinion")
        reason = ""
        if self.analysis.weighted or self.resampling.grouped:
            reason = "people are weighted, or in groups"
        elif len(self._responses.items) < 2:
            reason = "there is one item"
        asked = [v.effect.differences for v in self.verdicts() if v.confirmatory]
        told = [(one, None if reason else second_opinion(one, self.predictions)) for one in asked]
        return second_opinion_table(told, reason)

    def _of(self, measure: Measure) -> Sequence[Predictions]:
        must_exist(measure, self._responses)
        match measure:
            case "nll_calibrated":
                return self._calibrated.by_model
            case "nll_each_calibrated":
                return self._calibrated.by_condition
        return self.predictions

    @property
    def _responses(self) -> Responses:
        return self.predictions[0].responses

    @property
    def _asked(self) -> list[Predictions]:
        return [found for found in self.predictions if found.condition.model != BASELINE]

    @cached_property
    def _calibrated(self) -> Calibrated:
        return Calibrated(self._responses, self._asked)
