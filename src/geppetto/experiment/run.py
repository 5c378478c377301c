"""An experiment, from what is not answered yet to what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path

from geppetto._util.errors import Failures, GeppettoError, in_one_line
from geppetto.answers.capabilities import refuse_unable
from geppetto.answers.client import converse
from geppetto.answers.completions import CompletionStore
from geppetto.answers.local import Unanswered, Unit, answer
from geppetto.answers.looks import Kind
from geppetto.answers.noise import NoiseStore
from geppetto.answers.parsed import ParsedAnswer
from geppetto.answers.probes import ProbeStore
from geppetto.answers.status import answer_status
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.base import Question
from geppetto.evaluation.results import Results
from geppetto.experiment.kept import learned_in
from geppetto.experiment.looks import counted
from geppetto.experiment.preregistration import followed
from geppetto.experiment.results import evaluate
from geppetto.models.base import Scorer
from geppetto.models.budget import BudgetReached, BudgetTracker
from geppetto.planning.elicited import Elicited
from geppetto.planning.prepared import Prepared
from geppetto.tracking import mlflow_runs
from geppetto.tracking.store import TrackedRun
from geppetto.tracking.traces import traced


class NotEvaluatedError(GeppettoError):
    """Everything was answered and is kept, but what it says could not be computed or counted."""


def run(  # noqa: PLR0913  parts of a run, and who is told of it
    prepared: Prepared,
    missing: Mapping[str, Unanswered],
    store: AnswerStore,
    workspace: Path,
    on_answers: Callable[[Scorer, Unit], None] = lambda *_: None,
    on_question: Callable[[Elicited], None] = lambda *_: None,
    on_found: Callable[[Results], None] = lambda _: None,
    tracker: BudgetTracker | None = None,
    kind: Kind = "run",
    frozen: Path | None = None,
) -> tuple[Results, TrackedRun]:
    """Ask what is not answered yet, evaluate, and log to MLflow.

    The plan is logged before anything is asked, and the look at these people is kept before what
    it found is. Several processes may run the same experiment:
    they share its answers, and one of them logs what it found. What another one is asking again,
    since it had failed, this one awaits.

    Parameters
    ----------
    prepared
        The experiment.
    missing
        What is not answered yet, by model name; see `geppetto.answers.local.unanswered`.
    store
        Where answers are kept.
    workspace
        Folder whose `mlruns/` keeps results.
    on_answers
        Called with each unit of work once its answers are stored.
    on_question
        Called once all replies to one more question are stored.
    on_found
        Called with what it found before that is logged, which a slow tracking server can delay.
    tracker
        What was spent of the budget by other studies of the same experiment.
    kind
        What kind of look at people it is.
    frozen
        The frozen plan that it is to follow, if there is one.

    Raises
    ------
    GeppettoError
        If a model behind an interface cannot be asked like this, or fails.
    NotEvaluatedError
        If everything is answered, but could not be evaluated, or the look not be counted.
    BudgetReached
        If the experiment's budget is; running it again goes on from there.

    Returns
    -------
    Results, TrackedRun
        What it found, and its run, which is `finished` if just that had been logged before; it has
        no id if nothing can be written where answers are, and what they say is only shown. What of
        it could not be logged is in its `failures`.
    """
    if store.is_read_only:
        results = stored(prepared, missing, store, workspace, kind, frozen)
        on_found(results)
        return results, TrackedRun("", True)
    completions = CompletionStore.of_workspace(workspace)
    probes = ProbeStore.of_workspace(workspace)
    tracker = tracker or BudgetTracker(prepared.experiment.budget)
    for elicited in prepared.by_requests:
        refuse_unable(elicited, probes, tracker)
    task = f"log {prepared.sha256}"
    with store.alone(task):
        tracked = mlflow_runs.begin(prepared, workspace)
    noises = NoiseStore.of_workspace(workspace)
    for model in prepared.scorers:
        noises.measure(model, missing[model.identity.name])
        for unit, _ in answer(model, missing[model.identity.name], store):
            on_answers(model, unit)
    while True:
        parsed, failed = _parsed(prepared, tracked, workspace, tracker, on_question)
        results = _evaluated(prepared, store, parsed, workspace)
        with store.alone(task):
            if completions.are_errors(failed):
                results = _counted(prepared, results, workspace, kind)
                if frozen is not None:
                    results = replace(results, followed=followed(frozen, prepared, results))
                on_found(results)
                return results, _kept(tracked, prepared, results, workspace)


def _evaluated(
    prepared: Prepared, store: AnswerStore, parsed: Mapping[str, ParsedAnswer], workspace: Path
) -> Results:
    try:
        found = evaluate(prepared, store, parsed, learned_in(workspace))
        noises = NoiseStore.of_workspace(workspace).known(prepared.scorers)
        return replace(found, noise=noises)
    except GeppettoError:
        raise
    except Exception as error:
        raise NotEvaluatedError(
            "every answer is kept, but they could not be evaluated: " + in_one_line(error)
        ) from error


def _counted(prepared: Prepared, results: Results, workspace: Path, kind: Kind) -> Results:
    """The results, once it is kept that these people were looked at: without that they are not
    shown, since a look that nobody counts is free."""
    try:
        return counted(prepared, results, workspace, kind)
    except GeppettoError as error:
        raise NotEvaluatedError(
            "every answer is kept, but not that these people were looked at, and so nothing is "
            f"shown: {error}"
        ) from error


def _kept(tracked: TrackedRun, prepared: Prepared, results: Results, workspace: Path) -> TrackedRun:
    """The run once all is logged, or with a sentence on why it is not: results are never lost."""
    failures = Failures()
    with failures.alone(f"logging to MLflow run {tracked.run_id}"):
        return mlflow_runs.finish(tracked, prepared, results, workspace)
    return replace(tracked, failures=tuple(failures.sentences))


def stored(
    prepared: Prepared,
    missing: Mapping[str, Unanswered],
    store: AnswerStore,
    workspace: Path,
    kind: Kind = "run",
    frozen: Path | None = None,
) -> Results:
    """What an experiment found whose answers are all stored; nothing is asked or logged.

    Parameters are those of `run`.

    Raises
    ------
    GeppettoError
        If an answer is missing.
    """
    completions = CompletionStore.of_workspace(workspace)
    parsed: dict[str, ParsedAnswer] = {}
    left = sum(work.answers for work in missing.values())
    for elicited in prepared.by_requests:
        found = answer_status(elicited, prepared.plan.questions[elicited.key], completions)
        parsed |= found.parsed
        left += len(found.open)
    if left:
        remedy = "run it first"
        if store.is_read_only:
            remedy = (
                "the workspace cannot be written; copy it to where you may write, and run it there"
            )
        raise GeppettoError(f"{left:,} answers are missing; {remedy}")
    results = counted(prepared, _evaluated(prepared, store, parsed, workspace), workspace, kind)
    return (
        results
        if frozen is None
        else replace(results, followed=followed(frozen, prepared, results))
    )


def _parsed(
    prepared: Prepared,
    tracked: TrackedRun,
    workspace: Path,
    tracker: BudgetTracker,
    on_question: Callable[[Elicited], None],
) -> tuple[dict[str, ParsedAnswer], frozenset[str]]:
    """What models said that are asked by requests, and ids of the requests that failed for good."""
    completions = CompletionStore.of_workspace(workspace)
    parsed: dict[str, ParsedAnswer] = {}
    failed: frozenset[str] = frozenset()
    for elicited in prepared.by_requests:
        questions = prepared.plan.questions[elicited.key]
        few = prepared.experiment.sample_traces
        if few and not elicited.model.identity.is_local:
            open = answer_status(elicited, questions, completions).open
            left = ((name, one) for name, one in questions.items() if name in open)
            if some := dict(islice(left, few)):
                with traced(tracked, workspace):
                    _ask(elicited, some, completions, tracker)
        _ask(elicited, questions, completions, tracker, on_question)
        found = answer_status(elicited, questions, completions)
        parsed |= found.parsed
        failed |= found.failed
    return parsed, failed


def _ask(
    elicited: Elicited,
    questions: Mapping[str, Question],
    completions: CompletionStore,
    tracker: BudgetTracker,
    on_question: Callable[[Elicited], None] = lambda *_: None,
) -> None:
    try:
        converse(
            elicited.model,
            elicited.elicitation,
            questions,
            completions,
            tracker,
            lambda _: on_question(elicited),
        )
    except BudgetReached as reached:
        done, number = len(answer_status(elicited, questions, completions).parsed), len(questions)
        raise BudgetReached(
            f"{reached}: {done:,} of {number:,} questions to {elicited.key[0]} "
            f"({elicited.label}) are answered, {number - done:,} are left; run it again with a "
            "larger budget to go on from here"
        ) from reached
