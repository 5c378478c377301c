"""What keeps tests fast: no real model, server or browser but where these are what is tested."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from geppetto.models.local.llama_cpp import LlamaCppModel
from workspaces import ROOT

SLOW = (ROOT / "tests" / "integration", ROOT / "tests" / "simulations")
SERVERS = {"chromium", "google-chrome", "initdb", "optuna-dashboard", "pg_ctl", "postgres"}

_kept: list[pytest.Item] = []
"""The test that is to be fast, while one is."""


def is_fast(item: pytest.Item) -> bool:
    """Whether a test is one of `make test-fast`."""
    slow = any(folder in item.path.parents for folder in SLOW)
    return not slow and item.get_closest_marker("server") is None


@contextmanager
def kept_fast(item: pytest.Item) -> Iterator[None]:
    """Refuse what is slow as long as a test runs, if it is to be fast."""
    if not is_fast(item):
        yield
        return
    _kept.append(item)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(LlamaCppModel, "_decoder_for", _asked)
        try:
            yield
        finally:
            _kept.remove(item)


def _refuse(what: str) -> None:
    raise RuntimeError(f"{what}, which only tests in integration/ and simulations/ may")


def _asked(model: LlamaCppModel, _: int) -> None:
    _refuse(f"this asks {model.identity.name}")


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _kept:
        return
    if event == "socket.bind" and isinstance(arguments[1], tuple):
        _refuse("this starts a server")
    if event == "subprocess.Popen":
        command = [str(part) for part in arguments[1]]
        module = command[0] == sys.executable and command[1:2] == ["-m"]
        # one of the whole run is stopped after its last test, whichever that is
        if (module or Path(command[0]).name in SERVERS) and command[-1] != "stop":
            _refuse(f"this starts {' '.join(command[:4])}")


sys.addaudithook(_audit)
