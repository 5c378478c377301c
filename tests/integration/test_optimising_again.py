"""An optimisation that is done again asks nothing, and one that was stopped goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from geppetto.models.base import Model
from geppetto.models.budget import Budget, BudgetReached
from geppetto.models.requests import Completion, Request
from geppetto.prompts.chat import Turn
from geppetto.search.optimisers import Optimiser
from instructed import BETTER, optimised, says
from speaking import ScriptedModel

CALLS = 18


@dataclass
class Fickle(ScriptedModel):
    """Says something else when it is asked the same once more; and may die first.

    Attributes
    ----------
    lives
        How often it is asked before its process is killed.
    """

    lives: int = 10_000

    async def completion(self, request: Request) -> Completion:
        if len(self.requests) == self.lives:
            os.kill(os.getpid(), signal.SIGKILL)
        completion = await super().completion(request)
        mood = request.id(self.identity)[:8]
        return completion.model_copy(update={"text": f"{completion.text} {mood}."})


def reflects(name: str, turns: Sequence[Turn]) -> str:
    return BETTER


def fickle(lives: int = 10_000) -> dict[str, Model]:
    return {
        "scripted": Fickle(says, lives=lives),
        "thinker": Fickle(reflects, name="thinker"),
    }


def asked(text_models: dict[str, Model]) -> int:
    return sum(len(each.requests) for each in text_models.values() if isinstance(each, Fickle))


@pytest.mark.parametrize("optimiser", ["gepa", "mipro", "bootstrap"])
def test_a_killed_optimisation_pays_for_no_reply_twice_and_ends_the_same(
    workspace: Path, optimiser: Optimiser
) -> None:
    killed = multiprocessing.get_context("fork").Process(
        target=lambda: optimised(workspace, optimiser, fickle(lives=14), calls=CALLS)
    )
    killed.start()
    killed.join(60)
    assert killed.exitcode == -signal.SIGKILL
    with sqlite3.connect(workspace / "answers.db") as database:
        ((paid,),) = database.execute("select count(*) from replies").fetchall()
    rest, whole = fickle(), fickle()
    resumed = optimised(workspace, optimiser, rest, calls=CALLS)
    elsewhere = workspace / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "personas").symlink_to(workspace / "personas")
    undisturbed = optimised(elsewhere, optimiser, whole, calls=CALLS)
    assert paid >= 14
    assert paid + asked(rest) == asked(whole)
    assert resumed.state.read_text("utf-8") == undisturbed.state.read_text("utf-8")
    assert (resumed.before, resumed.after) == (undisturbed.before, undisturbed.after)
    more = fickle()
    assert optimised(workspace, optimiser, more, calls=CALLS) == resumed
    assert asked(more) == 0
    assert [file.name for file in (workspace / "programs").iterdir()] == [resumed.state.name]


def test_an_optimisation_ends_at_its_budget_and_goes_on_with_a_larger_one(workspace: Path) -> None:
    first, second = fickle(), fickle()
    with pytest.raises(BudgetReached, match=r"150 tokens.*larger budget"):
        optimised(workspace, "gepa", first, calls=CALLS, budget=Budget(tokens=150))
    assert asked(first) == 10
    assert not (workspace / "programs").exists()
    again = optimised(workspace, "bootstrap", second, calls=1)
    assert asked(second) == again.cases + 1 - 10
