"""A process of the tests that answers prompts with a fake model, which tells what it computes.

Usage: sharing.py URL FOLDER NAME PEOPLE ITEMS. In FOLDER, NAME.decoding appears when the first
decode begins, and the decode ends when NAME.go is there; NAME.computed gets a line for every
prompt that is computed.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parent))

from conftest import FakeModel
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.option_likelihood import Unit, request_id, units
from geppetto.elicitation.token_tree import TokenTree
from geppetto.experiment import answer
from geppetto.prompts.layout import Prompt


class TellingModel(FakeModel):
    """Waits in its first decode, and is slow in the others."""

    def __init__(self, folder: Path, name: str) -> None:
        super().__init__()
        self._folder = folder
        self._name = name

    def _file(self, what: str) -> Path:
        return self._folder / f"{self._name}.{what}"

    def log_probs(self, tree: TokenTree, head: int = 0) -> NDArray[np.float64]:
        if self._file("decoding").exists():
            time.sleep(0.02)
        self._file("decoding").touch()
        while not self._file("go").exists():
            time.sleep(0.01)
        with self._file("computed").open("a") as lines:
            lines.writelines("computed\n" for _ in tree.options)
        return super().log_probs(tree, head)


def work(people: range, items: range) -> list[Unit]:
    """A unit for each person, with a prompt for each item."""
    model = FakeModel()
    prompts = [
        Prompt(f"Person {p}. Item {i}: ", "Person ", f"Person {p}. ", (("1", "yes"), ("2", "no")))
        for p in people
        for i in items
    ]
    return list(units({request_id(prompt, model.identity): prompt for prompt in prompts}, model))


def main() -> None:
    url, folder, name, people, items = sys.argv[1:]
    planned = work(range(*map(int, people.split("-"))), range(*map(int, items.split("-"))))
    yielded = list(answer(TellingModel(Path(folder), name), planned, AnswerStore(url)))
    assert sorted(unit.ids for unit, _ in yielded) == sorted(unit.ids for unit in planned)
    assert all(set(scores) == set(unit.ids) for unit, scores in yielded)


if __name__ == "__main__":
    main()
