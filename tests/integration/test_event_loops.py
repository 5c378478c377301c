"""LiteLLM in several event loops, one after the other: nothing is left over, nothing is printed."""

from __future__ import annotations

import subprocess
import sys

from workspaces import ROOT

SCRIPT = [sys.executable, str(ROOT / "tests" / "helpers" / "many_loops.py")]


def test_loops_that_follow_each_other_leave_nothing_behind() -> None:
    """In a process of its own, since what is left behind is found when it ends."""
    ended = subprocess.run(SCRIPT, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")
