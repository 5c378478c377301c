"""What is sent and when: within budgets, within limits a minute, and not after an interrupt."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread, Timer

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from fault_server import Script, served
from geppetto._util.errors import GeppettoError
from geppetto.answers.client import converse
from geppetto.answers.completions import CompletionStore
from geppetto.models.budget import Budget, BudgetReached, BudgetTracker, Usage, longest_prompt
from geppetto.models.endpoint import rate_limits as rates
from geppetto.models.endpoint.client import Endpoint
from geppetto.models.endpoint.rate_limits import Rates, Sent
from geppetto.models.gate import Patience
from geppetto.models.requests import Capabilities
from scripted import Rounds, endpoint, questions, request

OWN = {"input_cost_per_token": 1e-3, "output_cost_per_token": 2e-3}
SLOW = Patience(attempts=8, first=600.0, longest=600.0)
PRICED = Capabilities(chat=True, priced=True)


@pytest.fixture
def store(tmp_path: Path) -> CompletionStore:
    return CompletionStore.at(tmp_path / "answers.db")


def ask(
    text_model: Endpoint, store: CompletionStore, number: int, tracker: BudgetTracker | None = None
) -> list[str]:
    answered: list[str] = []
    converse(
        text_model, Rounds(), questions(number), store, tracker or BudgetTracker(), answered.append
    )
    return answered


def stored(text_model: Endpoint, store: CompletionStore, number: int) -> int:
    ids = [request(question).id(text_model.identity) for question in questions(number).values()]
    return len(store.get(ids))


@pytest.mark.parametrize("faults", [0.0, 0.4])
@pytest.mark.parametrize("budget", [Budget(tokens=600), Budget(dollars=0.6)])
def test_no_budget_is_overshot_and_less_than_a_request_is_left(
    faults: float, budget: Budget, store: CompletionStore
) -> None:
    script = Script(faults=faults, only=("malformed", "overloaded", "no choices"), seconds=0.01)
    tracker = BudgetTracker(budget)
    with served(script) as base, pytest.raises(BudgetReached, match="is reached"):
        text_model = endpoint(base, parameters=OWN, capabilities=PRICED)
        ask(text_model, store, 500, tracker)
    most = longest_prompt(request(questions(1, 100)["q100"])) + 3
    if budget.tokens:
        assert budget.tokens - most < tracker.tokens <= budget.tokens
    else:
        assert 0.6 - 1e-3 * (most + 3) < tracker.dollars <= 0.6
    refused = script.happened["overloaded"]
    paid = sum(tokens for _, tokens in script.taken) * (1 - refused / len(script.taken))
    assert tracker.tokens == pytest.approx(paid) if not faults else tracker.tokens > paid
    assert stored(text_model, store, 500) == script.happened[""] > 0


def test_what_is_under_way_is_set_apart_and_what_it_took_is_counted() -> None:
    tracker = BudgetTracker(Budget(tokens=10))
    with pytest.raises(BudgetReached, match="10 are left and the next request can take 11"):
        tracker.reserve(Usage(11))
    assert tracker.reserve(Usage(6))
    assert not tracker.reserve(Usage(5))
    tracker.settle(Usage(6), Usage(20))
    with pytest.raises(BudgetReached, match=r"10 tokens is reached$"):
        tracker.reserve(Usage(0))


def test_minutes_end_long_pauses_too(store: CompletionStore) -> None:
    script = Script(faults=1.0, only=("too many",), retry_after="600")
    began = time.monotonic()
    with served(script) as base, pytest.raises(BudgetReached, match=r"0\.005 minutes is reached"):
        text_model = endpoint(base, patience=SLOW)
        ask(text_model, store, 5, BudgetTracker(Budget(minutes=0.005)))
    assert time.monotonic() - began < 300
    assert stored(text_model, store, 5) == 0


def test_a_refusal_of_all_ends_the_pauses_of_others(store: CompletionStore) -> None:
    script = Script(faults=1.0, only=("too many",), retry_after="")
    with served(script) as base:
        text_model = endpoint(base, patience=Patience(attempts=99, first=0.05, longest=600))
        Timer(1.0, lambda: setattr(script, "always", (401, "no"))).start()
        with pytest.raises(GeppettoError, match="cannot be asked"):
            ask(text_model, store, 20)
    assert stored(text_model, store, 20) == 0


Wanted = some.lists(
    some.tuples(some.integers(50, 120), some.integers(0, 30), some.floats(0, 40)), max_size=40
)


@settings(deadline=None)
@given(
    Wanted,
    some.floats(0.25, 1),
    some.integers(0, 3),
    some.integers(1, 5) | some.none(),
    some.integers(150, 600) | some.none(),
)
def test_no_minute_has_more_than_the_limits(
    wanted: list[tuple[int, int, float]],
    share: float,
    late: int,
    requests: int | None,
    tokens: int | None,
) -> None:
    """Also where prompts have fewer tokens than they can, and replies come some requests later."""
    now, limited = 1000.0, Rates(requests, tokens)

    async def sleep(seconds: float) -> None:
        nonlocal now
        assert seconds > 0
        now += seconds

    async def send() -> list[tuple[float, int]]:
        nonlocal now
        sent: list[tuple[float, int]] = []
        completions: list[tuple[Sent, int, int]] = []
        for prompt, said, pause in wanted:
            one, has = await limited.room(prompt, said), int(share * prompt)
            sent.append((one.at, has + said))
            completions.append((one, has, said))
            if len(completions) > late:
                limited.took(*completions.pop(0))
            now += pause
        return sent

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(rates.time, "monotonic", lambda: now)
        patch.setattr(rates.asyncio, "sleep", sleep)
        sent = asyncio.run(send())
    for at, _ in sent:
        within = [took for other, took in sent if at - 60 < other <= at]
        assert requests is None or len(within) <= requests
        assert tokens is None or sum(within) <= tokens
    if requests is None and tokens is None:
        assert now == pytest.approx(1000 + sum(pause for *_, pause in wanted))


def test_a_request_larger_than_the_limit_is_sent_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    now, limited = 1000.0, Rates(None, 100)

    async def sleep(seconds: float) -> None:
        nonlocal now
        now += seconds

    monkeypatch.setattr(rates.time, "monotonic", lambda: now)
    monkeypatch.setattr(rates.asyncio, "sleep", sleep)
    at = [asyncio.run(limited.room(tokens, 0)).at for tokens in (10, 500, 10)]
    assert at == pytest.approx([1000, 1061, 1122])


def windows(script: Script, seconds: float) -> list[list[int]]:
    """The tokens of all requests that came within so many seconds before each."""
    return [
        [tokens for other, tokens in script.taken if at - seconds < other <= at]
        for at, _ in script.taken
    ]


def test_requests_a_minute_are_kept_by_retries_and_by_the_next_conversation(
    store: CompletionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "MINUTE", 0.8)
    monkeypatch.setattr(rates, "_LOOKING", 0.05)
    script = Script(faults=0.4, only=("overloaded",))
    with served(script) as base:
        limited = {"rpm": 10}
        for number in (8, 20):
            text_model = endpoint(base, parameters=limited)
            assert len(ask(text_model, store, number)) == number
    assert sum(script.asked.values()) > 20
    assert max(map(len, windows(script, 0.4))) <= 10
    assert text_model.identity == endpoint("http://x", "openai/m").identity.model_copy(
        update={"model": "hosted_vllm/scripted", "api_base": base}
    )
    assert "rpm" not in script.last


def test_tokens_a_minute_are_kept_and_used(
    store: CompletionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "MINUTE", 0.8)
    monkeypatch.setattr(rates, "_LOOKING", 0.05)
    script = Script()
    with served(script) as base:
        ask(endpoint(base, parameters={"tpm": 200}), store, 30)
    most = max(map(sum, windows(script, 0.4)))
    assert 100 < most <= 200


def test_limits_are_whole_numbers() -> None:
    for wrong in (0, -1, 1.5, "60", True):
        with pytest.raises(GeppettoError, match="rpm is a whole number a minute"):
            Endpoint("m", "openai/m", parameters={"rpm": wrong})


@contextmanager
def interrupted(script: Script, times: int) -> Iterator[None]:
    """Interrupts this process once eight requests are under way, and some more times."""
    over = Event()

    def work() -> None:
        while script.at_once < 8:
            time.sleep(0.01)
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            if over.wait(0.3):
                return

    Thread(target=work).start()
    with pytest.raises(KeyboardInterrupt):
        yield
    over.set()


@pytest.fixture
def interruptible() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def ask_interrupted(
    in_a_loop: bool, times: int, script: Script, text_model: Endpoint, store: CompletionStore
) -> None:
    """As a script does, or as a notebook, in which an event loop runs."""

    def work() -> None:
        with interrupted(script, times):
            ask(text_model, store, 100)

    async def in_loop() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)  # in place of asyncio's
        work()

    asyncio.run(in_loop()) if in_a_loop else work()


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("in_a_loop", [False, True], ids=["script", "notebook"])
def test_the_first_interrupt_waits_for_replies_and_stores_them(
    in_a_loop: bool, store: CompletionStore, capsys: pytest.CaptureFixture[str]
) -> None:
    script = Script(seconds=1.0)
    with served(script) as base:
        text_model = endpoint(base)
        ask_interrupted(in_a_loop, 1, script, text_model, store)
    assert capsys.readouterr().err.count("stopping: replies under way") == 1
    assert stored(text_model, store, 100) == len(script.taken) == 8


@pytest.mark.usefixtures("interruptible")
@pytest.mark.parametrize("in_a_loop", [False, True], ids=["script", "notebook"])
def test_the_second_interrupt_waits_for_nothing(in_a_loop: bool, store: CompletionStore) -> None:
    script = Script(seconds=3.0)
    with served(script) as base:
        text_model = endpoint(base, timeout=600.0)
        ask_interrupted(in_a_loop, 99, script, text_model, store)
        assert script.at_once == 8
    assert stored(text_model, store, 100) == 0


def test_a_conversation_in_another_thread_ends_as_elsewhere(
    store: CompletionStore,
) -> None:
    answered: list[str] = []
    with served(Script()) as base:
        asking = Thread(target=lambda: answered.extend(ask(endpoint(base), store, 5)))
        asking.start()
        asking.join()
    assert len(answered) == 5
