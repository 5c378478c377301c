"""How good a candidate is for each person of a batch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from geppetto._util.errors import GeppettoError
from geppetto.answers.local import Unit, answer, unanswered_of
from geppetto.answers.store import AnswerStore
from geppetto.answers.table import answers_table
from geppetto.elicitation.option_likelihood import Normalisation, OptionScores
from geppetto.evaluation.metrics import participant_metrics
from geppetto.evaluation.predictions import predictions
from geppetto.experiment.persona_writers import Writers
from geppetto.models.base import Scorer
from geppetto.personas.arms import Arm, Own, Shuffled
from geppetto.planning.assignment import PersonaCache
from geppetto.planning.build import make_plan
from geppetto.planning.elicited import by_likelihood
from geppetto.planning.plan import Plan, Strategy
from geppetto.prompts.survey import Layout
from geppetto.studies import Study


@dataclass(frozen=True)
class Candidate:
    """A strategy with all its parameters, in a layout."""

    strategy: Strategy
    layout: Layout


@dataclass(frozen=True)
class BatchScores:
    """What one batch of people says of a candidate.

    Attributes
    ----------
    scores
        The value of each objective for each person, by participant id.
    anew, reused
        Answers that were computed for it, and that were stored already.
    computed
        Distinct tokens that were computed.
    """

    scores: Mapping[str, tuple[float, ...]]
    anew: int = 0
    reused: int = 0
    computed: int = 0


class InfeasibleError(GeppettoError):
    """A candidate cannot be scored on everybody; the message says why."""


class CandidateScorer(Protocol):
    """Scores a candidate on the people of one batch, by participant id.

    Raises `InfeasibleError` if the candidate cannot be scored on all of them.
    """

    def __call__(self, candidate: Candidate, people: Sequence[str]) -> BatchScores: ...


@dataclass(frozen=True)
class ModelScorer:
    """Asks a model what is not stored yet.

    For `information` everybody's strangers are all others of the batch: people's own personas
    answer for them, so that they need no further prompts.
    Objectives are of `geppetto.planning.search_config.DIRECTIONS`.
    """

    study: Study
    items: tuple[str, ...]
    model: Scorer
    store: AnswerStore
    objectives: tuple[str, ...]
    normalisation: Normalisation
    writers: Writers

    def __call__(self, candidate: Candidate, people: Sequence[str]) -> BatchScores:
        plan = self._plan(candidate, people)
        answers, computed = self._answer(plan)
        table = answers_table(plan, answers, self.study, "search", self.normalisation)
        unscorable = table[table["status"] != "scored"]
        if len(unscorable):
            raise InfeasibleError(f"{len(unscorable):,} answers: {unscorable['reason'].iloc[0]}")
        metrics = participant_metrics(predictions(table)).set_index("participant")
        own = metrics[metrics["arm"] == Own.name].copy()
        own["tokens"] = table[table["arm"] == Own.name].groupby("participant")["tokens"].mean()
        own["information"] = metrics["nll"][metrics["arm"] == Shuffled.name] - own["nll"]
        values = own.loc[list(people), list(self.objectives)].to_numpy(float)
        for person, objective in np.argwhere(~np.isfinite(values)):
            raise GeppettoError(
                f"search: objective {self.objectives[objective]!r} has no value for participant "
                f"{people[person]} of study {self.study.name}; take another objective, or other "
                "items"
            )
        scores = dict(zip(people, map(tuple, values.tolist()), strict=True))
        anew = sum(len(unit.ids) for unit in computed)
        tokens = sum(unit.distinct_tokens for unit in computed)
        return BatchScores(scores, anew, len(answers) - anew, tokens)

    def _plan(self, candidate: Candidate, people: Sequence[str]) -> Plan:
        arms: list[Arm] = [Own()]
        if "information" in self.objectives:
            arms.append(Shuffled(donors=len(people) - 1))
        participants = [self.study.people[name] for name in people]

        def plans() -> list[Plan]:
            try:
                self._refuse_trained_on(candidate.strategy, people)
                plan = make_plan(
                    self.study,
                    participants,
                    self.items,
                    [candidate.strategy],
                    arms,
                    candidate.layout,
                    [by_likelihood(self.model)],
                )
            except GeppettoError as error:
                raise InfeasibleError(str(error)) from error
            return [plan]

        (plan,) = self.writers.complete(plans)
        if plan.dropped:
            reasons = Counter(plan.dropped.values()).items()
            out = "; ".join(f"{count:,} {why}" for why, count in reasons)
            raise InfeasibleError(f"left out of {len(people):,} people: {out}")
        return plan

    def _refuse_trained_on(self, strategy: Strategy, people: Sequence[str]) -> None:
        made_it = PersonaCache(self.study, strategy, self.items, [strategy.rule]).trained_on
        if trained_on := made_it.intersection(people):
            raise GeppettoError(
                f"left out of {len(people):,} people: {len(trained_on):,} whose answers the "
                f"program of {strategy.label} was made from; take other `participants`, or name no "
                "`program`"
            )

    def _answer(self, plan: Plan) -> tuple[dict[str, OptionScores], list[Unit]]:
        """Every answer of a plan, and what was computed for it."""
        try:
            left = unanswered_of(plan, self.model, self.store)
        except GeppettoError as error:
            raise InfeasibleError(str(error)) from error
        computed = [unit for _, unit in answer(self.model, left, self.store) if unit]
        return self.store.get(plan.scored(self.model.identity.name)), computed
