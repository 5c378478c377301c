"""Commands about what answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from geppetto.cli.terminal import WORKSPACE, console
from geppetto.errors import GeppettoError, errors_in

app = typer.Typer(help="What answers.", invoke_without_command=True)


@app.callback()
def list_models(context: typer.Context) -> None:
    """List the models that are installed, or `probe` any."""
    if context.invoked_subcommand is not None:
        return
    from geppetto.models.gguf import PACKAGED
    from geppetto.models.llama_cpp import LlamaCppModel
    from geppetto.reports import models as terminal

    console.print(terminal.models([LlamaCppModel(name, PACKAGED[name]()) for name in PACKAGED]))


@app.command("probe")
def probe_model(
    name: Annotated[
        str, typer.Argument(help="A LiteLLM name, an installed model's name, or a GGUF file.")
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
    from geppetto.models.named_speaker import declared_speaker, named_speaker
    from geppetto.models.probe import probed
    from geppetto.reports import models as terminal

    if experiment is None:
        speaker = named_speaker(name, api_base, kind)
    else:
        from geppetto.experiment import Experiment

        if api_base or kind:
            raise GeppettoError(f"{experiment} says what {name} is; leave out the other options")
        with errors_in(experiment):
            asked = Experiment.from_file(experiment)
            speaker = declared_speaker(name, asked.models, asked.precision)
    with console.status(f"asking {name}"):
        found = probed(speaker)
    ProbeStore.of_workspace(WORKSPACE).put(found)
    console.print(terminal.probe(found))
