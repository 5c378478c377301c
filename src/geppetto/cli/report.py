"""The command that writes what was found as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geppetto._util.errors import Failures
from geppetto.cli.experiments import plans_of
from geppetto.cli.terminal import WORKSPACE, console, done

app = typer.Typer()


@app.command()
def report(
    experiments: Annotated[list[Path], typer.Argument(help="Experiment files that were run.")],
    out: Annotated[Path, typer.Option(help="Where to write the page.")] = Path("report.html"),
) -> None:
    """Write one HTML page of what experiments found. Asks and logs nothing."""
    from geppetto._util.files import appearing
    from geppetto.experiment import run as running
    from geppetto.experiment.preregistration import plan_to_follow
    from geppetto.reports.page import page

    found = []
    for experiment in experiments:
        to_follow = plan_to_follow(experiment, None)
        store, plans = plans_of(experiment, None)
        for prepared, missing, _ in plans:
            result = running.stored(prepared, missing, store, WORKSPACE, frozen=to_follow)
            found.append((prepared, result))
    failures = Failures()
    text = page(found, failures)
    with appearing(out) as partial:
        partial.write_text(text, "utf-8")
    console.print(f"written: {out}", markup=False)
    done(failures.sentences, ())
