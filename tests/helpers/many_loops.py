"""LiteLLM in several event loops, one after the other; as a script, it speaks in them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from fault_server import Script, served
from geppetto.answers.client import converse
from geppetto.answers.completions import CompletionStore
from geppetto.models.budget import BudgetTracker
from geppetto.models.endpoint.litellm_provider import serving
from geppetto.models.endpoint.litellm_setup import library
from geppetto.models.gate import RequestGate
from scripted import Rounds, endpoint, questions


def speak_in_many_loops() -> None:
    """Be asked through LiteLLM by threads, then by a conversation, and both once more."""
    with TemporaryDirectory() as folder, served(Script()) as base:
        store, text_model = CompletionStore.at(Path(folder) / "answers.db"), endpoint(base)
        for part in range(2):
            asked = {"scripted": partial(text_model.generate, gate=RequestGate())}
            with serving(asked), ThreadPoolExecutor(4) as pool:
                said = pool.map(
                    lambda text: library().completion(
                        model="geppetto/scripted",
                        messages=[{"role": "user", "content": text}],
                        max_tokens=3,
                    ),
                    map(str, range(8)),
                )
                assert len(list(said)) == 8
            more = questions(8, 100 * part)
            converse(text_model, Rounds(), more, store, BudgetTracker(), lambda _: None)


if __name__ == "__main__":
    speak_in_many_loops()
