"""The command that shows what was logged."""

from __future__ import annotations

import os
import shlex
import socket
import sys
import sysconfig
from typing import Annotated

import typer

from geppetto._util.errors import GeppettoError
from geppetto.cli.terminal import WORKSPACE, console

app = typer.Typer()


@app.command()
def ui(
    port: Annotated[int, typer.Option(min=1, max=65535, help="Port on loopback.")] = 5000,
) -> None:
    """Open the MLflow UI of this workspace on loopback."""
    from geppetto.tracking.store import latest, local_uri, tracking_uri

    uri = tracking_uri(WORKSPACE)
    if uri == local_uri(WORKSPACE) and not (WORKSPACE / "mlruns" / "mlflow.db").exists():
        raise GeppettoError(
            "nothing has been run here yet; run: geppetto run experiments/NAME.yaml"
        )
    if not _is_free(port):
        free = next((other for other in range(port + 1, 65536) if _is_free(other)), 0)
        raise GeppettoError(f"port {port} is in use; use another: geppetto ui --port {free}")
    console.print(f"MLflow UI on http://127.0.0.1:{port} (stop with Ctrl-C)")
    with console.status("looking for what was run last"):
        last = latest(WORKSPACE)
    if last is not None:
        name, number = last
        address = f"http://127.0.0.1:{port}/#/experiments/{number}/runs"
        console.print(f"{name}: {address}", markup=False, soft_wrap=True)
    command, environment = served(uri, port)
    os.execve(sys.executable, command, environment)


def _is_free(port: int) -> bool:
    """Whether nobody listens on a port of loopback."""
    with socket.socket() as found:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def served(uri: str, port: int) -> tuple[list[str], dict[str, str]]:
    """The command that serves MLflow, and its environment: it runs no code of the workspace.

    Python and uvicorn would both look into the current folder first for what they import.
    """
    options = ["--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port)]
    first = shlex.quote(f"--app-dir={sysconfig.get_path('stdlib')}")
    command = [sys.executable, "-P", "-m", "mlflow", "ui", *options, "--workers", "1"]
    return [*command, "--uvicorn-opts", first], os.environ | {"PYTHONSAFEPATH": "1"}
