"""What Optuna keeps of a trial of a search, and how it is read again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from optuna.trial import FrozenTrial, TrialState

PROCESS = "process"
"""The attribute of a trial that says which process runs it."""

BEGAN = "began"
"""When it began, in UTC: Optuna's own times are those of wherever a process happens to be."""

PLACE = "place"
"""Its place in the search, from 0: a trial has that of the interrupted one it stands in for."""

REASON = "reason"
"""Why it is infeasible."""

SCORES = "scores"
"""Everybody's values by participant id, of a complete trial with several objectives.

One objective's values are a trial's intermediate values, by the participant's position in the
study.
"""

WORK = {"asked": "anew", "reused": "reused", "computed": "computed"}
"""Its work so far: the names that are stored, with the fields of `BatchScores` that they are of."""

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
"""States of trials that count. A failed trial was interrupted; another one takes its place."""


def state(trial: FrozenTrial) -> Literal["complete", "pruned", "infeasible"]:
    """How a trial that counts has ended."""
    if REASON in trial.user_attrs:
        return "infeasible"
    return "complete" if trial.state is TrialState.COMPLETE else "pruned"


def person_scores(trial: FrozenTrial, people: Sequence[str]) -> Mapping[str, Sequence[float]]:
    """The value of each objective for each person who was scored, by participant id.

    With several objectives the trial must be complete. `people` are in the order of the study.
    """
    if SCORES in trial.user_attrs:
        found: Mapping[str, Sequence[float]] = trial.user_attrs[SCORES]
        return found
    return {people[place]: (value,) for place, value in sorted(trial.intermediate_values.items())}
