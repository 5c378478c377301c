"""Commands about what people did."""

from __future__ import annotations

from typing import Annotated

import typer

from geppetto.cli.terminal import WORKSPACE, console

app = typer.Typer(help="What people did.", invoke_without_command=True)


@app.callback()
def list_studies(context: typer.Context) -> None:
    """List the studies that ship with geppetto; `show` or `check` one."""
    if context.invoked_subcommand is not None:
        return
    from geppetto.reports import studies as terminal
    from geppetto.studies import bundled_studies, load_study

    console.print(terminal.studies([load_study(name) for name in bundled_studies()]))


@app.command("show")
def show_study(
    name: Annotated[
        str, typer.Argument(help="A study's name, a codebook file, or a file of sessions.")
    ],
) -> None:
    """Describe a study: where it comes from, its people, their traits and what they did."""
    from geppetto.reports import studies as terminal
    from geppetto.studies import load_study

    console.print(terminal.study(load_study(name, WORKSPACE)))


@app.command("check")
def check_survey(
    file: Annotated[
        str, typer.Argument(help="A codebook file, a file of sessions, or a study's name.")
    ],
) -> None:
    """List everything that is wrong with a study's data; exit code 1 if anything is."""
    from geppetto.reports import studies as terminal
    from geppetto.studies.problems import errors
    from geppetto.studies.survey_file import check_study

    checked = check_study(file, WORKSPACE)
    console.print(terminal.check(checked))
    if errors(checked.problems):
        raise typer.Exit(1)
