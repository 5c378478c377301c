"""A preview in the terminal: one person's prompt exactly, several people's side by side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from geppetto.planning.preview import PLACE, SEED, Preview
from geppetto.planning.prompt_preview import Passage, Reading

NARROWEST, GAP = 36, 3
"""Characters that a column needs at least, and that it is followed by."""
_PLACES = {
    "task": "A chat model reads the persona in the user turn, before the task.",
    "system": "A chat model reads the persona at the end of the system turn.",
}


def preview(found: Preview) -> RenderableType:
    """What models read: everything, or what all people share and then their personas."""
    parts: list[RenderableType] = []
    if found.drawn_from is not None:
        parts.append(Text(_drawn(found), "dim"))
    (first, *others) = found.people.values()
    if first is not None and not others:
        return Group(*parts, *(line for passage in first.passages for line in _shown(passage)))
    item = f" · item {found.item}" if found.item else ""
    parts += _shown(Passage(f"{found.frame.title}{item}", found.frame.text))
    if found.model is None:
        parts += ["", Text(f"{_PLACES[found.placement]} For tokens, add --model.", "dim")]
    columns = [_column(name, reading, found) for name, reading in found.people.items()]
    return Group(*parts, "", SideBySide(columns))


@dataclass(frozen=True)
class SideBySide:
    """Columns of equal width, as many beside each other as the terminal has room for."""

    columns: Sequence[RenderableType]

    def __rich_console__(
        self, console: Console, options: ConsoleOptions
    ) -> Iterator[RenderableType]:
        fit = max(1, min(len(self.columns), options.max_width // (NARROWEST + GAP)))
        for start in range(0, len(self.columns), fit):
            table = Table.grid(padding=(0, GAP, 0, 0), pad_edge=True, expand=True)
            for _ in range(fit):
                table.add_column(ratio=1, overflow="fold")
            table.add_row(*self.columns[start : start + fit])
            yield table if start == 0 else Group("", table)


def _drawn(found: Preview) -> str:
    return (
        f"{len(found.people)} of the {found.drawn_from:,} participants of study {found.study}, "
        f"drawn with seed {SEED}; --participant ID shows others"
    )


def _shown(passage: Passage) -> list[RenderableType]:
    text = Text(passage.text)
    text.highlight_words([PLACE], "bold cyan")
    return [Rule(Text(passage.title), style="dim"), text]


def _column(name: str, reading: Reading | None, found: Preview) -> RenderableType:
    title = Rule(Text(name, "bold"), align="left", style="dim")
    if reading is None:
        return Group(
            title, Text(f"nothing is known of them that {found.strategy} could show", "yellow")
        )
    whole = "prompt" if found.item else "session"
    lengths = f"persona {reading.persona_length}\n{whole} {reading.prompt_length}"
    return Group(title, Text(lengths, "dim"), "", Text(reading.persona))
