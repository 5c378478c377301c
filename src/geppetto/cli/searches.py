"""Commands that look for something better on some people and confirm it on others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from geppetto._util.errors import Failures, errors_in
from geppetto.cli.terminal import WORKSPACE, console, done, going_on_later
from geppetto.search.optimisers import Optimiser

app = typer.Typer()


@app.command()
def search(experiment: Annotated[Path, typer.Argument(help="A file with a `search`.")]) -> None:
    """Search the best strategy on some people and confirm it on the others."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from geppetto.reports import terminal as results
    from geppetto.search import terminal
    from geppetto.search.prepare import search_of_file

    with console.status("preparing the search"):
        prepared = search_of_file(experiment, WORKSPACE)
    console.print(terminal.plan(prepared))
    with console.status("opening MLflow"):
        from geppetto.search import run as searching
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    with (
        going_on_later(),
        errors_in(experiment),
        Progress(*columns, console=console) as progress,
    ):
        trials = progress.add_task("trials", total=prepared.settings.trials)
        answers = progress.add_task("answers of test people", total=None, visible=False)
        confirmation = searching.search(
            prepared,
            on_trial=lambda trial: progress.update(trials, completed=trial.user_attrs["place"] + 1),
            on_found=lambda found: progress.console.print(terminal.result(found)),
            on_answers=lambda done, total: progress.update(
                answers, completed=done, total=total, visible=True
            ),
        )
    failed, unconfirmed = Failures(), Failures()
    console.print()
    console.print(results.result(confirmation.results, failed))
    console.print()
    with unconfirmed.alone("the confirmation"):
        console.print(terminal.confirmation(confirmation))
    console.print("see it with: geppetto ui")
    done([*unconfirmed.sentences, *confirmation.failures], failed.sentences)


@app.command()
def optimise(
    experiment: Annotated[Path, typer.Argument(help="A file with a `search`.")],
    strategy: Annotated[str, typer.Argument(help="A strategy whose personas a model writes.")],
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of it, as writer=openai/gpt-4o.")
    ] = None,
    optimiser: Annotated[Optimiser, typer.Option(help="Of DSPy.")] = "gepa",
    reflector: Annotated[
        str, typer.Option(help="Who thinks of better instructions; the writer if not given.")
    ] = "",
    calls: Annotated[int, typer.Option(help="About how many personas are tried.", min=1)] = 200,
) -> None:
    """Improve what a writer of personas is told, on some people, and confirm it on the others."""
    from geppetto import api
    from geppetto._util.settings import settings
    from geppetto.reports import terminal

    with going_on_later(), console.status("optimising"):
        found = api.optimise(
            experiment,
            strategy,
            settings("--set", set_ or [], "k=5"),
            WORKSPACE,
            optimiser=optimiser,
            reflector=reflector,
            calls=calls,
        )
    failed = Failures()
    console.print(Text(found.optimised.sentence))
    console.print()
    console.print(terminal.result(found.results, failed))
    console.print()
    console.print(Text(found.sentence))
    console.print(Text(f"name it in an experiment: {found.compiled.in_yaml}"), soft_wrap=True)
    done(found.tracked.failures, failed.sentences)
