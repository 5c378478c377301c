"""The one error a user is meant to read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path


class GeppettoError(Exception):
    """What was asked cannot run as asked; the message says where and what to change.

    The command line prints the message and exits with code 2.

    Examples
    --------
    >>> raise GeppettoError("the budget is spent; raise it")
    Traceback (most recent call last):
    geppetto._util.errors.GeppettoError: the budget is spent; raise it
    """


class UncaughtError(BaseException):
    """Carries an error through a library that catches every `Exception`."""

    def __init__(self, why: Exception) -> None:
        super().__init__(str(why))
        self.why = why


def unknown(kind: str, name: str, known: Iterable[str], place: str = "") -> GeppettoError:
    """An error for a name that is not among the known ones, with the nearest as a hint.

    Examples
    --------
    >>> print(unknown("study", "bfy", ["bfi", "anes96"], "my.yaml"))
    unknown study 'bfy' in my.yaml; did you mean 'bfi'?
    """
    names = sorted(known)
    near = get_close_matches(name, names, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names) or 'none'}"
    where = f" in {place}" if place else ""
    return GeppettoError(f"unknown {kind} {name!r}{where}; {hint}")


@contextmanager
def errors_in(path: Path) -> Iterator[None]:
    """Say of errors raised here that they come from what a file asks for."""
    try:
        yield
    except GeppettoError as error:
        error.args = (f"{path}: {error}",)
        raise


def causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error, what it was raised from or while handling, and so on."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
