"""Commands about what people did."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from geppetto._util.errors import GeppettoError
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


@app.command("draft")
def draft_codebook(
    data: Annotated[
        Path,
        typer.Argument(help="A data file: .csv, .tsv, .xlsx, .parquet, .sav, .dta, .sas7bdat."),
    ],
    out: Annotated[
        Path | None, typer.Option(help="Where to write it; beside the data if not given.")
    ] = None,
) -> None:
    """Write a codebook for a data file, as far as it can be guessed, with questions to answer."""
    from geppetto.planning.bundled_layouts import with_layouts
    from geppetto.reports import drafts
    from geppetto.studies.drafting import codebook_text, guess, read_columns
    from geppetto.studies.survey_file import check_study

    if not data.is_file():
        raise GeppettoError(f"data file {data} does not exist")
    target = out or data.with_name(f"{data.name.partition('.')[0]}.yaml")
    if target.exists():
        raise GeppettoError(
            f"{target} exists, and may hold what you answered; give another `--out`, or move it"
        )
    with console.status("reading"):
        found = guess(read_columns(data))
    text = codebook_text(found, os.path.relpath(data, target.parent))
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    checked = with_layouts(check_study(str(target)))
    console.print(drafts.drafted(found, text, target, checked))


@app.command("check")
def check_survey(
    file: Annotated[
        str, typer.Argument(help="A codebook file, a file of sessions, or a study's name.")
    ],
) -> None:
    """List everything that is wrong with a study's data; exit code 1 if anything is."""
    from geppetto.planning.bundled_layouts import with_layouts
    from geppetto.reports import studies as terminal
    from geppetto.studies.problems import errors
    from geppetto.studies.survey_file import check_study

    checked = with_layouts(check_study(file, WORKSPACE))
    console.print(terminal.check(checked))
    if errors(checked.problems):
        raise typer.Exit(1)
