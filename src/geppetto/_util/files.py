"""Files that are either complete or not there, and are made by one process at a time."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from secrets import token_hex

from geppetto._util.errors import GeppettoError


def sha256(path: Path) -> str:
    """Hex digest of a file's content."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def remembered_sha256(path: Path, memory: Path) -> str:
    """Hex digest of a large file's content, remembered in a folder until the file is changed."""
    now = path.stat()
    known_by = f"{path.resolve()} {now.st_size} {now.st_mtime_ns}"
    note = memory / hashlib.sha256(known_by.encode()).hexdigest()
    with suppress(OSError):
        if len(digest := note.read_text("ascii")) == hashlib.sha256().digest_size * 2:
            return digest
    digest = sha256(path)
    with suppress(OSError), appearing(note) as partial:  # else it is hashed again, next time
        partial.write_text(digest, "ascii")
    return digest


def is_file(path: Path) -> bool:
    """Whether a file is where a user says.

    Raises
    ------
    GeppettoError
        If the system does not tell: a name is too long, or a folder may not be looked into.
    """
    return _seen(path, path.is_file)


def is_folder(path: Path) -> bool:
    """Whether a folder is where a user says; errors are those of `is_file`."""
    return _seen(path, path.is_dir)


def _seen(path: Path, ask: Callable[[], bool]) -> bool:
    try:
        return ask()
    except OSError as error:
        raise GeppettoError(f"{path} cannot be read: {error.strerror}") from error


@contextmanager
def appearing(target: Path) -> Iterator[Path]:
    """A path to write to; what is written appears under the target's name once it is complete."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.{token_hex(4)}.partial")
    try:
        yield partial
        partial.replace(target)
    except OSError as error:
        if str(error.filename) == str(partial):  # nobody else knows of it
            error.filename = str(target)
        raise
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)


def made_once(target: Path, make: Callable[[Path], object]) -> Path:
    """A file that is made if it is not there; of several processes one makes it, the others wait.

    What processes left behind that were killed while they made it is taken away.

    Parameters
    ----------
    make
        Makes it at the path that it is given.
    """
    if not target.exists():
        with _alone(target):
            if not target.exists():
                _make(target, make)
    return target


def kept_whole(target: Path, make: Callable[[Path], object]) -> Path:
    """The same, of a file that can be made again: it is, if it is not what was made.

    Beside it is kept what it is known by, its hash and when that was taken: only a file that was
    changed since is hashed again.
    """
    if not _is_whole(target):
        with _alone(target):
            if not _is_whole(target):
                _make(target, make)
                _keep_mark(target, sha256(target))
    return target


@contextmanager
def _alone(target: Path) -> Iterator[None]:
    """Wait until no other process makes the target; a process that is killed makes it no more."""
    from filelock import FileLock

    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.with_name(f".{target.name}.lock"), mode=0o666):
        yield


def _make(target: Path, make: Callable[[Path], object]) -> None:
    """Make the target, which no other process does: what is partial was left by a dead one."""
    for left in target.parent.glob(f"{target.stem}.*.partial*"):
        left.unlink(missing_ok=True)
    with appearing(target) as partial:
        make(partial)


def _mark(target: Path) -> Path:
    return target.with_name(f".{target.name}.json")


def _stat(target: Path) -> dict[str, int]:
    found = target.stat()
    return {"size": found.st_size, "changed": found.st_mtime_ns}


def _keep_mark(target: Path, digest: str) -> None:
    with suppress(OSError), appearing(_mark(target)) as partial:  # a medium may be read-only
        partial.write_text(json.dumps({"sha256": digest, **_stat(target)}), "utf-8")


def _is_whole(target: Path) -> bool:
    """Whether a file is there, and is what was made."""
    try:
        mark = json.loads(_mark(target).read_text("utf-8"))
        stat = _stat(target)
        if {**mark, **stat} == mark:
            return True
        if mark["size"] != stat["size"] or mark["sha256"] != sha256(target):
            return False
    except (OSError, ValueError, TypeError, KeyError):
        return False
    _keep_mark(target, mark["sha256"])
    return True
