"""Asking an endpoint that fails: every question is answered once, or carries its reason."""

from __future__ import annotations

from pathlib import Path

from endpoints import Twice, endpoint, questions, request, truth
from fault_server import FAULTS, Script, served
from geppetto.answers.replies import ReplyStore
from geppetto.conversation import converse
from geppetto.spending import Spending


def test_fifteen_hundred_requests_at_a_fifth_of_faults_are_answered_as_without(
    tmp_path: Path,
) -> None:
    asked, answered = questions(1500), []
    store = ReplyStore.at(tmp_path / "answers.db")
    script = Script(faults=0.2, slow=3.0)
    with served(script) as base:
        speaker = endpoint(base, timeout=1.0)
        converse(speaker, Twice(), asked, store, Spending(), answered.append)
    ids = {request(q).id(speaker.identity): truth(q) for q in asked.values()}
    replies = store.get(ids)
    assert sorted(answered) == sorted(asked)
    assert {key: reply.text for key, reply in replies.items() if not reply.error} == {
        key: text for key, text in ids.items() if not replies[key].error
    }
    assert replies.keys() == ids.keys()
    assert sum(bool(reply.error) for reply in replies.values()) <= 5
    assert set(FAULTS) < set(script.happened)
    assert sum(reply.attempts for reply in replies.values()) == sum(script.asked.values())
