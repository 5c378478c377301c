"""What a search found on the people it was allowed to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import optuna
import pandas as pd
from optuna.trial import FixedTrial, FrozenTrial

from geppetto.planning.search_config import DIRECTIONS
from geppetto.search.importance import importances
from geppetto.search.prepare import PreparedSearch
from geppetto.search.scoring import Candidate
from geppetto.search.trials import FINISHED, PLACE, REASON, WORK, person_scores, state


@dataclass(frozen=True, eq=False)
class SearchResult:
    """A finished search.

    Examples
    --------
    >>> import geppetto
    >>> found = geppetto.run_search("experiments/bfi_search.yaml").search  # doctest: +SKIP
    >>> found.trials.sort_values("information").tail()  # doctest: +SKIP

    Attributes
    ----------
    search, test
        Ids of the people it was made on, and of those it has not seen.
    objectives
        Which way is better, "maximize" or "minimize", by the name of the objective.
    trials
        A row a trial, in the order of their places: number (Optuna's), state ("complete",
        "pruned" or "infeasible"), strategy (its label), parameters, a column for each objective
        (its mean over the people scored), people (how many), asked and reused (answers), computed
        (distinct tokens), seconds, and reason (why it is infeasible).
    scores
        A table for each objective: a row a complete trial by its number, a column a person.
    winner
        The best complete trial's candidate, by the first objective.
    best
        Numbers of the complete trials that no other is better than in every respect, the winner
        first; with one objective the winner alone.
    importances
        Share of each parameter in the differences between complete trials; see `importances`.
    ended
        Why the search is over, in words.
    points
        How many candidates there are; None if infinitely many.
    tokens
        Distinct tokens computed, by interrupted trials too.
    """

    name: str
    search: tuple[str, ...]
    test: tuple[str, ...]
    objectives: Mapping[str, str]
    trials: pd.DataFrame
    scores: Mapping[str, pd.DataFrame]
    winner: Candidate
    best: tuple[int, ...]
    importances: Mapping[str, float]
    ended: str
    points: int | None
    tokens: int

    @property
    def anew(self) -> int:
        """Answers that the search's trials had computed."""
        return int(self.trials["asked"].sum())

    @property
    def exhaustive(self) -> int | None:
        """Answers that scoring every candidate on everybody would need; None if infinitely many.

        Counted as if every candidate needed as many as the complete trials did on average.
        """
        complete = self.trials[self.trials["state"] == "complete"]
        each = (complete["asked"] + complete["reused"]).mean()
        return None if self.points is None else round(self.points * each)


def result(prepared: PreparedSearch, study: optuna.Study, ended: str) -> SearchResult:
    """What the trials of a search found, of which at least one is complete."""
    everything = study.get_trials(deepcopy=False)
    trials = [trial for trial in everything if trial.state in FINISHED]
    trials.sort(key=lambda trial: trial.user_attrs[PLACE])
    complete = [trial for trial in trials if state(trial) == "complete"]
    objectives = prepared.settings.objective
    people = list(prepared.study.people)
    found = {trial.number: person_scores(trial, people) for trial in trials}
    searched = list(prepared.split.search)
    best = _best(complete, [DIRECTIONS[name] for name in objectives])
    return SearchResult(
        name=prepared.name,
        search=prepared.split.search,
        test=prepared.split.test,
        objectives={name: DIRECTIONS[name] for name in objectives},
        trials=pd.DataFrame([_row(trial, found[trial.number], objectives) for trial in trials]),
        scores={
            name: pd.DataFrame(
                [[found[t.number][person][place] for person in searched] for t in complete],
                index=pd.Index([trial.number for trial in complete], name="trial"),
                columns=pd.Index(searched, name="participant"),
            )
            for place, name in enumerate(objectives)
        },
        winner=prepared.candidate(prepared.space.draw(FixedTrial(best[0].params))),
        best=tuple(trial.number for trial in best),
        importances=importances(study),
        ended=ended,
        points=prepared.space.size,
        tokens=sum(trial.user_attrs.get("computed", 0) for trial in everything),
    )


def _row(
    trial: FrozenTrial, scores: Mapping[str, Sequence[float]], objectives: Sequence[str]
) -> dict[str, object]:
    values = list(scores.values())
    means = np.mean(values, axis=0) if values else np.full(len(objectives), np.nan)
    return {
        "number": trial.number,
        "state": state(trial),
        "strategy": trial.user_attrs["strategy"],
        "parameters": trial.user_attrs["parameters"],
        **dict(zip(objectives, means.tolist(), strict=True)),
        "people": len(values),
        **{key: trial.user_attrs.get(key, 0) for key in WORK},
        "seconds": trial.user_attrs["seconds"],
        "reason": trial.user_attrs.get(REASON, ""),
    }


def _best(complete: Sequence[FrozenTrial], directions: Sequence[str]) -> list[FrozenTrial]:
    """Trials that no other is better than, the best by the first objective first.

    Of trials that are equally good, the earliest is the one that counts.
    """
    signs = np.array([1 if direction == "maximize" else -1 for direction in directions])
    values = {trial.number: tuple(np.array(trial.values) * signs) for trial in complete}
    ranked = sorted(complete, key=lambda trial: values[trial.number], reverse=True)
    front: list[FrozenTrial] = []
    for trial in ranked:
        mine = values[trial.number]
        if not any(np.all(np.array(values[other.number]) >= mine) for other in front):
            front.append(trial)
    return front
