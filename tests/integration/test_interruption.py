"""kill -9 at any moment, run again: the same result, and no answer computed twice."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from command import geppetto
from workspaces import folds_of_two, tracked, with_store, without_figures

EXPERIMENT = """
question: Does it survive?
study: bfi
participants: {sample: 6, seed: 5, complete: true}
items: [A1, A2, C1, N1]
models: [smollm2-135m-instruct]
strategies: [{known_answers: {k: 4}}]
arms: [none, shuffled, own]
"""
COMMAND = [sys.executable, "-m", "geppetto", "run", "experiments/killed.yaml"]


def workspace_in(folder: Path) -> Path:
    (folder / "experiments").mkdir(parents=True)
    (folder / "experiments" / "killed.yaml").write_text(EXPERIMENT)
    return folder


def stored(workspace: Path) -> dict[str, tuple[str, str]]:
    """Log-probabilities and time of every stored answer, by request."""
    database = workspace / "mlruns" / "answers.db"
    if not database.exists():
        return {}
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=30) as connection:
        try:
            rows = connection.execute("SELECT request, log_probs, answered FROM answers").fetchall()
        except sqlite3.OperationalError:  # the table is not made yet
            return {}
    return {request: (log_probs, answered) for request, log_probs, answered in rows}


def run_until(
    workspace: Path, answers: int, pause: float = 0, stop: signal.Signals = signal.SIGKILL
) -> int:
    """Start the experiment, stop it `pause` seconds after it has stored so many answers.

    Returns its exit code.
    """
    with subprocess.Popen(
        COMMAND,
        cwd=workspace,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # even in a background job
    ) as process:
        while len(stored(workspace)) < answers:
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)
        time.sleep(pause)
        process.send_signal(stop)
        print(process.communicate()[1].decode())  # shown if the test fails
    return process.returncode


def final_answers(workspace: Path) -> pd.DataFrame:
    """The table of answers of the one finished MLflow run, whose children are complete."""
    client, parent, children = tracked(workspace, "killed")
    assert parent.info.status == "FINISHED"
    assert len({run.info.run_name for run in children}) == len(children) == 3 + 5
    return pd.read_parquet(client.download_artifacts(parent.info.run_id, "answers.parquet"))


def finished(workspace: Path) -> Path:
    """The workspace, whose experiment ran to its end."""
    done = geppetto("run", "experiments/killed.yaml", cwd=workspace)
    assert done.returncode == 0, done.stderr
    return workspace


@pytest.fixture(scope="module", autouse=True)
def quick() -> Iterator[None]:
    """What runs to its end does so quickly; what is killed or interrupted is as it always is."""
    with pytest.MonkeyPatch.context() as patch:
        folds_of_two(patch)
        without_figures(patch)
        yield


@pytest.fixture(scope="module")
def smooth(tmp_path_factory: pytest.TempPathFactory, empty_store: Path) -> Path:
    """The workspace of an uninterrupted run."""
    folder = tmp_path_factory.mktemp("smooth") / "workspace"
    return finished(with_store(workspace_in(folder), empty_store))


def test_a_killed_experiment_ends_like_an_uninterrupted_one(
    tmp_path: Path, smooth: Path, empty_store: Path
) -> None:
    killed = with_store(workspace_in(tmp_path / "killed"), empty_store)
    everything = stored(smooth)

    moments = random.Random(5)
    seen: dict[str, tuple[str, str]] = {}
    for threshold in (0, moments.randrange(1, len(everything)), len(everything)):
        pause = moments.uniform(0, 2 if threshold == len(everything) else 0.3)
        pause += moments.uniform(1, 5) if threshold == 0 else 0
        run_until(killed, threshold, pause)
        now = stored(killed)
        assert seen.items() <= now.items(), "a stored answer changed or was computed again"
        assert len(now) >= threshold
        seen = now
    finished(killed)
    assert stored(killed) == seen
    assert {key: answer for key, (answer, _) in seen.items()} == {
        key: answer for key, (answer, _) in everything.items()
    }
    assert_frame_equal(final_answers(killed), final_answers(smooth), check_exact=True)


def test_ctrl_c_keeps_what_was_answered_and_nothing_else(
    tmp_path: Path, smooth: Path, empty_store: Path
) -> None:
    """Exit code 130; every answer that was stored is one that an uninterrupted run gives."""
    workspace = with_store(workspace_in(tmp_path / "stopped"), empty_store)
    everything = stored(smooth)
    assert run_until(workspace, 1, stop=signal.SIGINT) == 130
    interrupted = stored(workspace)
    assert 1 <= len(interrupted) < len(everything)
    assert {key: answer for key, (answer, _) in interrupted.items()} == {
        key: everything[key][0] for key in interrupted
    }
