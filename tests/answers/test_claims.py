"""A claim keeps others away while its worker lives, and no longer."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from threading import Barrier, Thread

import pytest
import sqlalchemy as sql

from geppetto._util.process import Worker
from geppetto.answers import claims as claiming
from geppetto.answers.database import Database, claims
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.option_likelihood import OptionScores

ANSWER = OptionScores((-0.1, -2.0), (1, 2), 30)


def held(url: str) -> dict[str, tuple[str, object]]:
    """Worker and end of every claim, by request."""
    with Database(url).transaction() as connection:
        rows = connection.execute(sql.select(claims)).all()
    return {row.request: (row.worker, row.until) for row in rows}


def leave_claim(url: str, request: str, worker: Worker, seconds: float = 60) -> None:
    """What a worker that has stopped leaves behind, so many seconds before its claim ends."""
    with Database(url).transaction() as connection:
        now = connection.execute(sql.select(sql.func.now())).scalar_one()
        until = now + timedelta(seconds=seconds)
        connection.execute(claims.insert().values(request=request, worker=str(worker), until=until))


def elsewhere() -> Worker:
    return replace(Worker.current(), host="elsewhere")


def test_a_claim_keeps_others_from_all_that_touches_it(store_url: str) -> None:
    one, other = AnswerStore(store_url), AnswerStore(store_url)
    with one.claim(["a", "b"]) as mine:
        assert mine == {"a", "b"}
        with other.claim(["b", "c"]) as theirs:
            assert theirs is None
        with other.claim(["c"]) as theirs:
            assert theirs == {"c"}
    with other.claim(["a", "b", "c"]) as theirs:
        assert theirs == {"a", "b", "c"}


def test_only_what_has_no_answer_is_claimed(store_url: str) -> None:
    store = AnswerStore(store_url)
    store.put("model", {"a": ANSWER})
    with store.claim(["a", "b"]) as mine:
        assert mine == {"b"}
        assert set(held(store_url)) == {"b"}
    with store.claim(["a"]) as mine:
        assert mine == frozenset()


def test_a_claim_ends_with_its_answer_or_with_an_error(store_url: str) -> None:
    store = AnswerStore(store_url)
    with store.claim(["a", "b"]):
        store.put("model", {"a": ANSWER})
        assert set(held(store_url)) == {"b"}
        assert store.get(["a"]) == {"a": ANSWER}
    assert held(store_url) == {}
    with pytest.raises(KeyboardInterrupt), store.claim(["b"]):
        raise KeyboardInterrupt
    assert held(store_url) == {}


def test_a_claim_of_another_host_holds_until_it_ends(store_url: str) -> None:
    store = AnswerStore(store_url)
    leave_claim(store_url, "a", elsewhere())
    with store.claim(["a"]) as mine:
        assert mine is None
    leave_claim(store_url, "b", elsewhere(), seconds=-1)
    with store.claim(["b", "c"]) as mine:
        assert mine == {"b", "c"}
        assert held(store_url)["b"][0] == str(Worker.current())


def test_a_claim_of_a_process_that_lives_holds_whatever_clocks_say(store_url: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", f"{SAY_WHO}; print(flush=True); input()"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    worker = Worker.parse(process.stdout.readline().strip())
    leave_claim(store_url, "a", worker, seconds=-7200)
    store = AnswerStore(store_url)
    with store.claim(["a"]) as mine:
        assert mine is None
    os.kill(process.pid, signal.SIGSTOP)
    while Path(f"/proc/{process.pid}/stat").read_text().split()[2] != "T":
        time.sleep(0.01)
    with store.claim(["a"]) as mine:
        assert mine == {"a"}
    os.kill(process.pid, signal.SIGCONT)
    process.communicate("\n")
    assert worker.is_known_dead()
    assert not worker.is_known_alive()


SAY_WHO = "from geppetto._util.process import Worker; print(Worker.current())"


def ended() -> Worker:
    """A process that has ended."""
    done = subprocess.run([sys.executable, "-c", SAY_WHO], stdout=subprocess.PIPE, text=True)
    return Worker.parse(done.stdout.strip())


def same_number() -> Worker:
    """A process that has ended, and whose number another has got."""
    return replace(Worker.current(), started="1")


@pytest.mark.parametrize("dead", [ended, same_number])
def test_a_claim_of_a_dead_process_is_taken_over_at_once(
    store_url: str, dead: Callable[[], Worker]
) -> None:
    leave_claim(store_url, "a", dead())
    with AnswerStore(store_url).claim(["a"]) as mine:
        assert mine == {"a"}


def test_a_worker_is_dead_only_if_that_can_be_seen() -> None:
    here = Worker.current()
    assert Worker.parse(str(here)) == here
    assert not here.is_known_dead()
    assert not replace(ended(), host="elsewhere").is_known_dead()


def test_a_process_is_dead_before_its_parent_has_asked() -> None:
    process = subprocess.Popen([sys.executable, "-c", SAY_WHO], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    worker = Worker.parse(process.stdout.read().strip())
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert worker.is_known_dead()
    process.communicate()


def test_a_long_computation_keeps_its_claim(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(claiming, "LEASE", timedelta(seconds=0.3))
    with AnswerStore(store_url).claim(["a"]):
        first = held(store_url)["a"]
        deadline = time.monotonic() + 30
        while held(store_url)["a"] == first:
            assert time.monotonic() < deadline, "the claim is not renewed"
            time.sleep(0.05)
    assert held(store_url) == {}


def test_of_many_that_claim_at_once_one_succeeds(store_url: str) -> None:
    """Also when the store does not exist yet."""
    orders = [["a", "b", "c"], ["c", "b", "a"], ["b", "c", "a"]] * 2
    together = Barrier(len(orders))
    claimed: list[frozenset[str] | None] = []

    def claim(requests: list[str]) -> None:
        store = AnswerStore(store_url)
        together.wait()
        with store.claim(requests) as mine:
            claimed.append(mine)
            together.wait()

    threads = [Thread(target=claim, args=(order,)) for order in orders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(claimed) == len(orders)
    assert [mine for mine in claimed if mine is not None] == [{"a", "b", "c"}]
