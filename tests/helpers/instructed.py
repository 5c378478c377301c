"""A small world in which an instruction that names people's sex is better than any other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from fake_model import FakeModel
from geppetto.answers.completions import CompletionStore
from geppetto.answers.store import AnswerStore
from geppetto.experiment.strategies import open_strategy
from geppetto.models.base import Model
from geppetto.models.budget import Budget, BudgetTracker
from geppetto.models.spec import ModelSpec
from geppetto.personas.generated import GeneratedStrategy
from geppetto.planning.config import Experiment
from geppetto.prompts.chat import Turn
from geppetto.search.instruction import Optimised, optimise
from geppetto.search.optimisers import Optimiser
from geppetto.search.prepare import PreparedSearch
from geppetto.search.space import Record, Space
from geppetto.search.split import split
from geppetto.studies import Study
from geppetto.studies.build import study_from_table
from invented import codebook
from speaking import ScriptedModel, told

NAMED = [ModelSpec(name=name, model=f"openai/{name}") for name in ("scripted", "thinker")]
BETTER = "Name the sex of the person."


class SexModel(FakeModel):
    """Thinks that men say 1 and women 3, and knows nothing else."""

    def log_prob(self, path: bytes) -> float:  # type: ignore[override]  # of text, not of tokens
        likely = b"1" if b"Male" in path else b"3" if b"Female" in path else b""
        if path[-1:] not in b"123":
            return -1.0
        return float(np.log(1 / 3 if not likely else 0.8 if path[-1:] == likely else 0.1))


def sexes(people: int = 24) -> Study:
    """People of whom sex and age are known, and who all answer as `SexModel` thinks."""
    asked = codebook(
        name="sexes",
        traits=[
            {"name": "age", "label": "age", "question": "How old are you?"},
            {
                "name": "sex",
                "label": "sex",
                "question": "Which sex?",
                "values": {"1": "Male", "2": "Female"},
            },
        ],
        scales={"three": {"options": {"1": "No", "2": "Somewhat", "3": "Yes"}}},
        items=[{"name": f"q{n}", "text": f"I am {n}.", "scale": "three"} for n in (1, 2)],
    )
    rows = [
        (f"p{n:02}", str(20 + n), str(1 + n % 2), *(["1", "1"] if n % 2 == 0 else ["3", "3"]))
        for n in range(people)
    ]
    return study_from_table(asked, pd.DataFrame(rows, columns=["id", "age", "sex", "q1", "q2"]))


def prepared(workspace: Path) -> PreparedSearch:
    study = sexes()
    models = ["fake", *NAMED]
    search = {"strategies": [{"written_profile": {"writer": "scripted"}}], "trials": 1}
    experiment = Experiment.model_validate(
        {
            "name": "i",
            "question": "?",
            "study": "sexes",
            "models": models,
            "search": search,
        }
    )
    assert experiment.search is not None
    return PreparedSearch(
        experiment,
        experiment.search,
        workspace,
        study,
        tuple(study.items),
        SexModel(),
        Space({}, Record(())),
        split(list(study.people.values()), [], 0.5, 0),
        (),
    )


def says(name: str, turns: Sequence[Turn]) -> str:
    """A profile that names the sex only if its instruction asks for it, or a demonstration does."""
    age, sex = json.loads(told(turns, "facts"))
    if BETTER in turns[0].content or any("A sex:" in turn.content for turn in turns[:-1]):
        return f"A {sex}"
    return f"A person of {age}"


def reflects(name: str, turns: Sequence[Turn]) -> str:
    """Has one idea, whatever is asked."""
    return BETTER


def text_models() -> dict[str, Model]:
    return {"scripted": ScriptedModel(says), "thinker": ScriptedModel(reflects, name="thinker")}


def profile(workspace: Path, **given: object) -> GeneratedStrategy:
    rule = open_strategy("written_profile", {"writer": "scripted", **given}, workspace, NAMED)
    assert isinstance(rule, GeneratedStrategy)
    return rule


def optimised(
    workspace: Path,
    optimiser: Optimiser,
    asked: Mapping[str, Model],
    *,
    calls: int,
    search: PreparedSearch | None = None,
    budget: Budget | None = None,
    **given: object,
) -> Optimised:
    """An optimisation that keeps everything in a workspace."""
    return optimise(
        search or prepared(workspace),
        profile(workspace, **given),
        optimiser,
        asked,
        AnswerStore.at(workspace / "answers.db"),
        CompletionStore.at(workspace / "answers.db"),
        BudgetTracker(budget),
        workspace / "programs" / "p.json",
        reflector="thinker",
        calls=calls,
    )
