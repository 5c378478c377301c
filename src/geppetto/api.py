"""geppetto from a notebook: run an experiment file or its search, pool several results."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geppetto.evaluation.verdicts import Verdict
    from geppetto.pooling import PooledGaps
    from geppetto.results import Results
    from geppetto.search.confirm import Confirmation


def run(experiment: str | Path, workspace: str | Path = ".") -> Results:
    """Run an experiment file and give what it found, as `geppetto run` does without its output.

    Answers that exist are not asked again, so running once more only evaluates. Results are
    logged to MLflow.

    Parameters
    ----------
    experiment
        Path of an experiment file.
    workspace
        Folder with `personas/`, whose `mlruns/` keeps answers and results.

    Raises
    ------
    GeppettoError
        If the file is missing or does not fit, or a part of it does not exist.
    """
    from geppetto.errors import GeppettoError
    from geppetto.experiment import Experiment

    studies = len(Experiment.from_file(Path(experiment)).each)
    if studies > 1:
        raise GeppettoError(
            f"{experiment}: this experiment has {studies} studies; run_each gives the results of "
            "every one"
        )
    return run_each(experiment, workspace)[0]


def run_each(experiment: str | Path, workspace: str | Path = ".") -> list[Results]:
    """Run an experiment file with several studies: what it found in each; see `run`.

    Nothing is asked before the plans of all studies are made.
    """
    from geppetto.answers.store import AnswerStore
    from geppetto.asking import unanswered
    from geppetto.commissioning import Writers
    from geppetto.errors import errors_in
    from geppetto.experiment import Experiment, prepare_each
    from geppetto.models.secrets import read_keys
    from geppetto.running import run as run_prepared
    from geppetto.spending import Spending

    path, folder = Path(experiment), Path(workspace)
    read_keys(folder)
    store = AnswerStore.of_workspace(folder)
    with errors_in(path):
        asked = Experiment.from_file(path)
        spending = Spending(asked.budget)
        writers = Writers(asked, folder, spending)
        prepared = writers.having_written(lambda: prepare_each(asked, folder))
        missing = [unanswered(each, store) for each in prepared]
    return [
        run_prepared(each, left, store, folder, spending=spending)[0]
        for each, left in zip(prepared, missing, strict=True)
    ]


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
    """
    from geppetto import searching
    from geppetto.errors import errors_in
    from geppetto.models.secrets import read_keys
    from geppetto.search.prepare import search_of_file

    path = Path(experiment)
    read_keys(Path(workspace))
    prepared = search_of_file(path, Path(workspace))
    with errors_in(path):
        return searching.search(prepared)


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
    """
    from geppetto.pooling import pooled

    return pooled(results)


def pool_gaps(results: Sequence[Results]) -> PooledGaps:
    """The gaps of pairs of models over several studies, and over those of each category.

    Studies count and are drawn as in `pool`. A study's category is said in its codebook.

    Raises
    ------
    GeppettoError
        As `pool`; or if there is no pair that all results have.
    """
    from geppetto.pooling import pooled_gaps

    return pooled_gaps(results)
