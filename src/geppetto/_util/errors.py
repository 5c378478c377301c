"""The one error a user is meant to read."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path

_LONGEST = 600
"""Letters of what an error says that are shown."""


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


class Failures:
    """What failed alone, while everything beside it went on.

    Examples
    --------
    >>> failures = Failures()
    >>> with failures.alone("the figure"):
    ...     raise ValueError("nothing to draw")
    >>> failures.sentences
    ['the figure failed: ValueError: nothing to draw']
    """

    def __init__(self) -> None:
        self._found: dict[str, list[str]] = {}

    @contextmanager
    def alone(self, what: str, but: tuple[type[Exception], ...] = ()) -> Iterator[None]:
        """Keep what fails here for a sentence, and go on after it; `but` such errors are raised."""
        try:
            yield
        except but:
            raise
        except Exception as error:
            logging.getLogger("geppetto").debug("%s failed", what, exc_info=True)
            self._found.setdefault(in_one_line(error), []).append(what)

    @property
    def sentences(self) -> list[str]:
        """What failed, and why, each reason once."""
        return [f"{', '.join(what)} failed: {why}" for why, what in self._found.items()]


def in_one_line(error: BaseException) -> str:
    """What an error says, on one line; of one that no user is meant to read also its kind."""
    said = " ".join(str(error).split())
    said = said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."
    return said if isinstance(error, GeppettoError) else f"{type(error).__name__}: {said}"


def unknown(kind: str, name: str, known: Iterable[str], place: str = "") -> GeppettoError:
    """An error for a name that is not among the known ones, with the nearest as a hint.

    Examples
    --------
    >>> print(unknown("study", "bfy", ["bfi", "anes96"], "my.yaml"))
    unknown study 'bfy' in my.yaml; did you mean 'bfi'?
    """
    names = sorted(known)
    begun = [each for each in names if name and each.startswith(name)]
    near = get_close_matches(name, names, n=1) or begun
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
