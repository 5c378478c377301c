"""An endpoint that fails in every way: each question is answered once, or says why not."""

from __future__ import annotations

from pathlib import Path

from fault_server import FAULTS, Script, served
from geppetto.answers.replies import ReplyStore
from geppetto.conversation import converse
from geppetto.spending import Spending
from scripted import Rounds, endpoint, questions, request, truth


def test_at_a_fifth_of_faults_answers_are_those_without(tmp_path: Path) -> None:
    asked, answered = questions(1500), []
    store = ReplyStore.at(tmp_path / "answers.db")
    script = Script(faults=0.2, slow=3.0)
    with served(script) as base:
        speaker = endpoint(base, timeout=0.8)
        converse(speaker, Rounds(), asked, store, Spending(), answered.append)
    said = {request(question).id(speaker.identity): truth(question) for question in asked.values()}
    replies = store.get(said)
    failed = {key for key, reply in replies.items() if reply.error}
    assert sorted(answered) == sorted(asked)
    assert replies.keys() == said.keys()
    assert len(failed) <= 3
    assert all(replies[key].text == said[key] for key in said.keys() - failed)
    assert set(FAULTS) < set(script.happened)
    assert sum(reply.attempts for reply in replies.values()) >= sum(script.asked.values())
