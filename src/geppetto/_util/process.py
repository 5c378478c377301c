"""Who does some work: one process on one host."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Self

_BOOT = Path("/proc/sys/kernel/random/boot_id")
_NAMESPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True)
class Worker:
    """A process, told apart from every other process anywhere.

    Attributes
    ----------
    host
        Where its process number means something: the machine's name and, where /proc tells, its
        boot and its namespace of process numbers (a container has its own).
    pid
        Its process number, which another process may get once it has ended.
    started
        When it started, in clock ticks after the boot; empty where /proc does not tell.
    """

    host: str
    pid: int
    started: str

    @classmethod
    def current(cls) -> Self:
        """This process."""
        pid = os.getpid()
        _, started = _state_and_start(pid)
        return cls(_host(), pid, started)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The worker that was written as this text."""
        host, pid, started = text.split(" ")
        return cls(host, int(pid), started)

    def __str__(self) -> str:
        return f"{self.host} {self.pid} {self.started}"

    def is_known_dead(self) -> bool:
        """Whether it can be seen from here that the process has ended.

        Nothing can be seen of a process on another host.
        """
        return self._seen() is False

    def is_known_alive(self) -> bool:
        """Whether it can be seen from here that the process lives, and was not stopped."""
        return self._seen() is True

    def _seen(self) -> bool | None:
        """Whether the process lives; None if that cannot be seen, or it was stopped."""
        if self.host != _host() or os.name != "posix":
            return None
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return False
        except PermissionError:
            pass  # it is another user's
        state, started = _state_and_start(self.pid)
        if state in {"Z", "X"} or started not in {"", self.started}:
            return False
        return None if state in {"", "T", "t"} else True


def _host() -> str:
    known = ["_".join(platform.node().split())]
    if _BOOT.exists():
        known.append(_BOOT.read_text().strip())
    if _NAMESPACE.is_symlink():
        known.append(str(_NAMESPACE.readlink()))
    return "/".join(known)


def _state_and_start(pid: int) -> tuple[str, str]:
    """State letter and start time of a process; empty where /proc does not tell."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return "", ""
    after_name = stat.rpartition(")")[2].split()
    return after_name[0], after_name[19]
