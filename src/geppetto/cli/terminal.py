"""Where commands print, and what they read and write in."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import typer
from rich.text import Text

from geppetto._util.interrupts import interrupts_raised
from geppetto._util.output import plain_console, spell

spell(sys.stdout)
_TERMINAL = sys.stdout is not None and sys.stdout.isatty()
console = plain_console(soft_wrap=not _TERMINAL, width=None if _TERMINAL else 120)
WORKSPACE = Path()


@contextmanager
def going_on_later() -> Iterator[None]:
    """Say that the next run goes on from here, if this one is interrupted or its budget reached."""
    from geppetto.models.budget import BudgetReached

    try:
        with interrupts_raised():
            yield
    except KeyboardInterrupt:
        console.print("stopped; every answer so far is kept, run again to go on")
        raise typer.Exit(130) from None
    except BudgetReached as reached:
        console.print(Text(f"stopped: {reached}"))
        raise typer.Exit(3) from None


def done(unsaid: Sequence[str], said: Sequence[str] = ()) -> None:
    """Say what else failed alone, and end with exit code 1 if anything did."""
    for sentence in dict.fromkeys(unsaid):
        console.print(Text(sentence, "red"))
    if unsaid or said:
        raise typer.Exit(1)
