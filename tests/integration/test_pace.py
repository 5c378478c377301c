"""How many requests at once an endpoint bears, found by asking it."""

from __future__ import annotations

from pathlib import Path

from fault_server import Script, served
from geppetto.answers.client import converse
from geppetto.answers.completions import CompletionStore
from geppetto.models.budget import BudgetTracker
from scripted import Rounds, endpoint, questions, request


def test_the_pace_finds_how_many_requests_an_endpoint_bears(tmp_path: Path) -> None:
    store = CompletionStore.at(tmp_path / "answers.db")
    script = Script(limit=12, seconds=0.02, retry_after="")
    with served(script) as base:
        text_model = endpoint(base)
        answered: list[str] = []
        converse(text_model, Rounds(), questions(300), store, BudgetTracker(), answered.append)
    ids = [request(q).id(text_model.identity) for q in questions(300).values()]
    assert not any(completion.error for completion in store.get(ids).values())
    assert len(answered) == 300
    assert script.happened["too many"] < 60
