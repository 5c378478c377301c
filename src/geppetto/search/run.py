"""A search, from its first trial to what people say who had no part in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from optuna.trial import FrozenTrial

from geppetto._util.errors import Failures, GeppettoError
from geppetto.answers.local import answer, unanswered
from geppetto.answers.store import AnswerStore
from geppetto.experiment.kept import learned_in
from geppetto.experiment.looks import counted
from geppetto.experiment.results import evaluate
from geppetto.planning.prepared import Prepared
from geppetto.search import tracking as searches
from geppetto.search.confirm import (
    WINNER,
    Confirmation,
    check_confirmation,
    prepare_confirmation,
)
from geppetto.search.optimise import open_study, optimise, optimised, planned
from geppetto.search.prepare import PreparedSearch
from geppetto.search.result import SearchResult
from geppetto.tracking import mlflow_runs


def search(
    prepared: PreparedSearch,
    on_trial: Callable[[FrozenTrial], None] = lambda *_: None,
    on_found: Callable[[SearchResult], None] = lambda *_: None,
    on_answers: Callable[[int, int], None] = lambda *_: None,
) -> Confirmation:
    """Search on some people, confirm the winner on the others, and log both to MLflow.

    What an earlier call did is not done again; several processes may search the same.

    Parameters
    ----------
    on_trial
        Called with each trial of this process once it has ended.
    on_found
        Called with what was found, before it is confirmed.
    on_answers
        Called with how many answers of the confirmation there are, and how many there will be.

    Raises
    ------
    GeppettoError
        If no candidate can be scored, or the winner cannot be confirmed.

    Examples
    --------
    >>> from pathlib import Path
    >>> from geppetto.search import search
    >>> from geppetto.search.prepare import search_of_file
    >>> prepared = search_of_file(Path("experiments/bfi_search.yaml"), Path())  # doctest: +SKIP
    >>> search(prepared).conclusion  # doctest: +SKIP
    """
    prepared.writers.complete(lambda: check_confirmation(prepared))
    store = AnswerStore.of_workspace(prepared.workspace)
    if store.is_read_only:
        return _shown(prepared, store, on_found)
    prepared.choose(prepared.look(prepared.question, planned(prepared)))
    with store.alone(f"begin {prepared.sha256}"):
        tracked = searches.begin(prepared)

    def log(trials: Sequence[FrozenTrial]) -> None:
        with store.alone(f"log {prepared.sha256}"):
            searches.log_trials(tracked, prepared, trials)

    def ended(trial: FrozenTrial) -> None:
        log([trial])
        on_trial(trial)

    found = optimise(prepared, prepared.scorer(store), ended)
    log(open_study(prepared).get_trials(deepcopy=False))  # those of processes that were killed
    on_found(found)
    with store.alone(f"confirm {prepared.sha256}"):
        (wanted,) = prepared.writers.complete(
            lambda: [prepare_confirmation(prepared, found.winner)]
        )
        confirmed = searches.begin_confirmation(tracked, wanted, prepared.workspace)
        (work,) = unanswered(wanted, store).values()
        done, total = 0, work.answers
        for unit, _ in answer(prepared.model, work, store):
            done += len(unit.ids)
            on_answers(done, total)
        confirmation = _confirmed(prepared, found, wanted, store)
        failures = Failures()
        with failures.alone("logging to MLflow"):
            results = confirmation.results
            kept = mlflow_runs.finish(confirmed, wanted, results, prepared.workspace)
            # always: trials may have been added, and an earlier call stopped before this
            failed = searches.finish(tracked, prepared, confirmation, confirmed)
            return replace(confirmation, failures=(*kept.failures, *failed))
    return replace(confirmation, failures=tuple(failures.sentences))


def _confirmed(
    prepared: PreparedSearch, found: SearchResult, wanted: Prepared, store: AnswerStore
) -> Confirmation:
    results = evaluate(wanted, store, keep=learned_in(prepared.workspace))
    results = counted(wanted, results, prepared.workspace, "confirmed")
    references = tuple(each.label for each in wanted.strategies if each.label != WINNER)
    return Confirmation(found, results, references, wanted.plan.dropped)


def _shown(
    prepared: PreparedSearch, store: AnswerStore, on_found: Callable[[SearchResult], None]
) -> Confirmation:
    """What a finished search found, where nothing can be written."""
    found = optimised(prepared)
    on_found(found)
    (wanted,) = prepared.writers.complete(lambda: [prepare_confirmation(prepared, found.winner)])
    (work,) = unanswered(wanted, store).values()
    if work.answers:
        raise GeppettoError(
            f"{work.answers:,} answers of test people are missing, and the workspace cannot be "
            "written; copy it to where you may write, and search there"
        )
    return _confirmed(prepared, found, wanted, store)
