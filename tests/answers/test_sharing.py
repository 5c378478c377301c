"""Processes that share a store: nothing is computed twice, and nobody waits for the dead."""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator
from multiprocessing import forkserver
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from fake_model import FakeModel
from geppetto.answers.local import answer
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.option_likelihood import OptionScores
from session_sharing import SessionTask
from sharing import Messages, Task, share

PROCESSES = multiprocessing.get_context("forkserver")
PROCESSES.set_forkserver_preload(["sharing"])


class Sharing:
    """Processes that answer tasks in one store."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.processes: list[ForkServerProcess] = []

    def start(self, *tasks: Task | SessionTask) -> None:
        """Start a process for each task, and wait until all are in their first decode."""
        for task in tasks:
            arguments = (self.url, self.messages(len(self.processes)), task)
            self.processes.append(PROCESSES.Process(target=share, args=arguments))
        for process in self.processes:
            process.start()
        self.wait_until(lambda: all(self.messages(n).decoding.exists() for n in range(len(tasks))))

    def wait_until(self, condition: Callable[[], bool]) -> None:
        while not condition():
            assert {process.exitcode for process in self.processes} == {None}
            time.sleep(0.02)

    def messages(self, number: int) -> Messages:
        return Messages(self.folder, f"process_{number}")

    def computed(self, number: int) -> int:
        file = self.messages(number).computed
        return len(file.read_text().splitlines()) if file.exists() else 0

    def stored(self, task: Task | SessionTask) -> dict[str, OptionScores]:
        return AnswerStore(self.url).get(key for unit in task.units() for key in unit.ids)


@pytest.fixture(scope="module")
def imported_once() -> None:
    """Processes start with everything imported, also what is only in this process's path."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        forkserver.ensure_running()


@pytest.fixture
def sharing(imported_once: None, store_url: str, tmp_path: Path) -> Iterator[Sharing]:
    sharing = Sharing(store_url, tmp_path)
    yield sharing
    for process in sharing.processes:
        process.kill()
        process.join()


def alone(task: Task | SessionTask, folder: Path) -> dict[str, OptionScores]:
    """The answers of one process that shares nothing."""
    store, work = AnswerStore.at(folder / "alone.db"), task.units()
    assert [unit for unit, _ in answer(FakeModel(), work, store)] == list(work)
    return store.get(request for unit in work for request in unit.ids)


@pytest.mark.parametrize(
    "tasks",
    [
        (Task(range(8), range(6)), Task(range(8), range(6))),
        (Task(range(8), range(6)), Task(range(5), range(4))),
        (Task(range(1, 8), range(3, 9)), Task(range(5), range(5))),
        (SessionTask(range(5), range(4)), SessionTask(range(2, 7), range(2, 6))),
    ],
    ids=["same", "part", "overlapping", "sessions"],
)
def test_processes_share_work_and_compute_nothing_twice(
    sharing: Sharing, tmp_path: Path, tasks: tuple[Task, Task] | tuple[SessionTask, SessionTask]
) -> None:
    """Both are in a decode at once: the second has gone on with what the first has not claimed."""
    sharing.start(*tasks)
    for number in range(len(tasks)):
        sharing.messages(number).go.touch()
    for process in sharing.processes:
        process.join()
    assert [process.exitcode for process in sharing.processes] == [0, 0]
    for task in tasks:
        assert sharing.stored(task) == alone(task, tmp_path)
    requests = {request for task in tasks for request in sharing.stored(task)}
    assert sharing.computed(0) + sharing.computed(1) == tasks[0].places * len(requests)


def test_what_a_killed_process_has_claimed_is_taken_over(sharing: Sharing, tmp_path: Path) -> None:
    task = Task(range(6), range(5))
    sharing.start(task, task)
    killed, survivor = sharing.processes
    sharing.messages(1).go.touch()
    sharing.wait_until(lambda: len(sharing.stored(task)) == 5 * 5)
    assert survivor.is_alive(), "it waits for what the other has claimed"
    assert sharing.computed(0) == 0

    killed.kill()
    survivor.join()
    assert survivor.exitcode == 0
    assert sharing.computed(1) == 6 * 5
    assert sharing.stored(task) == alone(task, tmp_path)
