"""The command line: what is typed, and nothing else.

`app` has a module of commands for each noun (`studies`, `personas`, `models`) and for what is done
with them (`experiments`, `searches`, `ui`). A command reads its options, imports what it needs, and
prints what `reports` makes of the outcome.
"""

from __future__ import annotations

import sys
from importlib.metadata import version
from typing import Annotated

import typer
from rich.console import Console
from rich.text import Text

from geppetto._util.errors import GeppettoError
from geppetto._util.interrupts import interrupts_raised
from geppetto.cli import experiments, models, personas, searches, studies, ui
from geppetto.cli.terminal import WORKSPACE

__all__ = ["app", "main"]

app = typer.Typer(
    help="Does a persona make a language model predict this person?",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
for commands in (experiments, searches, ui):
    app.add_typer(commands.app)
for noun, commands in {"studies": studies, "personas": personas, "models": models}.items():
    app.add_typer(commands.app, name=noun)


def _say_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"geppetto {version('geppetto')}")
        raise typer.Exit


@app.callback()
def of_all_commands(
    wanted: Annotated[
        bool,
        typer.Option(
            "--version", callback=_say_version, is_eager=True, help="Say the version, and end."
        ),
    ] = False,
) -> None:
    """Take what stands before a command."""


def main() -> None:
    """Run the command line; an error that a user can mend is one sentence and exit code 2.

    Examples
    --------
    >>> from geppetto.cli import app
    >>> from typer.testing import CliRunner
    >>> CliRunner().invoke(app, ["--version"]).output
    'geppetto ...'
    """
    from geppetto.models.endpoint.secrets import read_keys

    try:
        with interrupts_raised():
            read_keys(WORKSPACE)
            app()
    except KeyboardInterrupt:
        sys.exit(130)
    except GeppettoError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(Text(f"error: {error}"))
        sys.exit(2)
