"""geppetto from a notebook: run a file or its search, improve a writer, pool several results."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geppetto.evaluation.inference.verdicts import Verdict
    from geppetto.evaluation.pooling import PooledGaps
    from geppetto.evaluation.results import Results
    from geppetto.search.confirm import Confirmation
    from geppetto.search.optimisers import Optimiser
    from geppetto.search.run_optimise import Improvement


def run(
    experiment: str | Path,
    workspace: str | Path = ".",
    *,
    retry_errors: bool = False,
    frozen: str | Path | None = None,
) -> Results:
    """Run an experiment file and give what it found, as `geppetto run` does without its output.

    Answers that exist are not asked again, so running once more only evaluates. Results are
    logged to MLflow; what cannot be logged is a warning, and is logged by the next run.

    Parameters
    ----------
    experiment
        Path of an experiment file.
    workspace
        Folder with `personas/`, whose `mlruns/` keeps answers and results.
    retry_errors
        Whether to ask again what failed for good, such as time-outs.
    frozen
        A plan that `freeze` wrote; by default the one beside the experiment file, if there is one.
        What was done otherwise is in `followed` of the results.

    Raises
    ------
    GeppettoError
        If the file is missing or does not fit, a part of it does not exist, or a model behind an
        interface cannot be asked.
    BudgetReached
        If the experiment's budget is, which is a GeppettoError too; every answer so far is kept,
        and running it again goes on from there.

    Examples
    --------
    >>> import geppetto
    >>> results = geppetto.run("experiments/bfi_personas.yaml")  # doctest: +SKIP
    >>> results.effects()[["effect", "nats", "nats_low", "nats_high"]]  # doctest: +SKIP
    """
    from geppetto._util.errors import GeppettoError
    from geppetto.planning.config import Experiment

    studies = len(Experiment.from_file(Path(experiment)).each)
    if studies > 1:
        raise GeppettoError(
            f"{experiment}: this experiment has {studies} studies; run_each gives the results of "
            "every one"
        )
    return run_each(experiment, workspace, retry_errors=retry_errors, frozen=frozen)[0]


def run_each(
    experiment: str | Path,
    workspace: str | Path = ".",
    *,
    retry_errors: bool = False,
    frozen: str | Path | None = None,
) -> list[Results]:
    """Run an experiment file with several studies: what it found in each; see `run`.

    Nothing is asked before the plans of all studies are made.

    Examples
    --------
    >>> import geppetto
    >>> found = geppetto.run_each("experiments/psych201_personas.yaml")  # doctest: +SKIP
    >>> geppetto.pool(found)  # doctest: +SKIP
    """
    from geppetto._util.errors import errors_in
    from geppetto.answers.completions import CompletionStore
    from geppetto.answers.local import unanswered
    from geppetto.answers.status import forget_errors
    from geppetto.answers.store import AnswerStore
    from geppetto.experiment.persona_writers import Writers
    from geppetto.experiment.prepare import draft_each
    from geppetto.experiment.preregistration import plan_to_follow
    from geppetto.experiment.run import run as run_prepared
    from geppetto.models.budget import BudgetTracker
    from geppetto.models.endpoint.secrets import read_keys
    from geppetto.planning.config import Experiment

    path, folder = Path(experiment), Path(workspace)
    to_follow = plan_to_follow(path, frozen)
    read_keys(folder)
    store = AnswerStore.of_workspace(folder)
    with errors_in(path):
        wanted = Experiment.from_file(path)
        tracker = BudgetTracker(wanted.budget)
        writers = Writers(wanted, folder, tracker)
        prepared = writers.complete(lambda: draft_each(wanted, folder))
        missing = [unanswered(each, store) for each in prepared]
        for each in prepared if retry_errors else ():
            forget_errors(each, CompletionStore.of_workspace(folder))
    found = []
    for each, left in zip(prepared, missing, strict=True):
        results, run = run_prepared(each, left, store, folder, tracker=tracker, frozen=to_follow)
        _warn(run.failures)
        found.append(results)
    return found


def _warn(failures: Sequence[str]) -> None:
    """Say what failed alone after everything was asked, where there is something else to return."""
    for sentence in failures:
        warnings.warn(sentence, RuntimeWarning, stacklevel=3)


def freeze(experiment: str | Path, workspace: str | Path = ".") -> Path:
    """Write the plan of an experiment beside its file, to be posted before anything is asked.

    It has the question, hashes of the plan, of the data and of all people together, models,
    strategies, the contrasts and how they are corrected, the smallest effect of interest, when to
    stop, versions, and earlier looks at these people; no trait, no response and no id. A later run
    says in what it did otherwise.

    Returns
    -------
    pathlib.Path
        The file: `<experiment>.frozen.yaml`.

    Raises
    ------
    GeppettoError
        If there is one already, or the experiment cannot be planned.

    Examples
    --------
    >>> import geppetto
    >>> geppetto.freeze("experiments/bfi_personas.yaml").name  # doctest: +SKIP
    'bfi_personas.frozen.yaml'
    """
    from geppetto._util.errors import errors_in
    from geppetto.experiment import preregistration as freezing
    from geppetto.experiment.prepare import prepare_each
    from geppetto.planning.config import Experiment

    path, folder = Path(experiment), Path(workspace)
    target = freezing.frozen_file(path)
    with errors_in(path):
        freezing.freeze(prepare_each(Experiment.from_file(path), folder), target, folder)
    return target


def run_search(experiment: str | Path, workspace: str | Path = ".") -> Confirmation:
    """Run the search of an experiment file, as `geppetto search` does without its output.

    Trials and answers that exist are not made again, so running once more only evaluates.
    Everything is logged to MLflow.

    Parameters
    ----------
    experiment
        Path of an experiment file with a `search`.
    workspace
        Folder with `personas/`, whose `mlruns/` keeps trials, answers and results.

    Returns
    -------
    Confirmation
        What test people say of the winner; its `search` is the `SearchResult`.

    Raises
    ------
    GeppettoError
        If the file is missing or does not fit, or no candidate can be scored or confirmed.
    BudgetReached
        If the experiment's budget is; see `run`.

    Examples
    --------
    >>> import geppetto
    >>> confirmation = geppetto.run_search("experiments/bfi_search.yaml")  # doctest: +SKIP
    >>> print(*confirmation.sentences, sep="\\n")  # doctest: +SKIP
    """
    from geppetto._util.errors import errors_in
    from geppetto.models.endpoint.secrets import read_keys
    from geppetto.search import run as searching
    from geppetto.search.prepare import search_of_file

    path = Path(experiment)
    read_keys(Path(workspace))
    prepared = search_of_file(path, Path(workspace))
    with errors_in(path):
        confirmation = searching.search(prepared)
    _warn(confirmation.failures)
    return confirmation


def optimise(
    experiment: str | Path,
    strategy: str,
    parameters: Mapping[str, Any],
    workspace: str | Path = ".",
    *,
    optimiser: Optimiser = "gepa",
    reflector: str = "",
    calls: int = 200,
) -> Improvement:
    """Improve what a writer of personas is told, as `geppetto optimise` does without its output.

    Parameters
    ----------
    experiment
        Path of an experiment file with a `search`, on whose search people it is improved and on
        whose test people it is confirmed.
    strategy, parameters
        A strategy whose personas a model writes, and its parameters: its `writer`, and others.
    workspace
        Folder with `personas/`, in whose `programs/` the result is saved.
    optimiser, calls
        See `geppetto.search.instruction.optimise`.
    reflector
        Who thinks of better instructions; the writer if not given.

    Raises
    ------
    GeppettoError
        If the file is missing or does not fit, or the strategy cannot be optimised or confirmed.
    BudgetReached
        If the experiment's budget is; see `run`.

    Examples
    --------
    >>> import geppetto
    >>> writer = {"writer": "openai/gpt-4o-mini"}
    >>> geppetto.optimise("experiments/bfi_search.yaml", "life_story", writer)  # doctest: +SKIP
    """
    from geppetto._util.errors import GeppettoError, errors_in, unknown
    from geppetto.experiment.strategies import open_strategy
    from geppetto.models.endpoint.secrets import read_keys
    from geppetto.personas.generated import GeneratedStrategy
    from geppetto.search.optimisers import Optimiser
    from geppetto.search.prepare import search_of_file
    from geppetto.search.run_optimise import improve

    if optimiser not in get_args(Optimiser):
        raise unknown("optimiser", optimiser, get_args(Optimiser))
    path, folder = Path(experiment), Path(workspace)
    read_keys(folder)
    prepared = search_of_file(path, folder)
    rule = open_strategy(strategy, parameters, folder, prepared.experiment.models)
    if not isinstance(rule, GeneratedStrategy):
        raise GeppettoError(
            f"{strategy} writes its personas itself, so there is no instruction to improve; name "
            "a strategy with a `writer`"
        )
    with errors_in(path):
        return improve(
            prepared, strategy, rule, optimiser, reflector=reflector or rule.writer, calls=calls
        )


def pool(results: Sequence[Results]) -> list[Verdict]:
    """The verdicts of several studies together, for every comparison that all of them made.

    Studies count the same. Intervals are of a nested bootstrap: studies are drawn, then people
    within them, so they say what to expect of another study like these. If a study has open
    responses, which have no legal options, all are compared by `nll_full`.

    Raises
    ------
    GeppettoError
        If there are fewer than two studies, one of them twice, or they were analysed, worded or
        read from models differently.

    Examples
    --------
    >>> import geppetto
    >>> geppetto.pool([])
    Traceback (most recent call last):
    geppetto._util.errors.GeppettoError: ...
    """
    from geppetto.evaluation.pooling import pooled

    return pooled(results)


def pool_gaps(results: Sequence[Results]) -> PooledGaps:
    """The gaps of pairs of models over several studies, and over those of each category.

    Studies count and are drawn as in `pool`. A study's category is said in its codebook.

    Raises
    ------
    GeppettoError
        As `pool`; or if there is no pair that all results have.

    Examples
    --------
    >>> import geppetto
    >>> geppetto.pool_gaps([])
    Traceback (most recent call last):
    geppetto._util.errors.GeppettoError: ...
    """
    from geppetto.evaluation.pooling import pooled_gaps

    return pooled_gaps(results)
