"""What a process of test_sharing.py does: it answers prompts, and tells what it computes."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from fake_model import FakeModel
from geppetto.answers.local import answer
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.option_likelihood import Unit, request_id, units
from geppetto.models.token_tree import TokenTree
from geppetto.prompts.survey import Prompt
from session_sharing import SessionTask


@dataclass(frozen=True)
class Task:
    """A prompt for each of some people and each of some items."""

    people: range
    items: range
    places = 1
    """How many places of a tree belong to an answer."""

    def units(self) -> list[Unit]:
        """A unit for each person."""
        model, options = FakeModel(), (("1", "yes"), ("2", "no"))
        prompts = [
            Prompt(f"Person {p}. Item {i}: ", "Person ", f"Person {p}. ", options)
            for p in self.people
            for i in self.items
        ]
        named = {request_id(prompt, model.identity): prompt for prompt in prompts}
        return list(units(named, model))


@dataclass(frozen=True)
class Messages:
    """Files by which a process and the test that started it speak with each other."""

    folder: Path
    process: str

    @property
    def decoding(self) -> Path:
        """Is there when the first decode has begun."""
        return self.folder / f"{self.process}.decoding"

    @property
    def go(self) -> Path:
        """Lets the first decode end."""
        return self.folder / f"{self.process}.go"

    @property
    def computed(self) -> Path:
        """Has a line for every place that was computed."""
        return self.folder / f"{self.process}.computed"


class TellingModel(FakeModel):
    """Says when it begins its first decode, and waits there."""

    def __init__(self, messages: Messages) -> None:
        super().__init__()
        self._messages = messages

    def log_probs(self, tree: TokenTree) -> NDArray[np.float64]:
        self._messages.decoding.touch()
        while not self._messages.go.exists():
            time.sleep(0.01)
        time.sleep(0.02)
        with self._messages.computed.open("a") as lines:
            lines.writelines("computed\n" for _ in tree.options)
        return super().log_probs(tree)


def share(url: str, messages: Messages, task: Task | SessionTask) -> None:
    """Answer a task, and check that it is answered."""
    planned = task.units()
    yielded = list(answer(TellingModel(messages), planned, AnswerStore(url)))
    assert sorted(unit.ids for unit, _ in yielded) == sorted(unit.ids for unit in planned)
    assert all(here is None or set(here.ids) <= set(unit.ids) for unit, here in yielded)
