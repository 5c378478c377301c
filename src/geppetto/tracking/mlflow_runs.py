"""Experiments in MLflow: a parent run an experiment, a child run a condition."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.entities import Dataset, DatasetInput, InputTag
from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

from geppetto._util.errors import Failures, GeppettoError
from geppetto.answers.generated_texts import GeneratedTextStore
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.results import Results
from geppetto.evaluation.tables import effects_table
from geppetto.planning.analysis_config import PERMUTATIONS
from geppetto.planning.prepared import Prepared
from geppetto.reports.text import conclusion, in_markdown
from geppetto.tracking import completions as parsed
from geppetto.tracking import conditions, files, params
from geppetto.tracking.conditions import SECTION, contrast_of, named_of, section_of
from geppetto.tracking.names import MOST, cut, names
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

PAGE = "_report.html"
"""The page of what was found; its name puts it before all other files."""

ANSWERS = "geppetto.answers"
"""The tag that says of which answers the results of a run are; one without it has others."""

LOOKS = "geppetto.looks"
"""The tag that says what p-values were multiplied by for looks at the same people."""

FOLLOWED = "geppetto.frozen"
"""The tag that says whether a plan that was frozen before was followed, and in what it was not."""

FAILED = "geppetto.failed"
"""The tag that says what of a run could not be computed or drawn, and why."""


def begin(prepared: Prepared, workspace: Path) -> TrackedRun:
    """Freeze the plan in MLflow before anything is asked.

    A run of the same plan is taken up again, which may have been interrupted; the plan of a
    finished one is not logged again.
    """
    with using(workspace) as client:
        in_experiment = experiment_id(client, prepared.experiment.name, workspace)
        known = client.search_runs([in_experiment], f"tags.`{IDENTITY}` = '{prepared.sha256}'")
        for run in known:
            if run.info.status == "FINISHED":
                return TrackedRun(run.info.run_id, finished=False)
        if known:
            run_id = known[0].info.run_id
            client.update_run(run_id, "RUNNING")
        else:
            tags = {IDENTITY: prepared.sha256}
            named = cut(prepared.experiment.name, MOST)
            run_id = client.create_run(in_experiment, tags=tags, run_name=named).info.run_id
        _log_plan(client, run_id, prepared)
        written = GeneratedTextStore.of_workspace(workspace).get(prepared.plan.generations)
        log_batch(client, run_id, metrics=parsed.personas(list(written.values())))
        return TrackedRun(run_id, finished=False)


def _log_plan(client: MlflowClient, run_id: str, prepared: Prepared) -> None:
    experiment, plan, study = prepared.experiment, prepared.plan, prepared.study
    tags = {
        "geppetto.plan": plan.sha256,
        "geppetto.data": study.sha256,
        "mlflow.note.content": in_markdown(experiment.question),
    }
    log_batch(client, run_id, params=params.of_plan(prepared), tags=tags)
    files.experiment(client, run_id, experiment)
    frozen = {
        "plan_sha256": plan.sha256,
        "study_sha256": study.sha256,
        "participants": plan.participants,
        "dropped": dict(plan.dropped),
        "models": params.model_params(prepared),
        "arms": {arm.name: arm.model_dump() for arm in prepared.arms},
        "matches": {strategy: asdict(quality) for strategy, quality in plan.matches.items()},
        "analysis": experiment.analysis.model_dump(),
        "permutations": PERMUTATIONS,
        "versions": params.versions(),
    }
    client.log_dict(run_id, frozen, "plan.json")
    people = [study.people[p] for p in plan.participants]
    responses = pd.DataFrame(
        [
            dict(person.responses)
            if person.session is None
            else {"responses": f"{len(person.session.spans)}"}
            for person in people
        ]
    )
    dataset = mlflow.data.from_pandas(  # type: ignore[attr-defined] # made at run time
        responses,
        source=CodeDatasetSource({"study": study.name}),
        name=cut(study.name, MOST),
        digest=study.sha256[:8],
    )
    used = DatasetInput(
        Dataset(**dataset.to_dict()), [InputTag(MLFLOW_DATASET_CONTEXT, "evaluation")]
    )
    client.log_inputs(run_id, [used])


def finish(
    tracked: TrackedRun, prepared: Prepared, results: Results, workspace: Path
) -> TrackedRun:
    """Log the whole result, unless just that was logged before, and mark the run as finished.

    What was logged of other answers, or by a call that was interrupted, is replaced: its child
    runs are deleted, its files overwritten. What cannot be computed or drawn fails alone; then the
    run is marked as failed, and logged once more the next time.

    Raises
    ------
    GeppettoError
        If the store cannot be reached or written any more.
    """
    with using(workspace) as client:
        parent = client.get_run(tracked.run_id)
        told = {ANSWERS: results.sha256, LOOKS: str(results.analysis.looks)}
        if results.followed:
            told[FOLLOWED] = results.followed.sentence
        if parent.info.status == "FINISHED" and told.items() <= parent.data.tags.items():
            return replace(tracked, finished=True)
        client.update_run(tracked.run_id, "RUNNING")
        for child in client.search_runs(
            [parent.info.experiment_id], f"tags.`{PARENT}` = '{tracked.run_id}'"
        ):
            client.delete_run(child.info.run_id)
        if FAILED in parent.data.tags:
            client.delete_tag(tracked.run_id, FAILED)
        log_batch(client, tracked.run_id, tags=told)
        failures = Failures()
        for what, log in _parts(client, tracked.run_id, prepared, results):
            with failures.alone(what, UNUSABLE):
                log()
        for condition in results.conditions:
            with failures.alone(f"the run of {condition.label}", UNUSABLE):
                named = cut(condition.label, MOST)
                below = {PARENT: tracked.run_id}
                run = client.create_run(parent.info.experiment_id, tags=below, run_name=named)
                conditions.log(client, run.info.run_id, prepared, results, condition, failures)
                client.set_terminated(run.info.run_id)
        if failed := failures.sentences:
            log_batch(client, tracked.run_id, tags={FAILED: " ".join(failed)})
        client.set_terminated(tracked.run_id, "FAILED" if failed else "FINISHED")
        return replace(tracked, failures=tuple(failed))


def _parts(
    client: MlflowClient, run_id: str, prepared: Prepared, results: Results
) -> Iterator[tuple[str, Callable[[], None]]]:
    """All that is logged of an experiment besides its conditions: what it is, and how."""
    yield PAGE, partial(_log_page, client, run_id, prepared, results)
    yield "answers.parquet", partial(_log_answers, client, run_id, results)
    yield "verdicts", partial(_log_verdicts, client, run_id, prepared, results)
    yield "the frozen plan", partial(_log_frozen, client, run_id, results)
    yield "numbers of replies", partial(_log_completions, client, run_id, results)
    yield "numbers of pairs", partial(_log_pairs, client, run_id, results)
    for name, table in (_tables(results) | parsed.tables(results)).items():
        yield f"{name}.csv", partial(files.csv, client, run_id, table, f"{name}.csv")
    for name, draw in _figures(results).items():
        yield name, partial(files.figure, client, run_id, draw, name)


def _log_page(client: MlflowClient, run_id: str, prepared: Prepared, results: Results) -> None:
    from geppetto.reports.page import page

    failures = Failures()
    client.log_text(run_id, page([(prepared, results)], failures), PAGE)
    if failures.sentences:
        raise GeppettoError(" ".join(failures.sentences))


def _log_answers(client: MlflowClient, run_id: str, results: Results) -> None:
    files.parquet(client, run_id, results.answers, "answers.parquet")
    if len(results.completions):
        without_text = results.completions.drop(columns="text")
        files.parquet(client, run_id, without_text, "replies.parquet")


def _log_verdicts(client: MlflowClient, run_id: str, prepared: Prepared, results: Results) -> None:
    verdicts = results.verdicts()
    numbers, tags = _of_verdicts([each for each in verdicts if each.confirmatory])
    tags |= {
        "mlflow.note.content": _note(prepared, results),
        "geppetto.conclusion": conclusion(verdicts),
    }
    log_batch(client, run_id, metrics=numbers, tags=tags)


def _log_frozen(client: MlflowClient, run_id: str, results: Results) -> None:
    if results.followed:
        client.log_text(run_id, results.followed.text, "frozen.yaml")
        client.log_text(run_id, "\n".join(results.followed.departures), "departures.txt")


def _log_completions(client: MlflowClient, run_id: str, results: Results) -> None:
    log_batch(client, run_id, metrics=parsed.numbers(results.completions))
    if results.several_elicitations:
        of = {str(name): rows for name, rows in results.completions.groupby("elicitation")}
        named = names((name,) for name in of)
        for name, rows in of.items():
            numbers = parsed.numbers(rows, f"replies/{named[name,]}")
            log_batch(client, run_id, metrics=numbers)


def _of_verdicts(verdicts: Sequence[Verdict]) -> tuple[dict[str, float], dict[str, str]]:
    """Metrics and tags of a parent run, of what answers its question."""
    contrasts = names(((contrast_of(v),) for v in verdicts), SECTION)
    named = names((named_of(v) for v in verdicts), MOST - SECTION)
    numbers, tags = {}, {}
    for verdict in verdicts:
        contrast, name = contrasts[contrast_of(verdict),], named[named_of(verdict)]
        numbers[f"{section_of(verdict)}{contrast}/{name}"] = verdict.effect.nats.value
        tags[f"{contrast}.{name}"] = verdict.outcome
    return {key: value for key, value in numbers.items() if math.isfinite(value)}, tags


def _log_pairs(client: MlflowClient, run_id: str, results: Results) -> None:
    """Numbers of pairs of models; `_tables` has their tables."""
    if results.pairs:
        gaps = results.found_gaps()
        named = names((gap.pair.post,) for gap in gaps)
        numbers = {f"gap/{named[gap.pair.post,]}": gap.nats.value for gap in gaps}
        tags = {f"gap.{named[gap.pair.post,]}": gap.outcome for gap in gaps}
        log_batch(client, run_id, metrics=numbers, tags=tags)


def _figures(results: Results) -> dict[str, Callable[[], Figure | None]]:
    """Every figure of the parent run by its file, of those that there is something for."""
    plot = results.plot

    def persona_effects() -> Figure | None:
        from geppetto.reports.pairs import LADDER  # which loads matplotlib

        shown = any(verdict.effect.contrast.name in LADDER for verdict in results.verdicts())
        return plot.persona_effects() if shown else None

    figures: dict[str, Callable[[], Figure | None]] = {
        "effects.png": lambda: plot.effects() if results.verdicts() else None,
        "participants.png": plot.participants,
    }
    if "calibration" not in results.left_out:
        figures["calibration.png"] = plot.calibration
    if results.several_elicitations:
        figures["elicitations.png"] = plot.elicitations
    if results.pairs:
        figures |= {
            "gaps.png": plot.gaps,
            "gaps_by_generation.png": plot.gaps_by_generation,
            "recoveries.png": lambda: plot.recoveries() if results.found_recoveries() else None,
            "persona_effects.png": persona_effects,
        }
    for by in results.along:
        figures[f"effects_by_{by}.png"] = partial(
            lambda by: plot.effects(by) if results.verdicts() else None, by
        )
    return figures


def _note(prepared: Prepared, results: Results) -> str:
    """The run's description in the UI: the question and what was found."""
    verdicts = results.verdicts()
    words = [f"- {in_markdown(verdict.sentence)}" for verdict in verdicts if verdict.confirmatory]
    words += [
        f"- {in_markdown(gap.sentence)}" for gap in (results.found_gaps() if results.pairs else ())
    ]
    looks = [results.looks.sentence] if results.looks.sentence else []
    told = [in_markdown(conclusion(verdicts)), *looks, "\n".join(words)]
    return "\n\n".join([f"**{in_markdown(prepared.experiment.question)}**", *told])


def _tables(results: Results) -> dict[str, Callable[[], pd.DataFrame]]:
    """Every table of the parent run by name."""
    measures = results.measures

    def effects() -> pd.DataFrame:
        verdicts = (verdict for m in measures for verdict in results.verdicts(measure=m))
        return effects_table(verdicts, results.noise)

    tables: dict[str, Callable[[], pd.DataFrame]] = {
        "conditions": results.metrics,
        "items": lambda: results.metrics(by="item"),
        "effects": effects,
        "individuation": results.individuation,
        "calibration": results.calibration,
        "second_opinion": results.second_opinion,
        "skill": results.skill,
        "ceilings": results.ceilings,
    }
    told = {name: table for name, table in tables.items() if name not in results.left_out}
    if results.of_sessions:
        told["identification"] = results.individuation
        told["left_out"] = lambda: pd.DataFrame(
            results.left_out.items(), columns=["table", "reason"]
        )
    if results.pairs:
        told["gaps"] = lambda: pd.concat([results.gaps(m) for m in measures])
        told["recoveries"] = lambda: pd.concat([results.recoveries(m) for m in measures])
    for by in results.along:
        told[f"effects_by_{by}"] = partial(results.effects, by)
        told[f"changes_by_{by}"] = partial(results.changes, by)
    return told
