"""Every analysis is a look at people, which is kept before its verdicts are shown and paid for."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from geppetto.answers.looks import Claim, Kind, Look, LookStore, Past
from geppetto.evaluation.looks import Looks
from geppetto.models.lineage import pairs
from geppetto.planning.plan import BASELINE
from geppetto.planning.prepared import Prepared

if TYPE_CHECKING:
    from geppetto.evaluation.results import Results


def counted(prepared: Prepared, results: Results, workspace: Path, kind: Kind) -> Results:
    """The results, corrected for every earlier look at their people; this one is kept.

    Where nothing can be kept, it is where it was kept before.

    What judges nothing, as a model alone without a persona, is no look.

    Raises
    ------
    GeppettoError
        If the ledger cannot be written.
    """
    look = _look(prepared, results, kind)
    if not look.claims:
        return results
    ledger = LookStore.of_workspace(workspace)
    is_kept = not ledger.is_read_only
    past = ledger.keep(look) if is_kept else ledger.before(look.question, look.people)
    looks = standing(_alike(past, look.claims))
    return replace(results, analysis=looks.correct(results.analysis), looks=looks)


def standing(earlier: Sequence[Past]) -> Looks:
    """What earlier looks at some of the same people, for some of the same claims, cost."""
    analyses = sum(past.kind != "chosen on" for past in earlier)
    return Looks(1 + analyses, sum(past.candidates for past in earlier))


def earlier(prepared: Prepared, workspace: Path) -> list[Past]:
    """Looks so far at any of the people of an experiment for any of its claims, in order."""
    found = LookStore.of_workspace(workspace).before("", prints(prepared))
    return _alike(found, claims(prepared))


def _alike(found: Iterable[Past], claims: Iterable[Claim]) -> list[Past]:
    return [past for past in found if set(past.claims) & set(claims)]


def prints(prepared: Prepared) -> frozenset[str]:
    """By what everybody is known again who takes part in an experiment."""
    return frozenset(prepared.study.prints[name] for name in prepared.plan.participants)


def claims(prepared: Prepared) -> tuple[Claim, ...]:
    """What an experiment judges."""
    found: list[Claim] = []
    if prepared.strategies:
        found.append("personas")
    if pairs(prepared.experiment.lineages):
        found.append("pairs")
    return tuple(found)


def _look(prepared: Prepared, results: Results, kind: Kind) -> Look:
    experiment, people = prepared.experiment, prints(prepared)
    known = prepared.study.prints
    answers = results.answers[results.answers["model"] != BASELINE]
    columns = ("participant", "item", "arm", "donor", "request", "status")
    content = [
        sorted(
            {
                (known[participant], item, arm, known.get(donor, donor), request, status)
                for participant, item, arm, donor, request, status in zip(
                    *(answers[column].to_numpy(object) for column in columns), strict=True
                )
            }
        ),
        experiment.analysis.model_dump(exclude={"looks"}),
        experiment.normalisation,
        None if experiment.search is None else experiment.search.objective,
    ]
    question = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return Look(question, kind, claims(prepared), people, experiment.name)
