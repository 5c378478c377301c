"""Optuna's storage of searches, and trials whose process is gone."""

from __future__ import annotations

import sqlite3
import tempfile
import time
import warnings
import weakref
from collections import defaultdict
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import optuna
import sqlalchemy as sql
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState

from geppetto._util.errors import GeppettoError
from geppetto._util.files import made_once
from geppetto._util.process import Worker
from geppetto._util.sqlite import PATIENCE, is_read_only, log_ahead, read_only
from geppetto.models.endpoint.secrets import without_secrets
from geppetto.search.trials import PROCESS

HEARTBEAT = 60
"""Seconds between two signs of life of a trial, for processes on other hosts."""

UNCLAIMED = timedelta(seconds=10)
"""How long a trial is seen not to say which process runs it before that must have died: by a clock
of this process that only counts, since those of others may be wrong."""


def of_file(path: Path) -> str:
    """The address of a database file; one with a ? in a folder's name as SQLite's own address."""
    if "?" in str(path):
        return f"sqlite:///file:{quote(str(path))}?uri=true"
    return f"sqlite:///{path}"


def open_storage(url: str) -> optuna.storages.RDBStorage:
    """The database of searches, made if it does not exist.

    Of a file that cannot be written it is a copy, which goes with the storage.

    Raises
    ------
    GeppettoError
        If the database cannot be opened.
    """
    try:
        parsed = sql.make_url(url)
        is_sqlite = parsed.get_backend_name() == "sqlite"
        copy: tempfile.TemporaryDirectory[str] | None = None
        if is_sqlite and parsed.database and "uri" not in parsed.query:
            if is_read_only(Path(parsed.database)):
                copy = tempfile.TemporaryDirectory()
                url = _copied(Path(parsed.database), Path(copy.name))
            else:
                made_once(Path(parsed.database), lambda partial: _make(parsed, partial))
        storage = _made(url, {"connect_args": {"timeout": PATIENCE}} if is_sqlite else {})
        if copy:
            weakref.finalize(storage, copy.cleanup)
    except (sql.exc.SQLAlchemyError, ImportError, RuntimeError, OSError) as error:
        reason = str(getattr(error, "orig", None) or error).splitlines()[0]
        raise GeppettoError(
            f"search: storage cannot be opened: {without_secrets(reason)}"
        ) from error
    if is_sqlite:
        sql.event.listen(storage.engine, "connect", _make_quick)
        storage.engine.dispose()
    return storage


def _copied(path: Path, folder: Path) -> str:
    """The address of a copy of a file that cannot be written."""
    target = folder / path.name
    with closing(read_only(path)) as kept, closing(sqlite3.connect(target)) as copy:
        kept.backup(copy)
    return of_file(target)


def _make(url: sql.URL, path: Path) -> None:
    """Make a database whole: Optuna makes its tables one by one."""
    made = _made(url.set(database=str(path)).render_as_string(hide_password=False), {})
    made.remove_session()
    made.engine.dispose()


def _make_quick(connection: sqlite3.Connection, _: object) -> None:
    """Let writing wait for no disk: a dead process loses nothing, a power cut the last trials."""
    log_ahead(connection)
    connection.execute("PRAGMA synchronous=NORMAL")


class _Storage(optuna.storages.RDBStorage):
    """Optuna's, for which no trial is stale whose process is seen to live, whatever clocks say."""

    def _get_stale_trial_ids(self, study_id: int) -> list[int]:
        stale: list[int] = super()._get_stale_trial_ids(study_id)
        return [number for number in stale if not _lives(self.get_trial(number))]


def _made(url: str, options: dict[str, Any]) -> optuna.storages.RDBStorage:
    """The storage; if another process makes its tables just now, it is tried again."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ExperimentalWarning)
        for _ in range(50):
            try:
                return _Storage(url, options, heartbeat_interval=HEARTBEAT)
            except (sql.exc.OperationalError, sql.exc.ProgrammingError) as error:
                if "already exists" not in str(error):
                    raise
            except sql.exc.IntegrityError:
                pass  # both wrote the version
            time.sleep(0.1)
        return _Storage(url, options, heartbeat_interval=HEARTBEAT)


def fail_dead_trials(study: optuna.Study) -> None:
    """Fail the running trials of processes on this host that are gone.

    One that does not say whose it is is waited for: a living process says so at once.
    """
    first_seen: defaultdict[int, float] = defaultdict(time.monotonic)
    while True:
        running = study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        for trial in running:
            process = trial.user_attrs.get(PROCESS)
            if process is None:
                seen = time.monotonic() - first_seen[trial.number]
                is_dead = seen > UNCLAIMED.total_seconds()
            else:
                is_dead = Worker.parse(process).is_known_dead()
            if is_dead:
                _fail(trial, study)
        if not any(trial.user_attrs.get(PROCESS) is None for trial in running):
            return
        time.sleep(0.1)


def _fail(trial: FrozenTrial, study: optuna.Study) -> None:
    try:
        study.tell(trial.number, state=TrialState.FAIL)
    except (ValueError, UpdateFinishedTrialError):
        if study.trials[trial.number].state is TrialState.RUNNING:
            raise


def _lives(trial: FrozenTrial) -> bool:
    process = trial.user_attrs.get(PROCESS)
    return process is not None and Worker.parse(process).is_known_alive()
