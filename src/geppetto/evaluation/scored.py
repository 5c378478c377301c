"""What models answered, as an evaluation takes it: one slice of a table, in arrays."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.calibration.calibrated import Calibrated
from geppetto.evaluation.followed import Followed
from geppetto.evaluation.inference.resampling import Resampling, drawn
from geppetto.evaluation.looks import Looks
from geppetto.evaluation.measures import (
    ALL_OPEN,
    NOT_IN_SESSIONS,
    Measure,
    measures_of,
    must_exist,
)
from geppetto.evaluation.metrics import NothingScoredError, matched
from geppetto.evaluation.predictions import Predictions, predictions
from geppetto.evaluation.responses import Responses
from geppetto.evaluation.rows import SLICE, Slice, rows_by
from geppetto.evaluation.unread import unread
from geppetto.models.lineage import Lineage
from geppetto.models.noise import Noise
from geppetto.personas.donors import MatchQuality
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.plan import BASELINE, Condition
from geppetto.studies import Study


@dataclass(frozen=True, eq=False)
class Scored:
    """What an experiment's models answered.

    Attributes
    ----------
    supervised
        The baselines that are given what each strategy shows, by the label of the strategy.
    in_template
        Names of the models that were asked in their chat template; the others read plain text. Of
        sessions `presentations` says it.
    history, presentation, elicitation
        The answers that everything but comparisons `by` them is about: of sessions how many trials
        before its own the model read, and how; and how answers were read. By default the longest
        history, and of each model the presentation and the elicitation that come first; see `at`.
    matches
        Who has matched strangers and how much like them these are, by the label of the strategy.
    completions
        What models replied, a row a completion; see `CompletionRow`. Empty if that was not kept.
    noise
        By how much rounding changes the answers of each model of which that was measured, by name.
    looks
        Which analysis of these people it is; `analysis` is corrected for it already.
    followed
        Whether it is the analysis that was frozen before; None if none was.
    """

    question: str
    study: Study
    analysis: Analysis
    answers: pd.DataFrame
    supervised: Mapping[str, Sequence[str]]
    lineages: Mapping[str, Lineage] = field(default_factory=dict)
    in_template: frozenset[str] = frozenset()
    history: str = ""
    presentation: str = ""
    elicitation: str = ""
    matches: Mapping[str, MatchQuality] = field(default_factory=dict)
    completions: pd.DataFrame = field(default_factory=pd.DataFrame)
    noise: Mapping[str, Noise] = field(default_factory=dict)
    looks: Looks = field(default_factory=Looks)
    followed: Followed | None = None

    @cached_property
    def sha256(self) -> str:
        """Hex digest of all that models answered, which everything here follows from.

        Baselines follow from it too, and are not part of it: their last digits are the machine's.
        """
        digest = hashlib.sha256()
        of_models = self.answers[self.answers["model"] != BASELINE]
        for table in (of_models, self.completions):
            digest.update(pd.util.hash_pandas_object(table, index=False).to_numpy().tobytes())
        return digest.hexdigest()

    @cached_property
    def histories(self) -> list[str]:
        """How many trials before its own the model could read, shortest first, "all" last."""
        wanted = [str(history) for history in self.answers["history"].unique()]
        return sorted(wanted, key=lambda one: int(one) if one.isdecimal() else np.inf)

    @cached_property
    def presentations(self) -> Mapping[str, list[str]]:
        """How each model read sessions, by its name, in the order in which that was asked."""
        return self._by_model("presentation")

    @cached_property
    def elicitations(self) -> Mapping[str, list[str]]:
        """How answers of each model were read, by its name, in the order in which it was asked."""
        return self._by_model("elicitation")

    @property
    def several_elicitations(self) -> bool:
        return max(map(len, self.elicitations.values()), default=0) > 1

    @property
    def read_by(self) -> Mapping[str, str]:
        """How the answers of each model were read that everything here is about, by its name."""
        return {
            model: self.elicitation or wanted[0]
            for model, wanted in self.elicitations.items()
            if not self.elicitation or self.elicitation in wanted
        }

    def _by_model(self, column: str) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for (model, value), _ in rows_by(self.answers, ["model", column]):
            if model != BASELINE:
                found.setdefault(model, []).append(value)
        return found

    def at(self, history: int | str = "", presentation: str = "", elicitation: str = "") -> Self:
        """The same results with another history, presentation or elicitation.

        An elicitation is of the models that were asked so.

        Raises
        ------
        GeppettoError
            If that was not asked.
        """
        wanted = Slice(
            str(history) or self.history,
            presentation or self.presentation,
            elicitation or self.elicitation,
        )
        presented, read = (
            list(dict.fromkeys(itertools.chain(*of_models.values())))
            for of_models in (self.presentations, self.elicitations)
        )
        for name, one, there in zip(SLICE, wanted, (self.histories, presented, read), strict=True):
            if one and one not in there:
                raise GeppettoError(
                    f"{name} {one} was not asked; there are {', '.join(filter(None, there)) or 0}"
                )
        if wanted not in self._others:
            self._others[wanted] = replace(self, **wanted._asdict())
        return self._others[wanted]

    @cached_property
    def _others(self) -> dict[Slice, Self]:
        return {Slice(self.history, self.presentation, self.elicitation): self}

    @cached_property
    def of_sessions(self) -> bool:
        """Whether people's sessions are predicted, and not their responses to shared items."""
        return self.responses.of_sessions

    @cached_property
    def measures(self) -> tuple[Measure, ...]:
        """The measures that are shown: see `measures_of`, and of samples the Brier score."""
        sampled = "brier" in self.decided_by.values()
        return (*measures_of(self.responses), *(("brier",) if sampled else ()))

    @cached_property
    def decided_by(self) -> Mapping[str, Measure]:
        """The measure of the verdicts that answer the question, by the name of the model.

        Of samples it is the Brier score, which is without bias. The NLL of smoothed shares is not:
        smoothing caps what a model loses that is too sure, so that what hurts may seem to help.
        """
        sampled = {
            one.condition.model
            for one in self.of_language_models
            if one.counts is not None and np.isfinite(one.brier).any()
        }
        models = dict.fromkeys(one.condition.model for one in self.of_language_models)
        exact = measures_of(self.responses)[0]
        return {model: "brier" if model in sampled else exact for model in models}

    @property
    def measure(self) -> Measure:
        """The measure that decides for every model together: Brier if any of them was sampled."""
        return "brier" if "brier" in self.decided_by.values() else self.measures[0]

    @property
    def left_out(self) -> Mapping[str, str]:
        """Why tables that surveys have do not exist here, by their names."""
        if not self.of_sessions:
            return {}
        return NOT_IN_SESSIONS | ({} if "nll" in self.measures else {"calibration": ALL_OPEN})

    def must_apply(self, table: str) -> None:
        """Refuse a table that does not exist here."""
        if table in self.left_out:
            raise GeppettoError(f"{table}: not of these sessions, since {self.left_out[table]}")

    @cached_property
    def planned(self) -> pd.DataFrame:
        """The answers as they are read here, unscored ones included, with all baselines."""
        if not (self.elicitation or self.several_elicitations):
            return self.answers
        wanted = {**self.read_by, BASELINE: ""}
        return self.answers[self.answers["model"].map(wanted) == self.answers["elicitation"]]

    @cached_property
    def _matched(self) -> tuple[pd.DataFrame, dict[str, int]]:
        try:
            return matched(self.planned)
        except NothingScoredError as error:
            raise GeppettoError("\n".join([str(error), *unread(self.completions)])) from error

    @property
    def unscored(self) -> Mapping[str, int]:
        """How many cells were left out of every condition, by reason."""
        return self._matched[1]

    @cached_property
    def predictions(self) -> tuple[Predictions, ...]:
        """The answers as arrays, a condition each."""
        return tuple(predictions(self.in_slice(self._matched[0])))

    def in_slice(self, answers: pd.DataFrame) -> pd.DataFrame:
        """Those of some answers that are of the history and the presentation of these results."""
        if len(self.histories) > 1:
            answers = answers[answers["history"] == (self.history or self.histories[-1])]
        first = answers.groupby("model", sort=False)["presentation"].transform("first")
        return answers[answers["presentation"] == (self.presentation or first)]

    @property
    def conditions(self) -> list[Condition]:
        """Models with their strategies and arms, baselines last."""
        return [found.condition for found in self.predictions]

    @property
    def responses(self) -> Responses:
        """What people responded."""
        return self.predictions[0].responses

    @property
    def of_language_models(self) -> list[Predictions]:
        """What models predicted, without baselines."""
        return [found for found in self.predictions if found.condition.model != BASELINE]

    @property
    def _baselines(self) -> list[Predictions]:
        return [found for found in self.predictions if found.condition.model == BASELINE]

    @cached_property
    def calibrated(self) -> Calibrated:
        """What models would have predicted at other temperatures."""
        return Calibrated(self.responses, self.of_language_models)

    def predicted(self, measure: Measure) -> Sequence[Predictions]:
        """The predictions that a measure is of."""
        must_exist(measure, self.responses)
        match measure:
            case "nll_calibrated":
                return [*self.calibrated.by_model, *self._baselines]
            case "nll_each_calibrated":
                return [*self.calibrated.by_condition, *self._baselines]
            case "brier":
                return self._in_brier[0]
        return self.predictions

    @property
    def without_brier(self) -> int:
        """How many cells of each condition have no Brier score: one has fewer than two samples."""
        return self._in_brier[1]

    @cached_property
    def _in_brier(self) -> tuple[list[Predictions], int]:
        """The predictions of those cells that all conditions have a Brier score of."""
        shown = np.isfinite(self.predictions[0].nll).any(0)
        unknown = np.logical_or.reduce(
            [(np.isfinite(one.nll) & np.isnan(one.brier)).any(0) for one in self.predictions]
        )
        if not (shown & ~unknown).any():
            raise GeppettoError(
                "measure brier: one sample says nothing of how sure a model is; ask `samples` "
                "with a `k` of at least 2"
            )
        kept = [one.without(unknown) for one in self.predictions]
        return kept, int((shown & unknown).sum())

    @cached_property
    def resampling(self) -> Resampling:
        """How people are drawn: whole, with their clusters, by their weights if so analysed."""
        return drawn(self.responses.weight, self.responses.cluster, self.analysis)
