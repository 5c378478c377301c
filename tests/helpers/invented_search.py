"""A search whose candidates' values are invented; run as a script, it searches."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import optuna

from fake_model import FakeModel
from geppetto.models.identity import ModelIdentity
from geppetto.planning.config import Experiment
from geppetto.search import run as searching
from geppetto.search.optimise import open_study, optimise
from geppetto.search.prepare import PreparedSearch, prepare_search
from geppetto.search.result import SearchResult
from geppetto.search.scoring import BatchScores, Candidate
from geppetto.search.trials import FINISHED
from geppetto.tracking.store import TrackedRun, using
from workspaces import ROOT

PLAIN = {"answers": None, "scores": None}
TRAITS_ONLY = [{"interview": PLAIN}, {"biography": PLAIN}]
STRATEGIES = [
    *TRAITS_ONLY,
    {"known_answers": {"k": {"low": 1, "high": 20}, "scores": None, "choose": "random"}},
]
QUICK = {
    "arms": ["none", {"shuffled": {"donors": 2}}, "own"],
    "analysis": {"draws": 200},
}
"""What makes a confirmation quick."""


class Silent:
    """A model that is never asked."""

    identity = ModelIdentity(
        name="silent",
        sha256="0",
        kind="base",
        weights="none",
        kv_cache="none",
        flash_attention=False,
        gelu="none",
        engine="none",
    )


SILENT = Silent()


def prepared(
    workspace: Path,
    people: int = 40,
    model: Any = SILENT,
    also: Mapping[str, Any] | None = None,
    **search: Any,
) -> PreparedSearch:
    """A search of three strategies on half of some people of a bundled study.

    `also` is what its experiment has besides.
    """
    experiment = Experiment.model_validate(
        {
            "name": "invented",
            "question": "Which is best?",
            "study": "bfi",
            "participants": {"sample": people, "seed": 2, "complete": True},
            "items": ["A1", "C1", "E1"],
            "models": ["fake"],
            "search": {"strategies": STRATEGIES, "trials": 12, "batch": 5, **search},
            **(also or {}),
        }
    )
    with patch("geppetto.search.prepare.open_scorer", lambda *_: model):
        return prepare_search(experiment, workspace)


@dataclass(frozen=True)
class Invented:
    """Known answers cost 1 less, a `k` by how near it is to 15; people differ with SD 1."""

    seconds: float = 0
    objectives: int = 1

    def __call__(self, candidate: Candidate, people: Sequence[str]) -> BatchScores:
        time.sleep(self.seconds)
        parameters = candidate.strategy.rule.model_dump()
        mean = abs(parameters["k"] - 15) / 20 - 1 if "k" in parameters else 0.0
        noise = {person: chance(candidate.strategy.label, person) for person in people}
        scores = {
            person: (mean + chance("", person) + 0.3 * noise[person], -float(len(str(parameters))))
            for person in people
        }
        return BatchScores(
            {person: values[: self.objectives] for person, values in scores.items()},
            anew=len(people),
            computed=100,
        )


@dataclass(frozen=True)
class Stuck(Invented):
    """Never says anything again once so many trials of a search have ended."""

    study: optuna.Study | None = None
    after: int = 0

    def __call__(self, candidate: Candidate, people: Sequence[str]) -> BatchScores:
        assert self.study is not None
        ended = self.study.get_trials(deepcopy=False, states=FINISHED)
        while len(ended) >= self.after:
            time.sleep(1)
        return super().__call__(candidate, people)


def chance(*what: str) -> float:
    """A number between -1.7 and 1.7 with SD 1 that is the same whenever it is asked for."""
    digest = hashlib.sha256(repr(what).encode()).digest()
    return (int.from_bytes(digest[:4]) / 2**32 - 0.5) * 12**0.5


def only_end(tracked: TrackedRun, prepared: object, results: object, place: Path) -> TrackedRun:
    """Stands in for logging a confirmation's conditions, which any experiment does."""
    with using(place) as client:
        if client.get_run(tracked.run_id).info.status != "FINISHED":
            client.set_terminated(tracked.run_id)
    return tracked


def confirmed(workspace: Path, seconds: float, trials: int) -> None:
    """A search of so many trials, and its confirmation, in MLflow."""
    whole = prepared(workspace, model=FakeModel(), also=QUICK, trials=trials)
    with (
        patch.object(PreparedSearch, "scorer", lambda *_: Invented(seconds)),
        patch("geppetto.experiment.results.baseline_answers", lambda table, *_: table[:0]),
        patch("geppetto.tracking.mlflow_runs.finish", only_end),
    ):
        searching.search(whole)


SCRIPT = [sys.executable, str(ROOT / "tests" / "helpers" / "invented_search.py")]


def outcome(found: SearchResult) -> dict[str, Any]:
    """Everything about a search that an interruption must not change."""
    columns = ["state", "strategy", "parameters", "people", "reason", *found.objectives]
    return {
        "trials": found.trials[columns].to_dict("records"),
        "scores": {name: table.to_numpy().tolist() for name, table in found.scores.items()},
        "winner": (found.winner.strategy.label, found.winner.strategy.rule.model_dump()),
        "ended": found.ended,
    }


@contextmanager
def in_memory() -> Iterator[None]:
    """Searches keep their trials in memory: a database would take longer than all else."""
    storage = optuna.storages.InMemoryStorage()
    with patch("geppetto.search.optimise.open_storage", lambda _: storage):
        yield


class Stopping:
    """Scores as another scorer does, and fails at its n-th call."""

    def __init__(self, calls: int) -> None:
        self.calls = calls

    def __call__(self, candidate: Candidate, people: Sequence[str]) -> BatchScores:
        self.calls -= 1
        if self.calls < 0:
            raise RuntimeError("the power is gone")
        return Invented()(candidate, people)


def run(workspace: Path, *how: float) -> subprocess.Popen[bytes]:
    """A process that searches; see `invented_search`."""
    return subprocess.Popen([*SCRIPT, str(workspace), *map(str, how)])


if __name__ == "__main__":
    folder, pause, number, *how = sys.argv[1:]
    if how == ["confirmed"]:
        confirmed(Path(folder), float(pause), int(number))
    elif how:
        search = prepared(Path(folder), trials=int(number))
        optimise(search, Stuck(float(pause), study=open_study(search), after=int(how[0])))
    else:
        optimise(prepared(Path(folder), trials=int(number)), Invented(float(pause)))
