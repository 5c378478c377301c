"""How the terminal's tables look: names on the left, numbers in columns, at any width.

Where a terminal is too narrow for all columns, those that do not fit follow below in a second
block, as pandas prints a wide frame: no name is crushed and no number lost.
"""

from __future__ import annotations

import textwrap
from collections.abc import Hashable, Iterator, Mapping, Sequence
from typing import Any

from rich.cells import cell_len, chop_cells
from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

from geppetto.evaluation.inference.resampling import Estimate
from geppetto.evaluation.words import ranged
from geppetto.planning.plan import BASELINE

_GAPS = (2, 1)
"""Cells between columns: fewer where all columns are side by side only so."""

_NARROW = 20
"""Cells that a name has at least; one that is longer goes on in the next line."""


class Columns:
    """A table: a column of names, columns of numbers, and headings that are as long as they like.

    Parameters
    ----------
    first, *others
        What the columns are called.
    words
        How many of the last columns are words, which begin at the left.

    Examples
    --------
    >>> from rich.console import Console
    >>> table = Columns("arm", "NLL")
    >>> table.heading("gemma-3-270m")
    >>> table.row("own", "1.234")
    >>> Console(width=30).print(table)
    arm    NLL
    gemma-3-270m
    own  1.234
    """

    def __init__(self, first: str, *others: str, words: int = 0) -> None:
        self.caption = ""
        self.most: int | None = None
        """Rows that are shown at most; all if None."""
        self._names = (first, *others)
        self._lines: list[tuple[Text, ...]] = []
        self._words = words

    def heading(self, text: str) -> None:
        """Say what the rows that follow are of."""
        self._lines.append((Text(text, "bold"),))

    def row(self, name: str, *cells: str | Text) -> None:
        """Add a row of as many cells as there are columns of numbers."""
        assert len(cells) == len(self._names) - 1, "a cell for each column"
        told = (cell if isinstance(cell, Text) else Text(cell) for cell in cells)
        self._lines.append((Text(name), *told))

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """The blocks, one below the other, and the caption."""
        lines, left_out = self._shown()
        room = options.max_width
        rows = [line for line in lines if len(line) > 1]
        widths = [
            max([cell_len(line[at].plain) for line in rows] + [_widest(name)])
            for at, name in enumerate(self._names)
        ]
        least = min(widths[0], _NARROW)
        widths[0] = max(widths[0], cell_len(self._names[0]))

        def left(block: Sequence[int], gap: int) -> int:
            """What a block leaves of the room."""
            return room - sum(widths[at] + gap for at in block)

        ways = [(list(_blocks(widths, room - least, gap)), gap) for gap in _GAPS]
        blocks, gap = min(
            ways,
            key=lambda way: (len(way[0]), any(left(block, way[1]) < widths[0] for block in way[0])),
        )
        for number, block in enumerate(blocks):
            if number:
                yield Text("")
            name = max(min(widths[0], left(block, gap)), least)
            yield from self._block(lines, block, [name, *widths[1:]], gap)
        if left_out:
            yield Text(f"{left_out:,} more rows: --rows {len(self._rows)}", "dim")
        if self.caption:
            yield Text(self.caption, "dim italic")

    @property
    def _rows(self) -> list[int]:
        return [place for place, line in enumerate(self._lines) if len(line) > 1]

    def _shown(self) -> tuple[list[tuple[Text, ...]], int]:
        """The lines that are shown, and how many rows are not."""
        rows = self._rows
        if self.most is None or len(rows) <= self.most:
            return self._lines, 0
        return self._lines[: rows[self.most]], len(rows) - self.most

    def _block(
        self,
        lines: Sequence[tuple[Text, ...]],
        block: Sequence[int],
        widths: Sequence[int],
        gap: int,
    ) -> Iterator[Text]:
        """Some of the columns, beside the names."""
        heads = [textwrap.wrap(self._names[at], widths[at]) or [""] for at in (0, *block)]
        for line in range(max(len(head) for head in heads)):
            # words of a head stand on the last lines, beside the numbers
            at_line = [line - max(len(h) for h in heads) + len(head) for head in heads]
            told = [h[n] if n >= 0 else "" for h, n in zip(heads, at_line, strict=True)]
            yield self._line([Text(text, "dim") for text in told], block, widths, gap)
        for cells in lines:
            if len(cells) == 1:
                yield cells[0]
                continue
            first, *rest = _wrapped(cells[0].plain, widths[0])
            yield self._line([Text(first), *(cells[at] for at in block)], block, widths, gap)
            yield from (Text(more) for more in rest)

    def _line(
        self, cells: Sequence[Text], block: Sequence[int], widths: Sequence[int], gap: int
    ) -> Text:
        line = Text(no_wrap=True)
        for at, cell in zip((0, *block), cells, strict=True):
            room = " " * (widths[at] - cell_len(cell.plain))
            is_name = at == 0 or at >= len(self._names) - self._words
            line.append(" " * gap if at else "")
            line.append_text(Text.assemble(cell, room) if is_name else Text.assemble(room, cell))
        line.rstrip()
        return line


def _blocks(widths: Sequence[int], room: int, gap: int) -> Iterator[list[int]]:
    """Which columns of numbers stand beside one another, in the room that names leave."""
    block: list[int] = []
    for at in range(1, len(widths)):
        if block and sum(widths[n] + gap for n in (*block, at)) > room:
            yield block
            block = []
        block.append(at)
    yield block


def _widest(head: str) -> int:
    """How wide a head is at least: it may go on in the next line between words."""
    return max(cell_len(word) for word in head.split(" "))


def _wrapped(text: str, width: int) -> list[str]:
    """A text in lines, of which those after the first are indented as it is and two cells more."""
    if cell_len(text) <= width:
        return [text]
    indent = " " * (len(text) - len(text.lstrip()))
    lines = [""]
    longest = max(1, width - len(indent) - 2)
    for part in (part for word in text.split() for part in chop_cells(word, longest)):
        longer = f"{lines[-1]} {part}".strip()
        more = indent if len(lines) == 1 else f"{indent}  "
        if lines[-1] and cell_len(more + longer) > width:
            lines.append(part)
        else:
            lines[-1] = longer
    return [indent + lines[0], *(f"{indent}  {line}" for line in lines[1:])]


def within_model(row: Mapping[Hashable, Any]) -> str:
    """A condition's strategy and arm; baselines have no arms."""
    if row["model"] == BASELINE:
        return str(row["strategy"])
    return " · ".join(dict.fromkeys((row["strategy"], row["arm"])))


def if_fewer(people: int, most: int) -> str:
    """How many people a condition is of, where others are of more: some have no match."""
    return f", {people:,} people" if people < most else ""


def with_interval(row: Mapping[Hashable, Any], name: str, form: str = ".3f") -> str:
    """A number of a table and its interval, as NAME, NAME_low and NAME_high, of even widths."""
    value, low, high = (row[f"{name}{end}"] for end in ("", "_low", "_high"))
    return ranged(Estimate(value, low, high), form).replace(" [", "  [")
