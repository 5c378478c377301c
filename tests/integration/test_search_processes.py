"""Searches in processes of their own: killed, and opened by Optuna's dashboard."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState

from geppetto.search.optimise import open_study, optimise
from invented_search import Invented, outcome, prepared, run


def trials_of(study: optuna.Study, *states: TrialState) -> int:
    return len(study.get_trials(deepcopy=False, states=states or None))


def until(reached: Any, process: subprocess.Popen[bytes]) -> None:
    while not reached():
        assert process.poll() is None
        time.sleep(0.01)


def test_a_killed_search_goes_on_as_if_nothing_had_happened(tmp_path: Path) -> None:
    whole = optimise(prepared(tmp_path / "whole", trials=13), Invented())
    search = prepared(tmp_path / "killed", trials=13)
    study = open_study(search)
    process = run(tmp_path / "killed", 0, 13, 11)

    def suggesting() -> bool:
        """Whether a trial runs that learns from those before it."""
        finished = trials_of(study, TrialState.COMPLETE, TrialState.PRUNED)
        return finished >= 11 and trials_of(study, TrialState.RUNNING) > 0

    until(suggesting, process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert trials_of(study, TrialState.RUNNING) == 1
    assert outcome(optimise(search, Invented())) == outcome(whole)
    assert trials_of(study, TrialState.FAIL) == 1 and trials_of(study) == 14


def test_optuna_dashboard_opens_a_search(tmp_path: Path) -> None:
    pytest.importorskip("optuna_dashboard", reason="it is the dashboard that is tested")
    search = prepared(tmp_path, trials=2, objective=["information", "tokens"], prune=None)
    optimise(search, Invented(objectives=2))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [str(Path(sys.executable).parent / "optuna-dashboard"), search.storage]
    process = subprocess.Popen(
        [*command, "--host", "127.0.0.1", "--port", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        (study,) = answered(f"http://127.0.0.1:{port}/api/studies", process)["study_summaries"]
    finally:
        process.terminate()
        process.wait()
    assert study["study_name"] == search.name
    assert study["directions"] == ["maximize", "minimize"]


def answered(url: str, process: subprocess.Popen[bytes]) -> dict[str, Any]:
    """What a server that is starting answers with."""
    while True:
        assert process.poll() is None
        try:
            with urllib.request.urlopen(url, timeout=10) as response:
                found: dict[str, Any] = json.load(response)
                return found
        except OSError:
            time.sleep(0.1)
