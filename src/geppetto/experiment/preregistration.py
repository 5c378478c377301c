"""A plan as a file that can be posted before anything is asked, and what a run did otherwise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from pydantic import BaseModel, ConfigDict

from geppetto._util.errors import GeppettoError
from geppetto._util.files import appearing, is_file
from geppetto._util.yaml_file import read_yaml
from geppetto.evaluation.contrasts import UNINFORMED, contrasts
from geppetto.evaluation.followed import Followed
from geppetto.experiment.looks import earlier, prints, standing
from geppetto.planning.analysis_config import PERMUTATIONS
from geppetto.planning.prepared import Prepared
from geppetto.tracking import params

if TYPE_CHECKING:
    from geppetto.evaluation.results import Results

_STOPPING = (
    "Everybody named here is asked everything once and nobody else is; nothing is looked at before "
    "all of it is answered. A cell without an answer that can be scored in every condition is left "
    "out of all of them and counted, and bounds say what it could change."
)
_ABOUT_PEOPLE = (
    "sha256 is one hash over the sorted hashes of everybody, each of what a person did, so that "
    "who has the data can check it; hashes of single people are not here, since somebody of whom "
    "little is known could be guessed from one."
)
_FAMILY = (
    "Holm (1979) over them, for every model and strategy; all other contrasts explore, "
    "Benjamini-Hochberg. p-values are also multiplied for earlier looks at these people."
)


class Frozen(BaseModel):
    """What a frozen file says.

    Attributes
    ----------
    frozen
        When it was made.
    sha256
        Hex digest of `studies`.
    studies
        What is planned, by the name of the study.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    frozen: str
    sha256: str
    studies: dict[str, dict[str, Any]]


def frozen_file(experiment: Path) -> Path:
    """Where the frozen plan of an experiment file is: beside it."""
    return experiment.with_suffix(".frozen.yaml")


def plan_to_follow(experiment: Path, stated: str | Path | None) -> Path | None:
    """The frozen plan that a run is to follow: the one given, or the one beside the experiment.

    Raises
    ------
    GeppettoError
        If it is given and does not exist, or is no frozen plan.
    """
    beside = frozen_file(experiment)
    path = Path(stated) if stated is not None else beside if is_file(beside) else None
    if path is not None:
        read_yaml(path, Frozen, what="frozen plan")
    return path


def _layout(prepared: Prepared) -> dict[str, Any]:
    """The layout of items, with the answers that were chosen by scales."""
    layout: dict[str, Any] = prepared.experiment.layout.model_dump(mode="json")
    if prepared.study.has_sessions:
        return layout
    return layout | {"answer": params.answered_with(prepared)}


def freeze(prepared: Sequence[Prepared], path: Path, workspace: Path) -> None:
    """Write the plan of each study of an experiment; who the people are cannot be read from it.

    Raises
    ------
    GeppettoError
        If there is a file already.
    """
    if path.exists():
        raise GeppettoError(
            f"{path} exists, and a frozen plan is not replaced; move it away to freeze anew"
        )
    studies = {
        each.study.name: content(each) | {"earlier looks": _looks(each, workspace)}
        for each in prepared
    }
    made = Frozen(
        frozen=datetime.now(UTC).isoformat(timespec="seconds"),
        sha256=_digest(studies),
        studies=studies,
    )
    with appearing(path) as partial:
        text = yaml.safe_dump(made.model_dump(), sort_keys=False, width=100, allow_unicode=True)
        partial.write_text(text, "utf-8")


def content(prepared: Prepared) -> dict[str, Any]:
    """All that decides what an experiment finds in its study, but the looks before it."""
    experiment, plan = prepared.experiment, prepared.plan
    people = prints(prepared)
    every = contrasts([*dict.fromkeys(one.arm for one in plan.conditions), UNINFORMED])
    everything = {
        "question": experiment.question,
        "data": prepared.study.sha256,
        "people": {
            "number": len(plan.participants),
            "sha256": hashlib.sha256("".join(sorted(people)).encode()).hexdigest(),
            "left out": len(plan.dropped),
            "about": _ABOUT_PEOPLE,
        },
        "items": sorted(plan.items)
        if not prepared.study.has_sessions
        else "every response of every session",
        "models": {
            f"{one['name']}, {one['elicitation']}": one for one in params.model_params(prepared)
        },
        "strategies": {
            strategy.label: {"strategy": strategy.name} | strategy.rule.model_dump(mode="json")
            for strategy in prepared.strategies
        },
        "arms": {arm.name: arm.model_dump(mode="json") for arm in prepared.arms},
        "asked": {
            "layout": _layout(prepared),
            "session": experiment.session.model_dump(mode="json"),
            "wordings": experiment.paraphrases,
            "normalisation": experiment.normalisation,
            "precision": experiment.precision,
        },
        "family": {
            "confirm": [one.name for one in every if one.confirms],
            "explore": [one.name for one in every if not one.confirms],
            "corrected": _FAMILY,
        },
        "analysis": experiment.analysis.model_dump(mode="json") | {"permutations": PERMUTATIONS},
        "stopping": _STOPPING,
        "plan": plan.sha256,
        "versions": params.versions(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(everything))
    return plain


def followed(path: Path, prepared: Prepared, results: Results) -> Followed:
    """Whether an analysis is the one that was frozen, and in what it is not.

    Raises
    ------
    GeppettoError
        If the file does not exist, or is no frozen plan.
    """
    frozen = read_yaml(path, Frozen, what="frozen plan")
    return Followed(path.read_text("utf-8"), tuple(_departures(frozen, prepared, results)))


def _departures(frozen: Frozen, prepared: Prepared, results: Results) -> Iterator[str]:
    if frozen.sha256 != _digest(frozen.studies):
        yield "The frozen file was changed after it was made."
    name = prepared.study.name
    if name not in frozen.studies:
        yield f"The study {name} is not in it."
        return
    then, now = dict(frozen.studies[name]), content(prepared)
    looks = then.pop("earlier looks")
    differ = [*_people(then.pop("people"), now.pop("people"))]
    plans = then.pop("plan"), now.pop("plan")
    differ += _differences(then, now, "")
    if plans[0] != plans[1] and not differ:
        differ.append("Prompts or strangers are others, though all that is listed is the same.")
    yield from differ
    analyses, candidates = results.looks.analyses - 1, results.looks.candidates
    if analyses < (before := looks["analyses"]):
        yield "The same analysis was made before the plan was frozen."
    elif analyses > before:
        yield (
            f"Earlier analyses of some of these people: {analyses:,}, and {before:,} when it was "
            "frozen."
        )
    if candidates != (before := looks["candidates"]):
        yield (
            f"Candidates that were chosen among on some of them: {candidates:,}, and {before:,} "
            "when it was frozen."
        )


def _people(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    if now["number"] != then["number"]:
        yield f"{now['number']:,} people take part, and {then['number']:,} were frozen."
    elif now["sha256"] != then["sha256"]:
        yield f"As many people take part as were frozen, {now['number']:,}, but they are others."


def _differences(then: Any, now: Any, place: str) -> Iterator[str]:
    """A sentence for each place of two documents in which they differ."""
    if isinstance(then, dict) and isinstance(now, dict):
        for key in dict.fromkeys((*then, *now)):
            where = f"{place}: {key}" if place else str(key)
            if key not in now:
                yield f"{where} was frozen, and is not there."
            elif key not in then:
                yield f"{where} was not frozen."
            else:
                yield from _differences(then[key], now[key], where)
    elif then != now:
        yield f"{place} is {_shown(now)}, and was frozen as {_shown(then)}."


def _shown(value: Any) -> str:
    is_hash = isinstance(value, str) and len(value) == 64 and " " not in value
    return f"{value[:12]}..." if is_hash else json.dumps(value, ensure_ascii=False)


def _looks(prepared: Prepared, workspace: Path) -> dict[str, int]:
    """Earlier looks at any of the people that count for the claims of the experiment."""
    found = standing(earlier(prepared, workspace))
    return {"analyses": found.analyses - 1, "candidates": found.candidates}


def _digest(studies: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(studies, sort_keys=True).encode()).hexdigest()
