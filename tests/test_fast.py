"""Tests outside of integration/ and simulations/ are refused what makes tests slow."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from fast import SLOW, is_fast
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.token_tree import TokenTree
from workspaces import ROOT

REFUSED = "which only tests in integration/ and simulations/ may"


def test_no_real_model_is_asked(smollm2: LlamaCppModel) -> None:
    with pytest.raises(RuntimeError, match=REFUSED):
        smollm2.score([TokenTree.build([(smollm2.tokenize("Once"), [(1,)])])])


def test_no_server_is_started() -> None:
    with socket.socket() as one, pytest.raises(RuntimeError, match=REFUSED):
        one.bind(("127.0.0.1", 0))


@pytest.mark.parametrize("command", [[sys.executable, "-m", "geppetto", "ui"], ["chromium"]])
def test_no_program_is_started_that_may_do_so(command: list[str]) -> None:
    with pytest.raises(RuntimeError, match=REFUSED):
        subprocess.run(command, check=False)


def test_folders_of_slow_tests_are_those_that_are_left_out(request: pytest.FixtureRequest) -> None:
    assert is_fast(request.node)
    rule = (ROOT / "Makefile").read_text("utf-8").split("test-fast:")[1].split("\n\n")[0]
    for folder in SLOW:
        assert list(folder.glob("test_*.py"))
        assert f"--ignore {folder.relative_to(ROOT)}" in rule
