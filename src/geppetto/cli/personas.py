"""Commands about who the model is told it is."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from geppetto._util.errors import Failures
from geppetto.cli.terminal import WORKSPACE, console

app = typer.Typer(help="Who the model is told it is.", invoke_without_command=True)


@app.callback()
def list_personas(context: typer.Context) -> None:
    """List the strategies, or `preview` one."""
    if context.invoked_subcommand is not None:
        return
    from geppetto.personas import Format, PersonaStrategy
    from geppetto.personas.library import choices, strategy_class, strategy_files

    strategies, broken = {}, Failures()
    for name in strategy_files(WORKSPACE):
        with broken.alone(f"strategy {name}"):
            strategies[name] = strategy_class(name, WORKSPACE)
    table = Table("strategy", "what it does", "parameters of its own", box=None, header_style="dim")
    for name, strategy in sorted(strategies.items()):
        summary = (strategy.__doc__ or "").strip().split("\n\n")[0]
        base = Format if issubclass(strategy, Format) else PersonaStrategy
        own = choices(strategy, strategy.model_fields.keys() - base.model_fields.keys())
        table.add_row(name, " ".join(summary.split()), "\n".join(own))
    console.print(table)
    plain = sorted(n for n, strategy in strategies.items() if not issubclass(strategy, Format))
    said = Format.model_fields.keys() - PersonaStrategy.model_fields.keys()
    shared = Table(box=None, show_header=False)
    shared.add_row("every strategy takes", "\n".join(choices(PersonaStrategy)))
    shared.add_row(f"all but {', '.join(plain)} can also show", "\n".join(choices(Format, said)))
    console.print()
    console.print(shared)
    for sentence in broken.sentences:
        console.print(Text(sentence, "yellow"))


@app.command("new")
def new_strategy(
    name: Annotated[str, typer.Argument(help="What the strategy is to be called.")],
) -> None:
    """Write a strategy to start from, which runs as it is, to `personas/`."""
    from geppetto.personas import scaffold as new

    console.print(Text(f"wrote {new.new_strategy(name, WORKSPACE)}; see what a model will read:"))
    console.print(Text(f"geppetto personas preview {name} --study bfi"))


@app.command("preview")
def preview(
    name: Annotated[str, typer.Argument(help="A strategy's name.")],
    study: Annotated[str, typer.Option(help="A study's name, or a codebook file.")],
    participant: Annotated[
        list[str] | None,
        typer.Option(help="A participant's id; may be given again. Three are drawn if not given."),
    ] = None,
    item: Annotated[
        str | None, typer.Option(help="Item to ask; the first one if not given.")
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Show it in this model's own template, with its tokens.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="A parameter of the strategy, as k=5.")
    ] = None,
    layout: Annotated[
        list[str] | None, typer.Option(help="How the item is put, as answer=letter.")
    ] = None,
) -> None:
    """Print exactly what a model will read: of one participant, or of several side by side.

    An elicitation by requests adds at the end in what form to answer.
    """
    from geppetto._util.settings import settings
    from geppetto.experiment.strategies import open_strategy
    from geppetto.planning.preview import preview as previewed
    from geppetto.reports import preview as terminal

    found = previewed(
        name,
        open_strategy(name, settings("--set", set_ or [], "k=5"), WORKSPACE),
        study,
        WORKSPACE,
        participants=participant or [],
        item_name=item,
        layout=settings("--layout", layout or [], "answer=letter"),
        model_name=model,
    )
    console.print(terminal.preview(found))
