"""The run of a condition: its numbers, its people, and what was sent."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from functools import partial

import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric

from geppetto._util.errors import Failures
from geppetto.evaluation.inference.verdicts import Verdict
from geppetto.evaluation.results import Results
from geppetto.evaluation.rows import CONDITION
from geppetto.planning.plan import BASELINE, Condition
from geppetto.planning.prepared import Prepared
from geppetto.planning.samples import first_sent
from geppetto.reports.text import in_markdown
from geppetto.tracking import completions as parsed
from geppetto.tracking import files, params
from geppetto.tracking.names import Label, names
from geppetto.tracking.store import UNUSABLE, log_batch, points

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
    numbers: list[tuple[str, Callable[[], dict[str, float]]]] = [
        ("conditions", lambda: _row(results.metrics(), condition))
    ]
    if "calibration" not in results.left_out:
        numbers.append(("calibration", lambda: _row(results.calibration(), condition)))
    numbers += [
        # after what the UI's tables should show first
        ("individuation", lambda: _row(results.individuation(), condition, "tells_apart/")),
        ("numbers of replies", lambda: _of_completions(results, condition, elicitation)),
    ]
    metrics: list[Metric] = []
    tags: dict[str, str] = {}
    for what, found in numbers:
        with failures.alone(f"{what} of {condition.label}", UNUSABLE):
            metrics += points(found())
    with failures.alone(f"verdicts of {condition.label}", UNUSABLE):
        verdicts = _named(results, condition)
        metrics += points(_of_verdicts(verdicts))
        tags = _words(verdicts)
    with failures.alone(f"participants of {condition.label}", UNUSABLE):
        people = _people(results, condition)
        metrics += _curves(people, results)
        client.log_table(run_id, people.drop(columns=CONDITION), "participants.json")
    log_batch(client, run_id, params.of_condition(prepared, condition, elicitation), metrics, tags)
    with failures.alone(f"participants.png of {condition.label}", UNUSABLE):
        if condition.model != BASELINE:
            from geppetto.reports import figures  # which loads matplotlib

            everyone = results.metrics(by="participant")
            draw = partial(figures.participant_distribution, everyone, condition)
            files.figure(client, run_id, draw, "participants.png")
    with failures.alone(f"prompts of {condition.label}", UNUSABLE):
        for name, text in _sample_prompts(prepared, condition).items():
            client.log_text(run_id, text, f"prompts/{name}.txt")


def _row(table: pd.DataFrame, condition: Condition, section: str = "") -> dict[str, float]:
    """The finite numbers of a condition's row as metrics; what does not exist is left out."""
    mine = table[(table[CONDITION] == list(condition)).all(axis=1)].to_dict("records")
    return {
        f"{section}{name}": float(value)
        for row in mine
        for name, value in row.items()
        if name not in (*CONDITION, "participants")
        and not isinstance(value, str)
        and math.isfinite(float(value))
    }


def _of_completions(results: Results, condition: Condition, elicitation: str) -> dict[str, float]:
    if not len(results.completions):
        return {}
    wanted = results.completions[["elicitation", *CONDITION]] == [elicitation, *condition]
    return parsed.numbers(results.completions[wanted.all(axis=1)])


def _named(results: Results, condition: Condition) -> list[tuple[str, Verdict]]:
    """The verdicts on a condition, each under the name of its contrast."""
    contrasts = names(((contrast_of(v),) for v in results.verdicts()), SECTION)
    return [
        (contrasts[contrast_of(verdict),], verdict)
        for verdict in results.verdicts()
        for of in (verdict.effect,)
        if Condition(of.model, of.strategy, of.contrast.better) == condition
    ]


def _of_verdicts(verdicts: Sequence[tuple[str, Verdict]]) -> dict[str, float]:
    numbers: dict[str, float] = {}
    for contrast, verdict in verdicts:
        numbers |= _effect_metrics(verdict, contrast)
    return numbers


def _words(verdicts: Sequence[tuple[str, Verdict]]) -> dict[str, str]:
    """What is said of a condition, as tags; what was to be confirmed also in the note."""
    tags = {f"verdict.{contrast}": verdict.outcome for contrast, verdict in verdicts}
    noted = [in_markdown(verdict.sentence) for _, verdict in verdicts if verdict.confirmatory]
    return tags | ({"mlflow.note.content": "\n\n".join(noted)} if noted else {})


def _people(results: Results, condition: Condition) -> pd.DataFrame:
    """Everybody under a condition."""
    people = results.metrics(by="participant")
    return people[(people[CONDITION] == list(condition)).all(axis=1)]


def _curves(people: pd.DataFrame, results: Results) -> list[Metric]:
    """Everybody by rank: each measure as one curve, which charts can show."""
    now = int(time.time() * 1000)
    return [
        Metric(f"participants/{measure}_by_rank", value, now, rank)
        for measure in (("nll", "accuracy") if "nll" in results.measures else ("nll_full",))
        for rank, value in enumerate(sorted(people[measure].dropna().tolist()), 1)
    ]


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
    sent = first_sent(prepared, condition)
    named = names(sent, between="_")
    return {named[label]: text for label, text in sent.items()}
