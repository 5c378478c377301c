"""The run of a condition: its numbers, its people, and what was sent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric

from geppetto._util.errors import Failures
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.results import Results
from geppetto.evaluation.rows import CONDITION
from geppetto.planning.plan import BASELINE, Condition
from geppetto.planning.prepared import Prepared
from geppetto.reports import figures
from geppetto.reports.text import in_markdown
from geppetto.tracking import completions as parsed
from geppetto.tracking import files, params
from geppetto.tracking.names import Label, names
from geppetto.tracking.store import UNUSABLE, log_batch

SECTION = 100
"""Bytes of the name of a contrast, which stands before or after other names."""


def named_of(verdict: Verdict) -> Label:
    """Of whom a verdict is."""
    return verdict.effect.model, verdict.effect.strategy


def contrast_of(verdict: Verdict) -> str:
    """Of what a verdict is."""
    return verdict.effect.contrast.name


def log(
    client: MlflowClient,
    run_id: str,
    prepared: Prepared,
    results: Results,
    condition: Condition,
    failures: Failures,
) -> None:
    """Log all that is known of a condition; what cannot be computed or drawn fails alone."""
    (elicitation, *_) = results.elicitations.get(condition.model, [""])
    named = params.of_condition(prepared, condition, elicitation)
    log_batch(client, run_id, params=named)
    found: list[tuple[str, Callable[[], None]]] = []
    for section, what, table in (
        ("", "conditions", results.metrics),
        *([] if "calibration" in results.left_out else [("", "calibration", results.calibration)]),
        # after what the UI's tables should show first
        ("tells_apart/", "individuation", results.individuation),
    ):

        def numbers(section: str = section, table: Callable[[], pd.DataFrame] = table) -> None:
            rows = table()
            mine = rows[(rows[CONDITION] == list(condition)).all(axis=1)].to_dict("records")
            told = {f"{section}{key}": v for row in mine for key, v in _numbers(row).items()}
            log_batch(client, run_id, metrics=told)

        found.append((what, numbers))

    def completions() -> None:
        if len(results.completions):
            wanted = results.completions[["elicitation", *CONDITION]] == [elicitation, *condition]
            of_these = parsed.numbers(results.completions[wanted.all(axis=1)])
            log_batch(client, run_id, metrics=of_these)

    def figure() -> None:
        if condition.model != BASELINE:
            people = results.metrics(by="participant")
            draw = partial(figures.participant_distribution, people, condition)
            files.figure(client, run_id, draw, "participants.png")

    def prompts() -> None:
        for name, text in _sample_prompts(prepared, condition).items():
            client.log_text(run_id, text, f"prompts/{name}.txt")

    found += [
        ("verdicts", lambda: _log_verdicts(client, run_id, results, condition)),
        ("numbers of replies", completions),
        ("participants", lambda: _log_people(client, run_id, results, condition)),
        ("participants.png", figure),
        ("prompts", prompts),
    ]
    for what, logged in found:
        with failures.alone(f"{what} of {condition.label}", UNUSABLE):
            logged()


def _log_verdicts(
    client: MlflowClient, run_id: str, results: Results, condition: Condition
) -> None:
    numbers: dict[str, float] = {}
    tags: dict[str, str] = {}
    contrasts = names(((contrast_of(v),) for v in results.verdicts()), SECTION)
    for verdict in results.verdicts():
        effect = verdict.effect
        if Condition(effect.model, effect.strategy, effect.contrast.better) == condition:
            contrast = contrasts[contrast_of(verdict),]
            numbers |= _effect_metrics(verdict, contrast)
            tags[f"verdict.{contrast}"] = verdict.outcome
            if verdict.confirmatory:
                noted = tags.get("mlflow.note.content", "")
                said = in_markdown(verdict.sentence)
                tags["mlflow.note.content"] = f"{noted}\n\n{said}".strip()
    log_batch(client, run_id, metrics=numbers, tags=tags)


def _log_people(client: MlflowClient, run_id: str, results: Results, condition: Condition) -> None:
    """Everybody under a condition, as a table and as curves."""
    people = results.metrics(by="participant")
    mine = people[(people[CONDITION] == list(condition)).all(axis=1)]
    now = int(time.time() * 1000)
    points: list[Metric] = []
    for measure in ("nll", "accuracy") if "nll" in results.measures else ("nll_full",):
        ranked = enumerate(sorted(mine[measure].dropna().tolist()), 1)
        name = f"participants/{measure}_by_rank"  # as one curve, which charts can show
        points += [Metric(name, value, now, rank) for rank, value in ranked]
    log_batch(client, run_id, metrics=points)
    client.log_table(run_id, mine.drop(columns=CONDITION), "participants.json")


def _numbers(row: Mapping[Any, Any]) -> dict[str, float]:
    """The finite numbers of a table's row as metrics; what does not exist is left out."""
    numbers = {
        str(name): float(value)
        for name, value in row.items()
        if name not in (*CONDITION, "participants") and not isinstance(value, str)
    }
    return {name: value for name, value in numbers.items() if math.isfinite(value)}


def section_of(verdict: Verdict) -> str:
    """What stands before the names of an effect's metrics that are no nats."""
    return "brier_" if verdict.effect.measure == "brier" else ""


def _effect_metrics(verdict: Verdict, contrast: str) -> dict[str, float]:
    """An effect's numbers in a section of their own: saved/information, and so on.

    Those of Brier scores are in brier_saved, since they are no nats.

    A d_z that does not exist, because everybody's difference is the same, is left out, and so is a
    p of equivalence that is withheld.
    """
    effect, name = verdict.effect, f"{section_of(verdict)}saved/{contrast}"
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


def _sample_prompts(prepared: Prepared, condition: Condition) -> dict[str, str]:
    """What is sent first for each of the first participants in each elicitation, under a name."""
    plan = prepared.plan
    first = set(plan.participants[: prepared.experiment.sample_prompts])
    by_requests = {elicited.key: elicited for elicited in prepared.by_requests}
    shown: set[tuple[str, str]] = set()
    sent: dict[Label, str] = {}
    for planned in plan.answers:
        of = planned.participant, planned.elicitation
        if planned.condition != condition or planned.participant not in first or of in shown:
            continue
        shown.add(of)
        label = planned.participant, planned.item, planned.elicitation
        key = planned.model, planned.elicitation
        if key in by_requests:
            sent[label] = by_requests[key].sent(plan.questions[key][planned.request])
        else:
            sent[label] = plan.read(condition.model, [planned.request])[planned.request]
    named = names(sent, between="_")
    return {named[label]: text for label, text in sent.items()}
