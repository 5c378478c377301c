"""What a server refuses for good is an answer; what happens while it is out of reach is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from geppetto._util.errors import GeppettoError
from geppetto.answers.client import FAILURES_IN_A_ROW, converse
from geppetto.answers.completions import CompletionStore
from geppetto.models.budget import BudgetTracker
from geppetto.models.identity import ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Request
from replying import Replying
from scripted import Rounds, questions, request


class Failing(Replying):
    """Replies with an error, until it raises one."""

    identity = ModelIdentity(name="m", model="m")
    capabilities = Capabilities(chat=True)

    def __init__(self, hopeless: bool, until: int = 1000) -> None:
        self.hopeless, self.left = hopeless, until

    async def completion(self, request: Request) -> Completion:
        self.left -= 1
        if self.left < 0:
            raise GeppettoError("the key was revoked")
        return Completion(finish="error", error="no", hopeless=self.hopeless)


def stored(store: CompletionStore, text_model: Failing, number: int) -> int:
    ids = [request(one).id(text_model.identity) for one in questions(number).values()]
    return len(store.get(ids))


def test_requests_that_can_never_go_well_do_not_end_a_run(tmp_path: Path) -> None:
    store, text_model = CompletionStore.at(tmp_path / "answers.db"), Failing(hopeless=True)
    asked = questions(FAILURES_IN_A_ROW + 5)
    converse(text_model, Rounds(), asked, store, BudgetTracker(), lambda _: None)
    assert stored(store, text_model, len(asked)) == len(asked)


def test_errors_of_an_outage_that_ends_a_run_are_nobodys_answers(tmp_path: Path) -> None:
    store, text_model = (
        CompletionStore.at(tmp_path / "answers.db"),
        Failing(hopeless=False, until=10),
    )
    with pytest.raises(GeppettoError, match="revoked"):
        converse(text_model, Rounds(), questions(15), store, BudgetTracker(), lambda _: None)
    assert stored(store, text_model, 15) == 0
