"""Conversations: nothing asked twice, nothing lost, nothing spent beyond the budget."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from threading import Thread

import pytest

from geppetto._util.errors import GeppettoError
from geppetto.answers.client import FAILURES_IN_A_ROW, converse
from geppetto.answers.completions import CompletionClaims, CompletionStore
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.models.budget import Budget, BudgetReached, BudgetTracker
from geppetto.models.endpoint import concurrency as pace
from geppetto.models.endpoint.concurrency import AdaptiveConcurrency
from geppetto.models.identity import ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Request, Token
from replying import Replying
from scripted import Rounds, questions, request

MOST = 8


class Parrot(Replying):
    """A speaker that says how long its question is, and counts what it is asked."""

    capabilities = Capabilities(chat=True, priced=True)
    most_at_once = MOST

    def __init__(self, fails: bool = False) -> None:
        self.identity = ModelIdentity(name="parrot", model="parrot")
        self.asked: Counter[str] = Counter()
        self.fails = fails
        self.at_once = self.at_most = 0

    async def completion(self, request: Request) -> Completion:
        self.asked[request.turns[-1].content] += 1
        self.at_once += 1
        self.at_most = max(self.at_once, self.at_most)
        await asyncio.sleep(0.001)
        self.at_once -= 1
        if self.fails:
            return Completion(finish="error", error="the line is dead")
        text = str(len(request.turns[-1].content))
        return Completion(text=text, prompt_tokens=9, completion_tokens=1, cost=0.01)


def ask(
    text_model: Parrot,
    store: CompletionStore,
    number: int = 50,
    budget: Budget | None = None,
    rounds: int = 1,
) -> list[str]:
    answered: list[str] = []
    way, tracker = Rounds(rounds=rounds), BudgetTracker(budget)
    converse(text_model, way, questions(number), store, tracker, answered.append)
    return answered


@pytest.fixture
def store(tmp_path: Path) -> CompletionStore:
    return CompletionStore.at(tmp_path / "answers.db")


def test_all_is_asked_once_and_a_second_time_nothing(store: CompletionStore) -> None:
    parrot = Parrot()
    assert sorted(ask(parrot, store)) == sorted(questions(50))
    assert sorted(ask(parrot, store)) == sorted(questions(50))
    assert set(parrot.asked.values()) == {1}
    assert parrot.at_most == MOST


def test_what_is_asked_next_follows_from_the_replies(store: CompletionStore) -> None:
    parrot = Parrot()
    ask(parrot, store, 3, rounds=3)
    assert "Question 1?\n\n11" in parrot.asked
    assert "Question 1?\n\n1115" in parrot.asked
    assert parrot.asked.total() == 9


def test_equal_requests_of_different_questions_are_sent_once(store: CompletionStore) -> None:
    parrot, (question,) = Parrot(), questions(1).values()
    alike = {str(n): question for n in range(30)}
    answered: list[str] = []
    converse(parrot, Rounds(), alike, store, BudgetTracker(), answered.append)
    assert sorted(answered) == sorted(alike)
    assert parrot.asked.total() == 1


def test_processes_that_share_a_store_share_the_work(
    store: CompletionStore, tmp_path: Path
) -> None:
    parrot = Parrot()
    both = [
        Thread(target=ask, args=(parrot, s))
        for s in (store, CompletionStore.at(tmp_path / "answers.db"))
    ]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(parrot.asked) == 50
    assert set(parrot.asked.values()) == {1}


def test_a_budget_ends_the_run_and_the_next_run_goes_on(store: CompletionStore) -> None:
    parrot = Parrot()
    with pytest.raises(BudgetReached, match="200 tokens is reached"):
        ask(parrot, store, budget=Budget(tokens=200))
    so_far = parrot.asked.total()
    ids = [request(q).id(parrot.identity) for q in questions(50).values()]
    assert 20 <= so_far <= 20 + MOST
    assert len(store.get(ids)) == so_far
    assert len(ask(parrot, store, budget=Budget(tokens=10 * 50))) == 50
    assert set(parrot.asked.values()) == {1}


@pytest.mark.parametrize("budget", [Budget(dollars=0.2), Budget(minutes=1e-6)])
def test_budgets_in_dollars_and_minutes_end_it_too(store: CompletionStore, budget: Budget) -> None:
    parrot = Parrot()
    with pytest.raises(BudgetReached, match="is reached"):
        ask(parrot, store, budget=budget)
    assert parrot.asked.total() <= 20 + MOST


def test_a_budget_is_of_all_conversations_of_a_run(store: CompletionStore) -> None:
    parrot, tracker = Parrot(), BudgetTracker(Budget(tokens=100))
    converse(parrot, Rounds(), questions(10), store, tracker, print)
    with pytest.raises(BudgetReached, match="100 tokens is reached"):
        converse(parrot, Rounds(), questions(5, first=50), store, tracker, print)
    assert (tracker.tokens, tracker.dollars) == (100, pytest.approx(0.1))


def test_dollars_cannot_be_kept_where_the_price_is_not_known(store: CompletionStore) -> None:
    parrot = Parrot()
    parrot.capabilities = Capabilities(chat=True)
    with pytest.raises(GeppettoError, match="price of parrot is not known"):
        ask(parrot, store, budget=Budget(dollars=1))
    assert not parrot.asked


def test_an_endpoint_that_is_down_fills_no_answers_with_errors(store: CompletionStore) -> None:
    parrot = Parrot(fails=True)
    with pytest.raises(GeppettoError, match="times in a row, at last with: the line is dead"):
        ask(parrot, store)
    assert FAILURES_IN_A_ROW <= parrot.asked.total() <= FAILURES_IN_A_ROW + MOST
    parrot.fails = False
    ask(parrot, store)
    ids = [request(q).id(parrot.identity) for q in questions(50).values()]
    assert not any(completion.error for completion in store.get(ids).values())


def test_errors_are_stored_until_they_are_forgotten(store: CompletionStore) -> None:
    parrot = Parrot(fails=True)
    assert len(ask(parrot, store, 5)) == 5
    parrot.fails = False
    ask(parrot, store, 5)
    ids = [request(q).id(parrot.identity) for q in questions(5).values()]
    assert {completion.error for completion in store.get(ids).values()} == {"the line is dead"}
    assert store.forget_errors(ids) == 5
    ask(parrot, store, 5)
    assert store.forget_errors(ids) == 0
    assert set(parrot.asked.values()) == {2}


def test_a_reply_comes_back_as_it_was_stored_and_the_first_one_stays(
    store: CompletionStore,
) -> None:
    minus = float("-inf")
    first = Completion(text="é", tokens=(Token(text="é", log_prob=minus, top=(("a", minus),)),))
    with store.claiming() as claims:
        assert claims.take(["one"]) == ({}, frozenset({"one"}))
        assert claims.put("m", {"one": first}) == {"one": first}
        assert claims.put("m", {"one": Completion(text="later")}) == {"one": first}
    assert store.get(["one", "two"]) == {"one": first}


def test_a_store_of_an_older_geppetto_gets_room_for_replies(tmp_path: Path) -> None:
    file = tmp_path / "answers.db"
    AnswerStore.at(file).put("m", {"a": OptionScores((-1.0,), (1,), 3)})
    with sqlite3.connect(file) as connection:
        connection.execute("DROP TABLE replies")
    assert CompletionStore.at(file).get(["b"]) == {}
    with CompletionStore.at(file).claiming() as claims:
        claims.put("m", {"b": Completion(text="3")})
    assert CompletionStore.at(file).get(["b"])["b"].text == "3"


def test_an_overload_halves_the_pace_once_and_a_pause_holds_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, slept = [100.0], []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        now[0] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    monkeypatch.setattr(pace.asyncio, "sleep", sleep)
    found = AdaptiveConcurrency(64)
    for _ in range(8):
        found.went_well()
    assert found.allowed == 16

    async def go() -> None:
        async with found.place():
            began = time.monotonic()
        now[0] += 1
        found.overloaded(began)
        found.overloaded(began, pause=30)
        assert found.allowed == 8
        found.went_well()
        assert found.allowed == pytest.approx(8 + 1 / 8)
        async with found.place():
            assert time.monotonic() == 131

    asyncio.run(go())
    assert slept == [30]


def test_the_store_of_replies_names_no_more_than_needed(
    store: CompletionStore, tmp_path: Path
) -> None:
    ask(Parrot(), store, 1)
    with sqlite3.connect(tmp_path / "answers.db") as connection:
        (content,) = connection.execute("SELECT content FROM replies").fetchone()
        assert connection.execute("SELECT count(*) FROM claims").fetchone() == (0,)
    assert json.loads(content).keys() == {"text", "prompt_tokens", "completion_tokens", "cost"}


def test_a_request_that_failed_is_known_to_questions_that_come_later(
    store: CompletionStore,
) -> None:
    parrot, (question,) = Parrot(fails=True), questions(1).values()
    answered: list[str] = []
    alike = {str(n): question for n in range(600)}
    asking = Thread(
        target=lambda: converse(parrot, Rounds(), alike, store, BudgetTracker(), answered.append),
        daemon=True,
    )
    asking.start()
    asking.join(30)
    assert sorted(answered) == sorted(alike)
    assert parrot.asked.total() == 1


def test_a_reply_is_stored_with_the_failures_before_it_and_not_after_them(
    store: CompletionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: list[list[str]] = []
    put = CompletionClaims.put

    def seen(
        self: CompletionClaims, model: str, new: Mapping[str, Completion]
    ) -> dict[str, Completion]:
        stored.append([completion.error for completion in new.values()])
        return put(self, model, new)

    class Recovering(Parrot):
        most_at_once = 1

        async def completion(self, request: Request) -> Completion:
            self.fails = self.asked.total() < 5
            return await super().completion(request)

    monkeypatch.setattr(CompletionClaims, "put", seen)
    converse(Recovering(), Rounds(), questions(6), store, BudgetTracker(), print)
    assert stored == [["", *["the line is dead"] * 5]]


def test_more_than_the_usual_requests_are_under_way_if_that_is_asked_for(
    store: CompletionStore,
) -> None:
    together = asyncio.Barrier(400)

    class Waiting(Parrot):
        most_at_once = 400

        async def completion(self, request: Request) -> Completion:
            async with asyncio.timeout(30):
                await together.wait()
            return await super().completion(request)

    waiting = Waiting()
    converse(waiting, Rounds(), questions(400), store, BudgetTracker(), print)
    assert waiting.asked.total() == 400


def test_a_fault_of_the_program_ends_it_as_it_is_and_what_is_under_way_is_stored(
    store: CompletionStore,
) -> None:
    class Faulty(Parrot):
        async def completion(self, request: Request) -> Completion:
            if request.turns[-1].content.startswith("Question 3?"):
                raise AttributeError("nothing like that")
            return await super().completion(request)

    faulty = Faulty()
    with pytest.raises(AttributeError, match="nothing like that"):
        ask(faulty, store, 8)
    ids = [request(q).id(faulty.identity) for q in questions(8).values()]
    assert len(store.get(ids)) == faulty.asked.total() == 3
