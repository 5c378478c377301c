"""Searches in MLflow: a parent run a search, a child run a trial, and the confirmation."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import pandas as pd
from mlflow.entities import Metric, Run
from optuna.trial import FrozenTrial

from geppetto._util.errors import Failures
from geppetto.personas.average import average
from geppetto.personas.visibility import blocks, persona, view
from geppetto.planning.prepared import Prepared
from geppetto.prompts.survey import Layout, render
from geppetto.reports.text import in_markdown
from geppetto.search.confirm import Confirmation, described
from geppetto.search.prepare import PreparedSearch
from geppetto.search.result import SearchResult
from geppetto.search.trials import BEGAN, FINISHED, REASON, WORK, person_scores, state
from geppetto.tracking import files, mlflow_runs
from geppetto.tracking.names import MOST, cut, names
from geppetto.tracking.names import registered as registered_as
from geppetto.tracking.store import (
    IDENTITY,
    PARENT,
    UNUSABLE,
    TrackedRun,
    experiment_id,
    log_batch,
    using,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TRIAL = "geppetto.trial"
"""The tag of a trial's run that holds its number in Optuna's study."""

CONFIRMED = "geppetto.confirmation"
"""The tag of a search's run that holds its confirmation's run, once all is logged."""

TRIALS = "geppetto.trials"
"""The tag that says after how many trials that was."""


def begin(prepared: PreparedSearch) -> TrackedRun:
    """The run of a search, made before anything is tried; that of an earlier process if any."""
    with using(prepared.workspace) as client:
        experiment = prepared.experiment
        in_experiment = experiment_id(client, experiment.name, prepared.workspace)
        known = client.search_runs([in_experiment], f"tags.`{IDENTITY}` = '{prepared.sha256}'")
        if known:
            return TrackedRun(known[0].info.run_id, known[0].info.status == "FINISHED")
        tags = {IDENTITY: prepared.sha256}
        called = cut(f"search {experiment.name}", MOST)
        run = client.create_run(in_experiment, tags=tags, run_name=called)
        run_id = str(run.info.run_id)
        settings = prepared.settings
        params = {
            "study": prepared.study.name,
            "model": prepared.model.identity.name,
            "items": len(prepared.items),
            "people_searched": len(prepared.split.search),
            "people_kept": len(prepared.split.test),
            "candidates": prepared.space.size or "infinitely many",
            "objective": ", ".join(settings.objective),
            "sampler": settings.sampler,
            "prune": settings.prune,
            "batch": settings.batch,
            "seed": settings.seed,
            "precision": experiment.precision,
            "geppetto": version("geppetto"),
        }
        note = {"mlflow.note.content": f"**{in_markdown(experiment.question)}**"}
        log_batch(client, run_id, params=params, tags=note)
        files.experiment(client, run_id, experiment)
        client.log_dict(
            run_id,
            {"search": list(prepared.split.search), "test": list(prepared.split.test)},
            "people.json",
        )
        return TrackedRun(run_id, finished=False)


def log_trials(
    tracked: TrackedRun, prepared: PreparedSearch, trials: Sequence[FrozenTrial]
) -> None:
    """Log the finished ones of some trials that have no run yet.

    No other process may do so at the same time.
    """
    with using(prepared.workspace) as client:
        parent = client.get_run(tracked.run_id)
        of = f"tags.`{PARENT}` = '{tracked.run_id}'"
        children = client.search_runs([parent.info.experiment_id], of, max_results=50_000)
        logged = {run.data.tags.get(TRIAL) for run in children if run.info.status != "RUNNING"}
        missing = [t for t in trials if t.state in FINISHED and str(t.number) not in logged]
        if missing and parent.info.status != "RUNNING":  # more trials were asked for
            client.update_run(tracked.run_id, "RUNNING")
        for trial in missing:
            for run in children:  # half logged by a process that was killed
                if run.data.tags.get(TRIAL) == str(trial.number):
                    client.delete_run(run.info.run_id)
            _log_trial(client, parent, prepared, trial)


def _log_trial(
    client: mlflow.MlflowClient, parent: Run, prepared: PreparedSearch, trial: FrozenTrial
) -> None:
    outcome = state(trial)
    layout = Layout.model_validate(trial.user_attrs["parameters"]["layout"])
    label = described(trial.user_attrs["strategy"], layout)
    run = client.create_run(
        parent.info.experiment_id,
        run_name=cut(f"{trial.number}: {label}", MOST),
        start_time=_began(trial),
        tags={PARENT: parent.info.run_id, TRIAL: str(trial.number), "geppetto.state": outcome},
    )
    people = list(prepared.study.people)
    scores = person_scores(trial, people)
    now = int(time.time() * 1000)
    metrics = []  # what comes first is what the UI plots at first
    for place, objective in enumerate(prepared.settings.objective):
        values = [score[place] for score in scores.values()]
        if values:
            metrics.append(Metric(objective, sum(values) / len(values), now, 0))
        metrics += [
            Metric(f"participants/{objective}", score[place], now, people.index(person))
            for person, score in scores.items()
        ]
    metrics.append(Metric("people", float(len(scores)), now, 0))
    metrics += [
        Metric(f"work/{key}", float(trial.user_attrs[key]), now, 0)
        for key in (*WORK, "seconds")
        if key in trial.user_attrs
    ]
    of_trial = {"strategy": trial.params["strategy"], "state": outcome}
    of_strategy = f"{trial.params['strategy']}."
    for name, value in trial.params.items():
        axis = name.removeprefix(of_strategy)  # what several strategies have is one axis of plots
        of_trial.setdefault(name if axis in of_trial else axis, value)
    reason = {"geppetto.reason": trial.user_attrs.get(REASON, "")}
    log_batch(client, run.info.run_id, params=of_trial, metrics=metrics, tags=reason)
    status = "FINISHED" if outcome == "complete" else "KILLED"
    ended = _began(trial) + int(1000 * trial.user_attrs.get("seconds", 0))
    client.set_terminated(run.info.run_id, status, ended)


def _began(trial: FrozenTrial) -> int:
    """When a trial began, in milliseconds of UTC as MLflow counts them."""
    said = trial.user_attrs.get(BEGAN)
    moment = trial.datetime_start if said is None else datetime.fromisoformat(said)
    assert moment is not None
    return int(moment.timestamp() * 1000)


def begin_confirmation(tracked: TrackedRun, wanted: Prepared, workspace: Path) -> TrackedRun:
    """The run of a confirmation, under that of its search."""
    confirmed = mlflow_runs.begin(wanted, workspace)
    with using(workspace) as client:
        tags = {PARENT: tracked.run_id, "mlflow.runName": "confirmation"}
        log_batch(client, confirmed.run_id, tags=tags)
    return confirmed


def finish(
    tracked: TrackedRun,
    prepared: PreparedSearch,
    confirmation: Confirmation,
    confirmed: TrackedRun,
) -> tuple[str, ...]:
    """Log what was found and confirmed, register the winner's prompt, end the run.

    Nothing is logged if just that was logged before. Of a search that went on, metrics are logged
    anew. What cannot be computed or drawn fails alone; then all is logged once more the next time.

    Raises
    ------
    GeppettoError
        If the store cannot be reached or written any more.

    Returns
    -------
    tuple[str, ...]
        What could not be logged, in a sentence each.
    """
    found, failures = confirmation.search, Failures()
    with using(prepared.workspace) as client:
        run = client.get_run(tracked.run_id)
        tags = {CONFIRMED: confirmed.run_id, TRIALS: str(len(found.trials))}
        if run.info.status == "FINISHED" and tags.items() <= run.data.tags.items():
            return ()
        for what, log in _parts(client, tracked, prepared, confirmation):
            with failures.alone(what, UNUSABLE):
                log()
        if not failures.sentences:
            log_batch(client, tracked.run_id, tags=tags)
        client.set_terminated(tracked.run_id, "FAILED" if failures.sentences else "FINISHED")
    return tuple(failures.sentences)


def _parts(
    client: mlflow.MlflowClient,
    tracked: TrackedRun,
    prepared: PreparedSearch,
    confirmation: Confirmation,
) -> Iterator[tuple[str, Callable[[], None]]]:
    """All that is logged of a search at its end: what it is, and how."""
    run_id, found, experiment = tracked.run_id, confirmation.search, prepared.experiment

    def numbers() -> None:
        metrics = {
            name: float(value)
            for name, value in _numbers(confirmation).items()
            if math.isfinite(value)
        }
        text = in_markdown("\n\n".join(confirmation.sentences))
        tags = {
            "geppetto.conclusion": confirmation.conclusion,
            "geppetto.winner": described(found.winner.strategy.label, found.winner.layout),
            "mlflow.note.content": f"**{in_markdown(experiment.question)}**\n\n{text}",
        }
        log_batch(client, run_id, metrics=metrics, tags=tags)

    from geppetto.search import figures  # which loads matplotlib

    def trials() -> pd.DataFrame:
        return found.trials.assign(parameters=found.trials["parameters"].map(json.dumps))

    def importances() -> Figure | None:
        return figures.importances(found.importances) if found.importances else None

    yield "the conclusion", numbers
    yield "the experiment", partial(files.experiment, client, run_id, experiment)
    yield "trials.csv", partial(files.csv, client, run_id, trials, "trials.csv")
    for objective, scores in found.scores.items():
        name = f"scores_{objective}.csv"
        yield name, partial(client.log_text, run_id, scores.to_csv(), name)
    trials_drawn = partial(figures.trials, confirmation)
    yield "trials.png", partial(files.figure, client, run_id, trials_drawn, "trials.png")
    yield "importances.png", partial(files.figure, client, run_id, importances, "importances.png")
    yield "the winner's prompt", partial(_register, client, tracked, prepared, found)


def _numbers(confirmation: Confirmation) -> dict[str, float]:
    found, estimate = confirmation.search, confirmation.confirmed
    numbers: dict[str, float] = {
        "search_score": confirmation.searched,
        "test_score": estimate.value,
        "test_score_low": estimate.low,
        "test_score_high": estimate.high,
        "optimism": confirmation.optimism,
        "trials": len(found.trials),
        "complete": len(confirmation.search.scores[confirmation.objective]),
        "asked": found.anew,
        "computed": found.tokens,
        "looks": confirmation.looks,
    }
    if confirmation.selection_optimism is not None:
        numbers |= {
            "expected_optimism": confirmation.selection_optimism.optimism,
            "best_of_equals": confirmation.selection_optimism.best_of_equals,
        }
    named = names((name,) for name in found.importances)
    weights = found.importances.items()
    return numbers | {f"importance/{named[name,]}": weight for name, weight in weights}


def _register(
    client: mlflow.MlflowClient,
    tracked: TrackedRun,
    prepared: PreparedSearch,
    found: SearchResult,
) -> None:
    """Keep the winner's prompt as an artifact and in the prompt registry.

    It is the prompt of the average of the people searched on, so that it shows nobody.
    """
    prompt = winning_prompt(prepared, found)
    client.log_text(tracked.run_id, prompt, "winner.txt")
    candidate = found.winner
    name = registered_as(f"{prepared.experiment.name}-winner")
    tags = {
        "search": prepared.name,
        "run": tracked.run_id,
        "strategy": candidate.strategy.label,
        "parameters": json.dumps(candidate.strategy.rule.model_dump(mode="json")),
        "layout": json.dumps(candidate.layout.model_dump(mode="json")),
    }
    registered = mlflow.genai.load_prompt(name, allow_missing=True, cache_ttl_seconds=0)
    if registered is None or registered.template != prompt or registered.tags != tags:
        registered = mlflow.genai.register_prompt(
            name,
            prompt,
            commit_message=cut(
                f"{candidate.strategy.label}, best of {len(found.trials)} trials", MOST
            ),
            tags=tags,
        )
    client.link_prompt_version_to_run(tracked.run_id, registered)


def winning_prompt(prepared: PreparedSearch, found: SearchResult) -> str:
    """What the winner makes of the average of the people searched on, for the first item."""
    study, rule = prepared.study, found.winner.strategy.rule
    item = prepared.items[0]
    block = next(b for b in blocks(rule, study, prepared.items) if item in b.predicted)
    mean = average([study.people[name] for name in found.search], study)
    own = persona(rule, view(rule, mean, study, block), study, block)
    template = prepared.model.template
    return render(study, study.items[item], own, found.winner.layout, template).text
