"""Trials whose process is gone, and clocks that are wrong."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import optuna
import pytest
import sqlalchemy as sql
from optuna.trial import TrialState

from geppetto._util.process import Worker
from geppetto.search.optimise import open_study, optimise
from geppetto.search.scoring import BatchScores, Candidate
from geppetto.search.storage import fail_dead_trials, open_storage
from geppetto.search.trials import BEGAN, PROCESS
from invented_search import Invented, outcome, prepared


def change(url: str, statement: str) -> None:
    """Change the database of searches."""
    with sqlite3.connect(sql.make_url(url).database or "") as database:
        database.execute(statement)


@pytest.mark.parametrize("hours", [-2, 0, 2])
def test_a_process_that_died_before_it_said_who_it_was_is_noticed(
    hours: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if its clock was wrong, or that of this one is."""
    monkeypatch.setattr("geppetto.search.storage.UNCLAIMED", timedelta(seconds=0.3))
    search = prepared(tmp_path, trials=3)
    study = open_study(search)
    with pytest.warns(UserWarning, match="Heartbeat"):
        study.ask()
    shifted = f"datetime(datetime_start, '{hours} hours')"
    change(search.storage, f"UPDATE trials SET datetime_start = {shifted}")
    found = optimise(search, Invented())
    assert list(found.trials["number"]) == [1, 2, 3]
    whole = optimise(prepared(tmp_path / "whole", trials=3), Invented())
    assert outcome(found) == outcome(whole)


def test_a_trial_that_says_whose_it_is_at_last_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = open_study(prepared(tmp_path, trials=3))
    with pytest.warns(UserWarning, match="Heartbeat"):
        trial = study.ask()
    change(prepared(tmp_path).storage, "UPDATE trials SET datetime_start = '2000-01-01 00:00:00'")

    def sleep(_: float) -> None:
        trial.set_user_attr(PROCESS, str(Worker.current()))

    monkeypatch.setattr("geppetto.search.storage.time.sleep", sleep)
    fail_dead_trials(study)
    assert study.trials[0].state is TrialState.RUNNING


@pytest.mark.filterwarnings("ignore:Heartbeat", "ignore:.*fail_stale_trials")
def test_a_trial_of_a_living_process_is_not_stale_whatever_clocks_say(tmp_path: Path) -> None:
    search = prepared(tmp_path, trials=3)
    study = open_study(search)
    living, unseen = study.ask(), study.ask()
    living.set_user_attr(PROCESS, str(Worker.current()))
    unseen.set_user_attr(PROCESS, str(replace(Worker.current(), host="elsewhere")))
    storage = open_storage(search.storage)
    for trial in (living, unseen):
        storage.record_heartbeat(trial._trial_id)
    change(
        search.storage, "UPDATE trial_heartbeats SET heartbeat = datetime(heartbeat, '-2 hours')"
    )
    optuna.storages.fail_stale_trials(study)
    assert [trial.state for trial in study.trials] == [TrialState.RUNNING, TrialState.FAIL]


def test_a_trial_that_another_process_took_for_dead_is_made_again(tmp_path: Path) -> None:
    search = prepared(tmp_path, trials=3)

    class TakenForDead(Invented):
        def __call__(self, candidate: Candidate, people: Sequence[str]) -> BatchScores:
            study = open_study(search)
            if len(study.trials) == 1:
                study.tell(0, state=TrialState.FAIL)
            return super().__call__(candidate, people)

    found = optimise(search, TakenForDead())
    whole = optimise(prepared(tmp_path / "whole", trials=3), Invented())
    assert outcome(found) == outcome(whole)


def test_trials_say_when_they_began_in_utc(tmp_path: Path) -> None:
    search, before = prepared(tmp_path, trials=3), datetime.now(UTC)
    optimise(search, Invented())
    (first, *_) = open_study(search).trials
    assert before <= datetime.fromisoformat(first.user_attrs[BEGAN]) <= datetime.now(UTC)
