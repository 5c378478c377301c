"""Ctrl-C that is never lost."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from signal import SIGINT, pthread_kill
from threading import Timer, get_ident

from geppetto._util.errors import causes

_A_MOMENT = 0.01
"""Seconds until an interrupt that was lost comes again."""


@contextmanager
def interrupts_raised() -> Iterator[None]:
    """Let every Ctrl-C end what is done here.

    Python goes on after one that comes in a destructor or in the callback of a weak reference: it
    is raised again a moment later. And what a library makes an error of its own of, while it is
    imported for instance, is one again.

    Raises
    ------
    KeyboardInterrupt
        If Ctrl-C was pressed.
    """
    before = sys.unraisablehook

    def again(lost: sys.UnraisableHookArgs) -> None:
        if issubclass(lost.exc_type, KeyboardInterrupt):
            Timer(_A_MOMENT, pthread_kill, (get_ident(), SIGINT)).start()
        else:
            before(lost)

    sys.unraisablehook = again
    try:
        yield
    except Exception as error:
        if any(isinstance(cause, KeyboardInterrupt) for cause in causes(error)):
            raise KeyboardInterrupt from error
        raise
    finally:
        sys.unraisablehook = before
