"""What the terminal shows while models are asked."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from geppetto.answers.local import Unit
from geppetto.answers.status import AnswerStatus
from geppetto.models.base import Scorer
from geppetto.planning.elicited import Elicited
from geppetto.reports.planned import Work


class _Speed(ProgressColumn):
    def render(self, task: Task) -> Text:
        speed = task.fields["speed"]
        return Text("answers" if speed is None else f"answers  {speed:,.0f} tokens/s")


def bars(console: Console) -> Progress:
    """Bars of answers, with tokens a second where they are known."""
    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        _Speed(),
        TimeRemainingColumn(),
        console=console,
    )


class Asking:
    """A bar for each model, and each way of asking it, that has something left to answer."""

    def __init__(
        self,
        progress: Progress,
        work: Mapping[str, Work],
        statuses: Mapping[tuple[str, str], AnswerStatus],
    ) -> None:
        self._progress = progress
        self._parsed = {
            key: progress.add_task(" · ".join(key), total=len(of.parsed) + len(of.open), speed=None)
            for key, of in statuses.items()
            if of.open
        }
        self._tasks = {
            name: progress.add_task(name, total=each.left.answers, start=False, speed=0.0)
            for name, each in work.items()
            if each.left
        }
        self._started: dict[str, float] = {}
        self._tokens = Counter[str]()

    def answered(self, model: Scorer, unit: Unit) -> None:
        """One more unit of work is done."""
        name = model.identity.name
        task = self._tasks[name]
        if name not in self._started:
            self._started[name] = time.perf_counter()
            self._progress.start_task(task)
        self._tokens[name] += unit.distinct_tokens
        seconds = max(time.perf_counter() - self._started[name], 1e-9)
        self._progress.update(task, advance=len(unit.ids), speed=self._tokens[name] / seconds)

    def parsed(self, elicited: Elicited) -> None:
        """One more question has all its replies."""
        if elicited.key in self._parsed:
            self._progress.update(self._parsed[elicited.key], advance=1)
