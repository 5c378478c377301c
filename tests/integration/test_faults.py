"""An endpoint that fails in every way: each question is answered once, or says why not."""

from __future__ import annotations

from pathlib import Path

from fault_server import FAULTS, Script, served
from geppetto.answers.client import converse
from geppetto.answers.completions import CompletionStore
from geppetto.models.budget import BudgetTracker
from scripted import Rounds, endpoint, questions, request, truth


def test_at_a_fifth_of_faults_answers_are_those_without(tmp_path: Path) -> None:
    asked, answered = questions(600), []
    store = CompletionStore.at(tmp_path / "answers.db")
    script = Script(faults=0.2, slow=3.0)
    with served(script) as base:
        text_model = endpoint(base, timeout=0.8)
        converse(text_model, Rounds(), asked, store, BudgetTracker(), answered.append)
    said = {
        request(question).id(text_model.identity): truth(question) for question in asked.values()
    }
    completions = store.get(said)
    failed = {key for key, completion in completions.items() if completion.error}
    assert sorted(answered) == sorted(asked)
    assert completions.keys() == said.keys()
    assert len(failed) <= 2
    kept = said.keys() - failed
    assert all(completions[key].text.removesuffix("\ufffd") == said[key] for key in kept)
    assert len(set(FAULTS) & set(script.happened)) > 3 / 4 * len(FAULTS)
    assert sum(completion.attempts for completion in completions.values()) >= sum(
        script.asked.values()
    )
