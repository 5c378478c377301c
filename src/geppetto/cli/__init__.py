"""The command line: what is typed, and nothing else.

`app` has a module of commands for each noun (`studies`, `personas`, `models`) and for what is done
with them (`experiments`, `report`, `searches`, `ui`). A command reads its options, imports what it
needs, and prints what `reports` makes of the outcome.
"""

from __future__ import annotations

import sys
from errno import EPIPE
from importlib.metadata import version
from typing import Annotated, Never

import typer

from geppetto._util.errors import GeppettoError
from geppetto._util.interrupts import interrupts_raised
from geppetto._util.output import plain_console, silence
from geppetto.cli import experiments, models, personas, report, searches, studies, ui
from geppetto.cli.terminal import WORKSPACE

__all__ = ["app", "main"]

app = typer.Typer(
    help="Does a persona make a language model predict this person?",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    pretty_exceptions_enable=False,
)
for commands in (experiments, report, searches, ui):
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
        _end(str(error))
    except OSError as error:
        if error.filename is None:
            silence(sys.stdout)
        if error.errno == EPIPE:  # whoever read the output has read enough
            sys.exit(1)
        place = f"{error.filename}: " if error.filename else "what was to be written: "
        _end(f"{place}{error.strerror or error}")


def _end(why: str) -> Never:
    """Say in one sentence why a command cannot go on, and end it."""
    from geppetto.models.endpoint.secrets import without_secrets

    plain_console(stderr=True, soft_wrap=True).print(f"error: {without_secrets(why)}")
    sys.exit(2)
