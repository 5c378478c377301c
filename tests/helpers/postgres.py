"""A PostgreSQL server of the tests' own, on a Unix socket."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def postgres_server() -> Iterator[Path]:
    """The folder of a running server's socket; the test is skipped where none can run."""
    pytest.importorskip("psycopg", reason="psycopg is not installed: pip install '.[postgres]'")
    for program in ("initdb", "pg_ctl", "postgres"):
        if shutil.which(program) is None:
            pytest.skip(f"PostgreSQL's {program} is not in PATH")
    folder = Path(tempfile.mkdtemp(prefix="geppetto-postgres-"))
    options = _as_somebody_else(folder) if os.getuid() == 0 else {}
    data = folder / "data"

    def call(*command: str | Path) -> None:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=60, **options
        )
        if done.returncode:
            pytest.skip(f"PostgreSQL cannot be run here: {done.stderr.strip()}")

    try:
        call("initdb", "-D", data, "-U", "tests", "-A", "trust", "--no-sync", "-E", "UTF8")
        settings = f"-k {folder} -c listen_addresses='' -c fsync=off"
        log = folder / "log"
        call("pg_ctl", "-D", data, "-l", log, "-o", settings, "-w", "start")
        try:
            yield folder
        finally:
            call("pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_somebody_else(folder: Path) -> dict[str, object]:
    """How to start processes as a user who owns the folder: the server refuses to run as root."""
    for name in ("postgres", "nobody"):
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        os.chown(folder, user.pw_uid, user.pw_gid)
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    pytest.skip("PostgreSQL does not run as root, and there is no user postgres or nobody")
