"""A better instruction for a writer of personas, from search people to what others say of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mlflow

from geppetto.answers.store import AnswerStore
from geppetto.asking import unanswered
from geppetto.personas.library import load_strategy
from geppetto.personas.written import WrittenStrategy
from geppetto.plan import Strategy
from geppetto.results import Results
from geppetto.running import run
from geppetto.search.confirm import check_confirmation, prepare_confirmation
from geppetto.search.instruction import Optimised, Optimiser, optimise
from geppetto.search.looks import remember
from geppetto.search.optimise import open_study
from geppetto.search.prepare import PreparedSearch
from geppetto.search.scoring import Candidate
from geppetto.tracking.store import TrackedRun

PROGRAMS = "programs"
"""Folder of the workspace in which compiled programs are kept."""


@dataclass(frozen=True, eq=False)
class Improvement:
    """What became of a strategy's instruction.

    Attributes
    ----------
    optimised
        What search people say of it.
    results
        The ladder of arms on test people, with the compiled program as the strategy "winner" and
        the experiment's own strategies beside it.
    tracked
        The run that has the results and the program.
    """

    optimised: Optimised
    results: Results
    tracked: TrackedRun


def improve(
    prepared: PreparedSearch,
    name: str,
    rule: WrittenStrategy,
    optimiser: Optimiser,
    *,
    reflector: str,
    calls: int,
) -> Improvement:
    """Improve a strategy's instruction on search people and confirm it on the others.

    The program is saved as `programs/<experiment>-<strategy>-<optimiser>.json` of the workspace,
    for a later experiment to name, and once more as an artifact of the run. Both uses of people
    are looks that are remembered and corrected for, as those of a search are.

    Parameters
    ----------
    prepared
        The search whose people, items and layout are taken; its `strategies` are what the program
        is compared with, so name the strategy without a program among them.
    name, rule
        The strategy's name and what is improved.
    optimiser, reflector, calls
        See `geppetto.search.instruction.optimise`.

    Raises
    ------
    GeppettoError
        If the strategy cannot be optimised or its program cannot be confirmed.
    """
    answers = AnswerStore.of_workspace(prepared.workspace)
    writers = prepared.writers
    writers.having_written(lambda: check_confirmation(prepared))
    question = f"{prepared.name} {optimiser} {rule.made_of}"
    remember(open_study(prepared), question, prepared.study.name, prepared.split.search)
    file = Path(PROGRAMS) / f"{prepared.experiment.name}-{name}-{optimiser}.json"
    optimised = optimise(
        prepared,
        rule,
        optimiser,
        {each: writers.speaker(each) for each in dict.fromkeys((rule.writer, reflector))},
        answers,
        prepared.workspace / file,
        reflector=reflector,
        calls=calls,
    )
    parameters = rule.model_dump(exclude_defaults=True) | {"program": str(file)}
    models = prepared.experiment.models
    compiled = load_strategy(name, parameters, prepared.workspace, models)
    best = Candidate(Strategy(name, name, compiled), prepared.experiment.layout)
    asked = writers.having_written(lambda: prepare_confirmation(prepared, best))
    results, tracked = run(asked, unanswered(asked, answers), answers, prepared.workspace)
    _log(tracked, optimised)
    return Improvement(optimised, results, tracked)


def _log(tracked: TrackedRun, optimised: Optimised) -> None:
    """The program and what search people say of it, in the run of the confirmation."""
    client = mlflow.MlflowClient()
    client.log_artifact(tracked.run_id, str(optimised.state), "program")
    for name in ("before", "after", "failed_before", "failed_after", "cases"):
        client.log_metric(tracked.run_id, f"optimised_{name}", float(getattr(optimised, name)))
