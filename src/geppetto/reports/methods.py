"""The methods of an experiment in a paragraph, to be pasted into a paper and read before that."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import version

from geppetto.evaluation.results import Results
from geppetto.personas.arms import Shuffled
from geppetto.planning.prepared import Prepared


def methods(prepared: Prepared, results: Results) -> str:
    """What was asked, of whom, of which model, and how it was judged."""
    study, plan, analysis = results.study, prepared.plan, results.analysis
    trials = "responses" if results.of_sessions else "responses to items"
    models = ", ".join(
        f"{one.model.identity.name} ({_kind(one.model.identity.kind)}, "
        f"{_computed(one.model.identity.weights)}, {one.label})"
        for one in prepared.elicited
    )
    donors = [arm.donors for arm in prepared.arms if isinstance(arm, Shuffled)]
    strangers = f" ({donors[0]} other people's personas for each participant)" if donors else ""
    confirming = [verdict for verdict in results.verdicts() if verdict.confirmatory]
    tests = sorted({verdict.test for verdict in confirming if verdict.test})
    told = [
        f"We scored {plan.cells:,} {trials} of {len(plan.participants):,} participants of the "
        f"study {study.name} under the arms {_listed(arm.name for arm in prepared.arms)}"
        f"{strangers}, the same responses in every arm.",
        f"Personas were made by {_listed(s.label for s in prepared.strategies) or 'no strategy'}. "
        f"Models: {models}.",
        "The measure is the negative log-likelihood of the participant's real response in nats, "
        "over the legal options, averaged within participants, who are the unit of all inference.",
        "Information is the mean difference between a stranger's persona and the participant's "
        "own; benefit that between the best prediction which knows nothing of the person, chosen "
        "on other people, and their own.",
    ]
    if confirming:
        first = confirming[0]
        told.append(
            f"Intervals are {first.confidence} bootstrap intervals over participants "
            f"({analysis.draws:,} draws); p-values ({_listed(tests)}) are corrected by "
            f"{first.correction}. Differences below {first.smallest:g} nats count as nothing."
        )
    told.append(
        f"Computed with geppetto {version('geppetto')}, plan {prepared.sha256[:12]}. References: "
        "Davison & Hinkley (1997), Bootstrap methods and their application; Holm (1979), A simple "
        "sequentially rejective multiple test procedure; and the study's own, in its data card."
    )
    return " ".join(told)


def _kind(kind: str) -> str:
    return "a base model that reads plain text" if kind == "base" else "asked in its chat template"


def _computed(weights: str) -> str:
    return f"weights in {weights}" if weights else "behind an interface"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(names))
