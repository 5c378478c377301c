"""Ctrl-C ends a command wherever it comes."""

from __future__ import annotations

import gc
import signal
import time
import weakref
from collections.abc import Iterator

import pytest

from geppetto._util.interrupts import interrupts_raised


class Node:
    """Something that only the garbage collector takes away."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def interruptible() -> Iterator[None]:
    """SIGINT interrupts, even where whoever started the tests has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pressed(*_: object) -> None:
    raise KeyboardInterrupt


def test_one_that_comes_in_a_callback_of_a_weak_reference_is_raised_a_moment_later() -> None:
    with pytest.raises(KeyboardInterrupt), interrupts_raised():
        node = Node()
        reference = weakref.ref(node, pressed)
        del node
        gc.collect()
        assert reference() is None  # so it was called, and Python went on
        time.sleep(5)
        pytest.fail("it was lost")


def test_one_that_a_library_made_an_error_of_its_own_of_is_one_again() -> None:
    class Interrupted:
        __set_name__ = pressed

    with pytest.raises(KeyboardInterrupt), interrupts_raised():
        type("Made", (), {"field": Interrupted()})
    with pytest.raises(ValueError, match="other"), interrupts_raised():
        raise ValueError("other")
