"""Writing that is interrupted or shared: nothing is lost, and nothing is asked for twice."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from contextlib import redirect_stderr, suppress
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import dspy  # noqa: F401  # so that no child has to
import pytest

from command import geppetto
from geppetto._util.errors import GeppettoError
from geppetto.answers.client import FAILURES_IN_A_ROW, STOPPING, clients
from geppetto.answers.completions import CompletionStore
from geppetto.answers.generated_texts import GeneratedTextStore
from geppetto.experiment.persona_generation import write
from geppetto.experiment.persona_writers import Writers
from geppetto.experiment.strategies import open_strategy
from geppetto.models.budget import Budget, BudgetReached, BudgetTracker, unmeasured
from geppetto.models.gate import RequestGate
from geppetto.models.requests import Completion, Request
from geppetto.personas.generated import GeneratedStrategy, GeneratedText, GenerationRequest
from geppetto.prompts.chat import Turn
from geppetto.studies import Study
from speaking import ScriptedModel

FILE = """
question: "?"
study: bfi
participants: {sample: 4, seed: 1, complete: true}
items: [N3]
models: [smollm2-135m-instruct]
strategies: [{written_profile: {writer: openai/scripted}}]
arms: [shuffled, own]
budget: {tokens: 20}
"""


def vague(name: str, turns: Sequence[Turn]) -> str:
    """A story that tells nothing, so that everything is asked once more after its revision."""
    return "not said" if name == "answer" else f"the {name}"


@dataclass
class Counted(ScriptedModel):
    """Writes a line in a file for each request, numbers its replies, and may die of one."""

    file: Path = Path()
    dies_of: int | None = None
    waits: float = 0.0

    async def completion(self, request: Request) -> Completion:
        await asyncio.sleep(self.waits)
        with self.file.open("a") as lines:
            lines.write(f"{request.id(self.identity)}\n")
        number = len(asked(self.file))
        if number == self.dies_of:
            os.kill(os.getpid(), signal.SIGKILL)
        completion = await super().completion(request)
        return completion.model_copy(update={"text": f"{completion.text} {number}"})


@dataclass
class Slow(Counted):
    """Says when it begins with a request, and takes seconds for it."""

    begun: Any = None
    waits: float = 2.0

    async def completion(self, request: Request) -> Completion:
        self.begun.release()
        return await super().completion(request)


def asked(file: Path) -> list[str]:
    return file.read_text().split() if file.exists() else []


def generations(study: Study, workspace: Path, people: int = 1) -> list[GenerationRequest]:
    rule = open_strategy("life_story", {"writer": "openai/scripted"}, workspace)
    assert isinstance(rule, GeneratedStrategy)
    return [
        each
        for person in [p for p in study.people.values() if len(p.traits) == 3][:people]
        for each in rule.generations(person, study.without_people).values()
    ]


def having_written(
    wanted: Sequence[GenerationRequest],
    text_model: ScriptedModel,
    workspace: Path,
    tracker: BudgetTracker | None = None,
) -> list[GeneratedText | None]:
    store, completions = (
        GeneratedTextStore.of_workspace(workspace),
        CompletionStore.of_workspace(workspace),
    )
    write(wanted, {"openai/scripted": text_model}, store, completions, tracker or BudgetTracker())
    return [store.find(each.id) for each in wanted]


def forked(target: Callable[[], object]) -> BaseProcess:
    process = get_context("fork").Process(target=target)
    process.start()
    return process


def test_a_writing_that_was_killed_goes_on_with_what_it_was_told(
    bfi: Study, workspace: Path
) -> None:
    wanted, file = generations(bfi, workspace), workspace / "asked"
    at_once = ScriptedModel(vague)
    having_written(wanted, at_once, workspace / "other")
    assert len(at_once.requests) == 8
    for answered in (3, 6):  # of a story, three questions, a revision and three questions more
        dies_of = len(asked(file)) + 4
        mortal = Counted(vague, file=file, dies_of=dies_of)
        process = forked(partial(having_written, wanted, mortal, workspace))
        process.join()
        assert process.exitcode == -signal.SIGKILL
        assert len(set(asked(file))) == answered + 1
    (writing,) = having_written(wanted, Counted(vague, file=file), workspace)
    assert writing is not None and writing.texts == ("the revised 6",)
    assert (writing.requests, writing.cost) == (8, 8 * 0.25)
    assert len(asked(file)) == 4 + 4 + 2 and len(set(asked(file))) == 8
    assert having_written(wanted, Counted(vague, file=file), workspace) == [writing]
    assert len(asked(file)) == 10


def test_two_processes_have_each_text_written_once(bfi: Study, workspace: Path) -> None:
    wanted, file = generations(bfi, workspace, people=6), workspace / "asked"
    slow = Counted(vague, file=file, waits=0.02)
    processes = [forked(partial(having_written, wanted, slow, workspace)) for _ in range(2)]
    for process in processes:
        process.join()
        assert process.exitcode == 0
    assert len(asked(file)) == len(set(asked(file))) == 8 * len({each.id for each in wanted})


@pytest.mark.parametrize(("times", "kept"), [(1, 8), (2, 0)])
def test_the_first_interrupt_waits_for_replies_and_the_second_drops_them(
    times: int, kept: int, bfi: Study, workspace: Path
) -> None:
    wanted, file = generations(bfi, workspace, people=12), workspace / "asked"

    def interrupted() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        said = workspace / "said"
        with said.open("w") as file_, redirect_stderr(file_), suppress(KeyboardInterrupt):
            having_written(wanted, Slow(vague, file=file, begun=begun), workspace)

    begun = get_context("fork").Semaphore(0)
    process = forked(interrupted)
    for _ in range(8):
        begun.acquire()
    for _ in range(times):
        os.kill(process.pid or 0, signal.SIGINT)
        process.join(0.5)
    process.join()
    completions = CompletionStore.of_workspace(workspace).get(asked(file))
    assert (workspace / "said").read_text() == f"{STOPPING}\n"
    assert len(completions) == len(asked(file)) == kept


def test_writing_stops_at_the_budget_and_goes_on_from_there(bfi: Study, workspace: Path) -> None:
    wanted, file = generations(bfi, workspace, people=3), workspace / "asked"
    runs = 0
    while True:
        runs += 1
        try:
            found = having_written(
                wanted, Counted(vague, file=file), workspace, BudgetTracker(Budget(tokens=60))
            )
        except BudgetReached as reached:
            assert "budget of 60 tokens" in str(reached) and "texts are written" in str(reached)
        else:
            break
    needed = 8 * len({each.id for each in wanted})
    assert len(asked(file)) == len(set(asked(file))) == needed
    assert all(found) and 2 <= runs <= needed // 4 + 1


def test_a_run_whose_budget_goes_into_personas_ends_as_one_that_asks(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Writers, "_open", lambda *_: ScriptedModel(vague))
    (workspace / "experiments" / "e.yaml").write_text(FILE)
    ended = geppetto("run", "experiments/e.yaml")
    assert ended.returncode == 3
    assert "stopped: " in ended.stdout and "texts are written; run it again" in ended.stdout
    planned = geppetto("plan", "experiments/e.yaml")
    assert planned.returncode == 2 and "what they cost is in no estimate" in planned.stderr


def test_a_text_that_can_never_be_written_says_what_to_change(bfi: Study, workspace: Path) -> None:
    @dataclass
    class Short(ScriptedModel):
        async def completion(self, request: Request) -> Completion:
            return Completion(finish="error", error="it does not fit", hopeless=True)

    wanted = generations(bfi, workspace)
    with pytest.raises(GeppettoError, match=r"\(it does not fit\); let the strategy tell") as error:
        having_written(wanted, Short(vague), workspace)
    assert "run it again" not in str(error.value)


def test_a_writer_that_is_down_is_not_asked_for_everything(bfi: Study, workspace: Path) -> None:
    @dataclass
    class Down(Counted):
        async def completion(self, request: Request) -> Completion:
            await super().completion(request)
            return Completion(finish="error", error="nobody is there")

    wanted, file = generations(bfi, workspace, people=150), workspace / "asked"
    assert len({each.id for each in wanted}) > 60
    with pytest.raises(GeppettoError, match="times in a row, at last with: nobody is there"):
        having_written(wanted, Down(vague, file=file, waits=0.05), workspace)
    assert FAILURES_IN_A_ROW <= len(asked(file)) <= 60


def test_a_request_that_is_drawn_for_nobody_is_not_kept(workspace: Path) -> None:
    completions = CompletionStore.of_workspace(workspace)
    models = {"m": ScriptedModel(vague)}
    with (
        clients(models, completions, RequestGate(), keeps_errors=False) as asking,
        pytest.raises(GeppettoError, match="from a thread that a module began"),
    ):
        asyncio.run(asking["m"].completion(Request(max_tokens=5)))


@pytest.mark.parametrize(
    ("budget", "completion", "message"),
    [
        (Budget(tokens=9), Completion(text="Hi"), "does not say how many tokens"),
        (Budget(dollars=9), Completion(prompt_tokens=3), "replied without a price"),
        (Budget(dollars=9), Completion(finish="filter"), ""),
        (Budget(minutes=9), Completion(text="Hi"), ""),
    ],
)
def test_a_budget_that_cannot_be_kept_is_no_budget(
    budget: Budget, completion: Completion, message: str
) -> None:
    said = unmeasured(completion, budget, "it")
    assert message in said and bool(message) == bool(said)
