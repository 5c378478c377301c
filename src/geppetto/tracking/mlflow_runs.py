"""Experiments in MLflow: a parent run an experiment, a child run a condition."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import mlflow
import pandas as pd
from matplotlib.figure import Figure
from mlflow.data.code_dataset_source import CodeDatasetSource
from mlflow.entities import Metric

from geppetto.answers.generated_texts import GeneratedTextStore
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.results import Results
from geppetto.evaluation.rows import CONDITION
from geppetto.evaluation.tables import effects_table
from geppetto.planning.analysis_config import PERMUTATIONS
from geppetto.planning.plan import BASELINE, Condition
from geppetto.planning.prepared import Prepared
from geppetto.reports import figures
from geppetto.reports.pairs import LADDER
from geppetto.reports.text import conclusion
from geppetto.tracking import completions as parsed
from geppetto.tracking import params
from geppetto.tracking.store import IDENTITY, TrackedRun, experiment_id, log_batch, using

ANSWERS = "geppetto.answers"
"""The tag that says of which answers the results of a run are; one without it has others."""

LOOKS = "geppetto.looks"
"""The tag that says what p-values were multiplied by for looks at the same people."""

FOLLOWED = "geppetto.frozen"
"""The tag that says whether a plan that was frozen before was followed, and in what it was not."""


def begin(prepared: Prepared, workspace: Path) -> TrackedRun:
    """Freeze the plan in MLflow before anything is asked.

    A run of the same plan is taken up again, which may have been interrupted; the plan of a
    finished one is not logged again.
    """
    with using(workspace):
        client = mlflow.MlflowClient()
        in_experiment = experiment_id(prepared.experiment.name, workspace)
        known = client.search_runs([in_experiment], f"tags.`{IDENTITY}` = '{prepared.sha256}'")
        for run in known:
            if run.info.status == "FINISHED":
                return TrackedRun(run.info.run_id, finished=False)
        if known:
            run_id = known[0].info.run_id
        else:
            tags = {IDENTITY: prepared.sha256}
            run = client.create_run(in_experiment, tags=tags, run_name=prepared.experiment.name)
            run_id = run.info.run_id
        mlflow.start_run(run_id=run_id)
        try:
            _log_plan(prepared)
            written = GeneratedTextStore.of_workspace(workspace).get(prepared.plan.generations)
            mlflow.log_metrics(parsed.personas(list(written.values())))
        finally:
            mlflow.end_run("RUNNING")
        return TrackedRun(run_id, finished=False)


def _log_plan(prepared: Prepared) -> None:
    experiment, plan, study = prepared.experiment, prepared.plan, prepared.study
    mlflow.set_tags(
        {
            "geppetto.plan": plan.sha256,
            "geppetto.data": study.sha256,
            "mlflow.note.content": experiment.question,
        }
    )
    mlflow.log_params(params.of_plan(prepared))
    mlflow.log_dict(experiment.model_dump(mode="json"), "experiment.yaml")
    mlflow.log_dict(
        {
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
        },
        "plan.json",
    )
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
        name=study.name,
        digest=study.sha256[:8],
    )
    mlflow.log_input(dataset, context="evaluation")


def finish(tracked: TrackedRun, prepared: Prepared, results: Results) -> TrackedRun:  # noqa: C901  optional parts
    """Log the whole result, unless just that was logged before, and mark the run as finished.

    What was logged of other answers, or by a call that was interrupted, is replaced: its child
    runs are deleted, its files overwritten (which `mlflow.log_table` would append to).
    """
    client = mlflow.MlflowClient()
    parent = client.get_run(tracked.run_id)
    told = {ANSWERS: results.sha256, LOOKS: str(results.analysis.looks)}
    if results.followed:
        told[FOLLOWED] = results.followed.sentence[:5000]
    is_of_these = told.items() <= parent.data.tags.items()
    if parent.info.status == "FINISHED" and is_of_these:
        return replace(tracked, finished=True)
    verdicts = results.verdicts()
    confirmatory = [verdict for verdict in verdicts if verdict.confirmatory]
    with mlflow.start_run(run_id=tracked.run_id):
        for child in client.search_runs(
            [parent.info.experiment_id], f"tags.`mlflow.parentRunId` = '{tracked.run_id}'"
        ):
            client.delete_run(child.info.run_id)
        mlflow.set_tags(
            told
            | {
                "mlflow.note.content": _note(prepared, results),
                "geppetto.conclusion": conclusion(verdicts),
            }
            | {f"{_contrast(v)}.{slug(_name(v))}": v.outcome for v in confirmatory}
        )
        mlflow.log_metrics(
            {
                f"{_section(v)}{_contrast(v)}/{slug(_name(v))}": v.effect.nats.value
                for v in confirmatory
            }
        )
        if results.followed:
            mlflow.log_text(results.followed.text, "frozen.yaml")
            mlflow.log_text("\n".join(results.followed.departures), "departures.txt")
        if results.pairs:
            _log_pairs(results)
        mlflow.log_metrics(parsed.numbers(results.completions))
        if results.several_elicitations:
            for elicitation, completions in results.completions.groupby("elicitation"):
                section = f"replies/{slug(str(elicitation))}"
                mlflow.log_metrics(parsed.numbers(completions, section))
            _log_figure(results.plot.elicitations(), "elicitations.png")
        for name, table in (_tables(results) | parsed.tables(results)).items():
            mlflow.log_text(table.to_csv(index=False), f"{name}.csv")
        _log_parquet(results.answers, "answers.parquet")
        if len(results.completions):
            _log_parquet(results.completions.drop(columns="text"), "replies.parquet")
        if verdicts:
            _log_figure(results.plot.effects(), "effects.png")
        _log_figure(results.plot.participants(), "participants.png")
        if "calibration" not in results.left_out:
            _log_figure(results.plot.calibration(), "calibration.png")
        for by in results.along if verdicts else ():
            _log_figure(results.plot.effects(by), f"effects_by_{by}.png")
        for condition in results.conditions:
            with mlflow.start_run(
                experiment_id=parent.info.experiment_id, run_name=condition.label, nested=True
            ):
                _log_condition(prepared, results, condition)
    return tracked


def _log_pairs(results: Results) -> None:
    """Figures and numbers of pairs of models; `_tables` has their tables."""
    gaps = results.found_gaps()
    mlflow.log_metrics({f"gap/{slug(gap.pair.post)}": gap.nats.value for gap in gaps})
    mlflow.set_tags({f"gap.{slug(gap.pair.post)}": gap.outcome for gap in gaps})
    _log_figure(results.plot.gaps(), "gaps.png")
    _log_figure(results.plot.gaps_by_generation(), "gaps_by_generation.png")
    if results.found_recoveries():
        _log_figure(results.plot.recoveries(), "recoveries.png")
    if any(verdict.effect.contrast.name in LADDER for verdict in results.verdicts()):
        _log_figure(results.plot.persona_effects(), "persona_effects.png")


def _note(prepared: Prepared, results: Results) -> str:
    """The run's description in the UI: the question and what was found."""
    verdicts = results.verdicts()
    words = [f"- {verdict.sentence}" for verdict in verdicts if verdict.confirmatory]
    words += [f"- {gap.sentence}" for gap in (results.found_gaps() if results.pairs else ())]
    looks = [results.looks.sentence] if results.looks.sentence else []
    return "\n\n".join(
        [f"**{prepared.experiment.question}**", conclusion(verdicts), *looks, "\n".join(words)]
    )


def _name(verdict: Verdict) -> str:
    return f"{verdict.effect.model} {verdict.effect.strategy}"


def _contrast(verdict: Verdict) -> str:
    return verdict.effect.contrast.name


def _tables(results: Results) -> dict[str, pd.DataFrame]:
    """Every table of the parent run by name."""
    every = [verdict for m in results.measures for verdict in results.verdicts(measure=m)]
    tables = {
        "conditions": results.metrics,
        "items": lambda: results.metrics(by="item"),
        "effects": lambda: effects_table(every),
        "individuation": results.individuation,
        "calibration": results.calibration,
        "second_opinion": results.second_opinion,
        "skill": results.skill,
        "ceilings": results.ceilings,
    }
    told = {name: table() for name, table in tables.items() if name not in results.left_out}
    if results.of_sessions:
        told["identification"] = results.individuation()
        told["left_out"] = pd.DataFrame(results.left_out.items(), columns=["table", "reason"])
    if results.pairs:
        every_measure = results.measures
        told["gaps"] = pd.concat([results.gaps(measure) for measure in every_measure])
        told["recoveries"] = pd.concat([results.recoveries(measure) for measure in every_measure])
    for by in results.along:
        told |= {f"effects_by_{by}": results.effects(by), f"changes_by_{by}": results.changes(by)}
    return told


def _log_condition(prepared: Prepared, results: Results, condition: Condition) -> None:
    numbers: dict[str, float] = {}
    for section, table in (
        ("", results.metrics()),
        *([] if "calibration" in results.left_out else [("", results.calibration())]),
        ("tells_apart/", results.individuation()),  # after what the UI's tables should show first
    ):
        for row in table[(table[CONDITION] == list(condition)).all(axis=1)].to_dict("records"):
            numbers |= {f"{section}{name}": value for name, value in _numbers(row).items()}
    tags: dict[str, str] = {}
    for verdict in results.verdicts():
        effect = verdict.effect
        if Condition(effect.model, effect.strategy, effect.contrast.better) == condition:
            numbers |= _effect_metrics(verdict)
            tags[f"verdict.{effect.contrast.name}"] = verdict.outcome
            if verdict.confirmatory:
                noted = tags.get("mlflow.note.content", "")
                tags["mlflow.note.content"] = f"{noted}\n\n{verdict.sentence}".strip()
    (elicitation, *_) = results.elicitations.get(condition.model, [""])
    if len(results.completions):
        wanted = results.completions[["elicitation", *CONDITION]] == [elicitation, *condition]
        numbers |= parsed.numbers(results.completions[wanted.all(axis=1)])
    people = results.metrics(by="participant")
    mine = people[(people[CONDITION] == list(condition)).all(axis=1)]
    shown = ("nll", "accuracy") if "nll" in results.measures else ("nll_full",)
    now = int(time.time() * 1000)
    points = [Metric(name, value, now, 0) for name, value in numbers.items()]
    for measure in shown:
        ranked = enumerate(sorted(mine[measure].dropna().tolist()), 1)
        name = f"participants/{measure}_by_rank"  # as one curve, which charts can show
        points += [Metric(name, value, now, rank) for rank, value in ranked]
    run = mlflow.active_run()
    assert run is not None
    of_condition = params.of_condition(prepared, condition, elicitation)
    log_batch(run.info.run_id, of_condition, points, tags)
    mlflow.log_table(mine.drop(columns=CONDITION), "participants.json")
    if condition.model != BASELINE:
        _log_figure(figures.participant_distribution(people, condition), "participants.png")
    for name, text in _sample_prompts(prepared, condition):
        mlflow.log_text(text, f"prompts/{name}.txt")


def _numbers(row: Mapping[Any, Any]) -> dict[str, float]:
    """The finite numbers of a table's row as metrics; what does not exist is left out."""
    numbers = {
        str(name): float(value)
        for name, value in row.items()
        if name not in (*CONDITION, "participants") and not isinstance(value, str)
    }
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def _section(verdict: Verdict) -> str:
    """What stands before the names of an effect's metrics that are no nats."""
    return "brier_" if verdict.effect.measure == "brier" else ""


def _effect_metrics(verdict: Verdict) -> dict[str, float]:
    """An effect's numbers in a section of their own: saved/information, and so on.

    Those of Brier scores are in brier_saved, since they are no nats.

    A d_z that does not exist, because everybody's difference is the same, is left out, and so is a
    p of equivalence that is withheld.
    """
    effect, name = verdict.effect, f"{_section(verdict)}saved/{verdict.effect.contrast.name}"
    numbers = {
        name: effect.nats.value,
        f"{name}_low": effect.nats.low,
        f"{name}_high": effect.nats.high,
        f"{name}_per_person": effect.nats_per_person.value,
        f"{name}_d_z": effect.d_z.value,
        f"{name}_improved": effect.improved.value,
        f"{name}_worst_tenth": effect.worst_tenth.value,
        f"{name}_p": verdict.p_adjusted,
        f"{name}_p_equivalent": verdict.equivalence_p,
    }
    return {key: value for key, value in numbers.items() if math.isfinite(value)}


def _sample_prompts(prepared: Prepared, condition: Condition) -> Iterator[tuple[str, str]]:
    """What is sent first for each of the first participants in each elicitation, under a name."""
    plan = prepared.plan
    first = set(plan.participants[: prepared.experiment.sample_prompts])
    by_requests = {elicited.key: elicited for elicited in prepared.by_requests}
    shown: set[tuple[str, str]] = set()
    for planned in plan.answers:
        of = planned.participant, planned.elicitation
        if planned.condition != condition or planned.participant not in first or of in shown:
            continue
        shown.add(of)
        name = slug(f"{planned.participant}_{planned.item}_{planned.elicitation}")
        key = planned.model, planned.elicitation
        if key in by_requests:
            yield name, by_requests[key].sent(plan.questions[key][planned.request])
        else:
            yield name, plan.read(condition.model, [planned.request])[planned.request]


def _log_parquet(table: pd.DataFrame, name: str) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        table.to_parquet(path, index=False)
        mlflow.log_artifact(str(path))


def _log_figure(figure: Figure, name: str) -> None:
    mlflow.log_figure(figure, name)
    plt.close(figure)


def slug(label: str) -> str:
    """A label as a part of a metric's name, which may hold no brackets or commas."""
    return "".join(c if c.isalnum() or c in "_-. " else "_" for c in label).strip("_")
