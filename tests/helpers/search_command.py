"""A file with a search, and what the command line does with it by a fake model."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer.testing

from fake_model import FakeModel
from geppetto.cli import app

FILE = """
question: Which is best?
study: bfi
participants: {sample: 16, seed: 1, complete: true}
items: [A1, C1]
models: [fake]
search:
  strategies:
    - interview: {answers: null, scores: null}
    - known_answers: {k: {low: 2, high: 9}, scores: null, choose: random}
  layout: [answer]
  trials: 4
  batch: 4
"""


def command(
    name: str, text: str, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> typer.testing.Result:
    monkeypatch.setattr("geppetto.search.prepare.open_scorer", lambda *_: FakeModel())
    monkeypatch.setattr("geppetto.cli.terminal.console.width", 200)
    (workspace / "x.yaml").write_text(text)
    return typer.testing.CliRunner().invoke(app, [name, "x.yaml"])
