"""What is wrong with a data file, in a form that can be listed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import pandas as pd

Level = Literal["error", "note"]


@dataclass(frozen=True)
class Problem:
    """Something about a data file that its owner has to mend, or should know.

    With an "error" the study is refused; a "note" says what is not used or not checked.

    Attributes
    ----------
    message
        What is wrong and what to change, the same for all cells with the same problem.
    row
        The row of the file, whose header is row 1; None if it is about the whole column.

    Examples
    --------
    >>> Problem("error", "age", "not a number; correct it", row=7, value="young").row
    7
    """

    level: Level
    column: str
    message: str
    row: int | None = None
    value: str = ""


@dataclass(frozen=True)
class SameProblem:
    """A problem that many cells of a column have, with their rows and different values."""

    first: Problem
    rows: tuple[int, ...]
    values: tuple[str, ...]

    @property
    def where(self) -> str:
        more = f" and {len(self.rows) - 3:,} more" if len(self.rows) > 3 else ""
        return ", ".join(map(str, self.rows[:3])) + more

    @property
    def what(self) -> str:
        return ", ".join(self.values[:3]) + (", …" if len(self.values) > 3 else "")

    def __str__(self) -> str:
        row = f"row{'s' if len(self.rows) > 1 else ''} {self.where}, " if self.rows else ""
        held = f" ({self.what})" if self.what else ""
        return f"{row}{self.first.column}{held}: {self.first.message}"


def grouped(problems: Iterable[Problem]) -> list[SameProblem]:
    """Problems that differ in row and value only, together; errors go before notes."""
    groups: dict[tuple[str, str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.level, problem.column, problem.message), []).append(problem)
    same = [
        SameProblem(
            first=group[0],
            rows=tuple(problem.row for problem in group if problem.row is not None),
            values=tuple(dict.fromkeys(problem.value for problem in group if problem.value)),
        )
        for group in groups.values()
    ]
    return sorted(same, key=lambda found: found.first.level)


def in_cells(level: Level, cells: pd.Series, message: str) -> Iterator[Problem]:
    """The same problem in each of these cells of a column, which are indexed by their rows."""
    for row, value in zip(cells.index.tolist(), cells.tolist(), strict=True):
        text = value if isinstance(value, str) else ""
        yield Problem(level, str(cells.name), message, row, text)


def errors(problems: Iterable[Problem]) -> list[Problem]:
    """Problems for which a study is refused."""
    return [problem for problem in problems if problem.level == "error"]
