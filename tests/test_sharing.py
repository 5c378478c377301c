"""Processes that share a store: nothing is computed twice, and nobody waits for the dead."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from geppetto.answers.store import AnswerStore
from geppetto.elicitation.option_likelihood import OptionScores, Unit
from geppetto.experiment import answer
from sharing import FakeModel, work

PROGRAM = Path(__file__).with_name("sharing.py")


def until(condition: Callable[[], bool], *processes: subprocess.Popen[str]) -> None:
    while not condition():
        for process in processes:
            assert process.poll() in {None, 0}, process.communicate()[1]
        time.sleep(0.02)


class Sharing:
    """Processes that answer prompts in one store."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.started: list[subprocess.Popen[str]] = []

    def start(self, *works: tuple[str, str, str]) -> list[subprocess.Popen[str]]:
        """Start some by name, people and items; wait until each is in its first decode."""
        processes = []
        for name, people, items in works:
            command = [sys.executable, PROGRAM, self.url, self.folder, name, people, items]
            processes.append(subprocess.Popen(command, stderr=subprocess.PIPE, text=True))
        self.started += processes
        for name, *_ in works:
            until((self.folder / f"{name}.decoding").exists, *processes)
        return processes

    def go(self, name: str) -> None:
        (self.folder / f"{name}.go").touch()

    def computed(self, name: str) -> int:
        file = self.folder / f"{name}.computed"
        return len(file.read_text().splitlines()) if file.exists() else 0

    def stored(self, units: list[Unit]) -> dict[str, OptionScores]:
        return AnswerStore(self.url).get(request for unit in units for request in unit.ids)


@pytest.fixture
def sharing(store_url: str, tmp_path: Path) -> Iterator[Sharing]:
    sharing = Sharing(store_url, tmp_path)
    yield sharing
    for process in sharing.started:
        process.kill()
        process.wait()


def alone(units: list[Unit], folder: Path) -> dict[str, OptionScores]:
    """The answers of one process that shares nothing."""
    store = AnswerStore.at(folder / "alone.db")
    return {
        key: one for _, scores in answer(FakeModel(), units, store) for key, one in scores.items()
    }


@pytest.mark.parametrize(
    ("people", "items"), [(("0-12", "0-12"), ("0-5", "0-5")), (("0-9", "3-12"), ("0-5", "2-7"))]
)
def test_processes_share_work_and_compute_nothing_twice(
    sharing: Sharing, tmp_path: Path, people: tuple[str, str], items: tuple[str, str]
) -> None:
    """Both are in a decode at once: the second has gone on with what the first has not claimed."""
    both = sharing.start(*zip("ab", people, items, strict=True))
    sharing.go("a")
    sharing.go("b")
    assert [process.communicate()[1] for process in both] == ["", ""]
    assert [process.returncode for process in both] == [0, 0]

    everything: dict[str, OptionScores] = {}
    for p, i in zip(people, items, strict=True):
        everything |= alone(
            work(range(*map(int, p.split("-"))), range(*map(int, i.split("-")))), tmp_path
        )
    assert sharing.computed("a") + sharing.computed("b") == len(everything)
    assert min(sharing.computed("a"), sharing.computed("b")) > 0
    assert AnswerStore(sharing.url).get(everything) == everything


def test_what_a_killed_process_has_claimed_is_taken_over(sharing: Sharing, tmp_path: Path) -> None:
    units = work(range(6), range(5))
    killed, survivor = sharing.start(("a", "0-6", "0-5"), ("b", "0-6", "0-5"))
    sharing.go("b")
    until(lambda: len(sharing.stored(units)) == 5 * 5, survivor)
    assert survivor.poll() is None, "it waits for what the other has claimed"
    assert sharing.computed("a") == 0

    killed.kill()
    assert survivor.communicate()[1] == ""
    assert survivor.returncode == 0
    assert sharing.computed("b") == 6 * 5
    assert sharing.stored(units) == alone(units, tmp_path)
