"""LiteLLM in several event loops, one after the other: nothing is left over, nothing is printed."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory

from fault_server import Script, served
from geppetto.answers.replies import ReplyStore
from geppetto.conversation import converse
from geppetto.models.litellm_library import library
from geppetto.models.litellm_local import serving
from geppetto.spending import Spending
from scripted import Rounds, endpoint, questions


def speak_in_many_loops() -> None:
    """Be asked through LiteLLM by threads, then by a conversation, and both once more."""
    with TemporaryDirectory() as folder, served(Script()) as base:
        store, speaker = ReplyStore.at(Path(folder) / "answers.db"), endpoint(base)
        for part in range(2):
            with serving({"scripted": speaker}), ThreadPoolExecutor(4) as pool:
                said = pool.map(
                    lambda text: library().completion(
                        model="geppetto/scripted",
                        messages=[{"role": "user", "content": text}],
                        max_tokens=3,
                    ),
                    map(str, range(8)),
                )
                assert len(list(said)) == 8
            asked = questions(8, 100 * part)
            converse(speaker, Rounds(), asked, store, Spending(), lambda _: None)


def test_loops_that_follow_each_other_leave_nothing_behind() -> None:
    """In a process of its own, since what is left behind is found when it ends."""
    ended = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


if __name__ == "__main__":
    speak_in_many_loops()
