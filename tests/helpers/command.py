"""The command line without a process of its own, which takes seconds to import what it needs."""

from __future__ import annotations

import contextlib
import io
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess
from unittest.mock import patch

from geppetto.cli import main


def geppetto(*arguments: str, cwd: Path | None = None) -> CompletedProcess[str]:
    """What a command prints, and the code it exits with."""
    code, out, err = 0, io.StringIO(), io.StringIO()
    with (
        contextlib.chdir(cwd or Path()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        patch.object(sys, "argv", ["geppetto", *arguments]),
    ):
        try:
            main()
        except SystemExit as end:
            code = int(end.code or 0)
    return CompletedProcess(arguments, code, out.getvalue(), err.getvalue())


def started(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What the command does as a process, with all that libraries write to its stderr."""
    command = [sys.executable, "-m", "geppetto", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The one sentence on stderr of a command that was refused."""
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("error: ")
    return result.stderr.removeprefix("error: ").strip()
