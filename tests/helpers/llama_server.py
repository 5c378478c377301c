"""A server that others wrote: llama-cpp-python's own, on loopback, with a local model."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from geppetto.models.endpoint.client import Endpoint
from geppetto.models.endpoint.litellm_setup import connections
from geppetto.models.gate import RequestGate
from geppetto.models.local.gguf import dequantised
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.requests import Completion, Request

_UNTIL_IT_ANSWERS = 120
_F32 = "0"


@contextmanager
def llama_server(model: LlamaCppModel, path: Path, context: int) -> Iterator[str]:
    """The api_base of a server of a model with float32 weights and cache, by its own name.

    Only with `logits_all` does it give log-probabilities; these take `context` times the size of
    the vocabulary.
    """
    weights = dequantised(path, model.identity.sha256, "f32")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings = {
        "model": str(weights),
        "model_alias": model.identity.name,
        "host": "127.0.0.1",
        "port": str(port),
        "logits_all": "true",
        "n_ctx": str(context),
        "type_k": _F32,
        "type_v": _F32,
        "verbose": "false",
    }
    options = [part for key, value in settings.items() for part in (f"--{key}", value)]
    with tempfile.TemporaryFile() as said:
        server = subprocess.Popen(
            [sys.executable, "-m", "llama_cpp.server", *options], stdout=said, stderr=said
        )
        try:
            if not _answers(port, server):
                said.seek(0)
                raise RuntimeError(f"the server does not start: {said.read().decode()[-2000:]}")
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            server.wait()


def _answers(port: int, server: subprocess.Popen[bytes]) -> bool:
    over = time.monotonic() + _UNTIL_IT_ANSWERS
    while server.poll() is None and time.monotonic() < over:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/v1/models"):
                return True
        except OSError:
            time.sleep(0.2)
    return False


def completions(endpoint: Endpoint, requests: Sequence[Request]) -> list[Completion]:
    async def ask() -> list[Completion]:
        async with connections():
            asked = (endpoint.generate(request, RequestGate()) for request in requests)
            return list(await asyncio.gather(*asked))

    return asyncio.run(ask())
