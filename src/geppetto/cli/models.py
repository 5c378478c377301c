"""Commands about what answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.text import Text

from geppetto._util.errors import GeppettoError, errors_in
from geppetto.cli.terminal import WORKSPACE, console

app = typer.Typer(help="What answers.", invoke_without_command=True)


@app.callback()
def list_models(context: typer.Context) -> None:
    """List the models that are installed, or `probe` any."""
    if context.invoked_subcommand is not None:
        return
    from geppetto.models.local.gguf import PACKAGED
    from geppetto.models.local.llama_cpp import LlamaCppModel
    from geppetto.reports import models as terminal

    console.print(terminal.models([LlamaCppModel(name, PACKAGED[name]()) for name in PACKAGED]))


@app.command("probe")
def probe_model(
    name: Annotated[
        str, typer.Argument(help="A LiteLLM name, an installed model's name, a file, or hf:NAME.")
    ],
    api_base: Annotated[
        str, typer.Option(help="Where it is reached, if not at its provider's.")
    ] = "",
    kind: Annotated[
        Literal["chat", "base"] | None,
        typer.Option(help="Send it turns, or plain text."),
    ] = None,
    experiment: Annotated[
        Path | None,
        typer.Option(help="A file that declares the model: its parameters, prices and limits."),
    ] = None,
) -> None:
    """Ask a model a handful of cheap questions, and report what its interface gives."""
    from geppetto.answers.probes import ProbeStore
    from geppetto.models.by_name import declared_model, named_model
    from geppetto.models.endpoint.probe import probed
    from geppetto.reports import models as terminal

    if experiment is None:
        model = named_model(name, api_base, kind)
    else:
        from geppetto.planning.config import Experiment

        if api_base or kind:
            raise GeppettoError(f"{experiment} says what {name} is; leave out the other options")
        with errors_in(experiment):
            wanted = Experiment.from_file(experiment)
            model = declared_model(name, wanted.models, wanted.precision)
    with console.status(Text(f"asking {name}")):
        found = probed(model)
    ProbeStore.of_workspace(WORKSPACE).put(found)
    console.print(terminal.probe(found))
