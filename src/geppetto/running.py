"""An experiment, from what is not answered yet to what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from geppetto.abilities import refuse_unable
from geppetto.answers.heard import Heard
from geppetto.answers.looks import Kind
from geppetto.answers.probes import ProbeStore
from geppetto.answers.replies import ReplyStore
from geppetto.answers.store import AnswerStore
from geppetto.approach import ByRequests
from geppetto.asking import Unit, answer
from geppetto.conversation import converse
from geppetto.elicitation.elicitation import Question
from geppetto.experiment import Prepared, evaluate
from geppetto.freezing import followed
from geppetto.hearing import hear
from geppetto.looking import counted
from geppetto.models.base import LanguageModel
from geppetto.models.endpoint import Endpoint
from geppetto.results import Results
from geppetto.spending import BudgetReached, Spending
from geppetto.tracking import mlflow_runs
from geppetto.tracking.store import TrackedRun
from geppetto.tracking.traces import traced


def run(
    prepared: Prepared,
    missing: Mapping[str, Sequence[Unit]],
    store: AnswerStore,
    workspace: Path,
    on_answers: Callable[[LanguageModel, Unit], None] = lambda *_: None,
    on_question: Callable[[ByRequests], None] = lambda *_: None,
    spending: Spending | None = None,
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
        What is not answered yet, by model name; see `geppetto.asking.unanswered`.
    store
        Where answers are kept.
    workspace
        Folder whose `mlruns/` keeps results.
    on_answers
        Called with each unit of work once its answers are stored.
    on_question
        Called once all replies to one more question are stored.
    spending
        What was spent of the budget by other studies of the same experiment.
    kind
        What kind of look at people it is.
    frozen
        The frozen plan that it is to follow, if there is one.

    Raises
    ------
    GeppettoError
        If a model behind an interface cannot be asked like this, or fails.
    BudgetReached
        If the experiment's budget is; running it again goes on from there.

    Returns
    -------
    Results, TrackedRun
        What it found, and its run, which is `finished` if just that had been logged before.
    """
    replies = ReplyStore.of_workspace(workspace)
    probes = ProbeStore.of_workspace(workspace)
    spending = spending or Spending(prepared.experiment.budget)
    for approach in prepared.by_requests:
        refuse_unable(approach, probes, spending)
    task = f"log {prepared.sha256}"
    with store.alone(task):
        tracked = mlflow_runs.begin(prepared, workspace)
    for model in prepared.models:
        for unit, _ in answer(model, missing[model.identity.name], store):
            on_answers(model, unit)
    while True:
        heard, failed = _heard(prepared, tracked, replies, spending, on_question)
        results = evaluate(prepared, store, heard)
        with store.alone(task):
            if replies.are_errors(failed):
                results = counted(prepared, results, workspace, kind)
                if frozen is not None:
                    results = replace(results, followed=followed(frozen, prepared, results))
                return results, mlflow_runs.finish(tracked, prepared, results)


def _heard(
    prepared: Prepared,
    tracked: TrackedRun,
    replies: ReplyStore,
    spending: Spending,
    on_question: Callable[[ByRequests], None],
) -> tuple[dict[str, Heard], frozenset[str]]:
    """What models said that are asked by requests, and ids of the requests that failed for good."""
    heard: dict[str, Heard] = {}
    failed: frozenset[str] = frozenset()
    for approach in prepared.by_requests:
        questions = prepared.plan.questions[approach.key]
        few = prepared.experiment.sample_traces
        if few and isinstance(approach.speaker, Endpoint):
            unasked = hear(approach, questions, replies).open
            left = ((name, one) for name, one in questions.items() if name in unasked)
            if some := dict(islice(left, few)):
                with traced(tracked):
                    _ask(approach, some, replies, spending)
        _ask(approach, questions, replies, spending, on_question)
        found = hear(approach, questions, replies)
        heard |= found.heard
        failed |= found.failed
    return heard, failed


def _ask(
    approach: ByRequests,
    questions: Mapping[str, Question],
    replies: ReplyStore,
    spending: Spending,
    on_question: Callable[[ByRequests], None] = lambda *_: None,
) -> None:
    try:
        converse(
            approach.speaker,
            approach.elicitation,
            questions,
            replies,
            spending,
            lambda _: on_question(approach),
            approach.most_at_once,
        )
    except BudgetReached as reached:
        done, number = len(hear(approach, questions, replies).heard), len(questions)
        raise BudgetReached(
            f"{reached}: {done:,} of {number:,} questions to {approach.key[0]} "
            f"({approach.label}) are answered, {number - done:,} are left; run it again with a "
            "larger budget to go on from here"
        ) from reached
