"""The command that shows what was logged."""

from __future__ import annotations

import os
import shlex
import sys
import sysconfig
from typing import Annotated

import typer

from geppetto._util.errors import GeppettoError
from geppetto.cli.terminal import WORKSPACE, console

app = typer.Typer()


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on loopback.")] = 5000,
) -> None:
    """Open the MLflow UI of this workspace on loopback."""
    from geppetto.tracking.store import local_uri, tracking_uri

    uri = tracking_uri(WORKSPACE)
    if uri == local_uri(WORKSPACE) and not (WORKSPACE / "mlruns" / "mlflow.db").exists():
        raise GeppettoError(
            "nothing has been run here yet; run: geppetto run experiments/NAME.yaml"
        )
    console.print(f"MLflow UI on http://127.0.0.1:{port} (stop with Ctrl-C)")
    command, environment = served(uri, port)
    os.execve(sys.executable, command, environment)


def served(uri: str, port: int) -> tuple[list[str], dict[str, str]]:
    """The command that serves MLflow, and its environment: it runs no code of the workspace.

    Python and uvicorn would both look into the current folder first for what they import.
    """
    options = ["--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port)]
    first = shlex.quote(f"--app-dir={sysconfig.get_path('stdlib')}")
    command = [sys.executable, "-P", "-m", "mlflow", "ui", *options, "--workers", "1"]
    return [*command, "--uvicorn-opts", first], os.environ | {"PYTHONSAFEPATH": "1"}
