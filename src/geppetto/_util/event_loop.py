"""Running what is asynchronous to its end, in a notebook too."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any, TypeVar

Found = TypeVar("Found")


def run(work: Coroutine[Any, Any, Found]) -> Found:
    """`asyncio.run`; in a thread of its own where this one runs an event loop, as notebooks do.

    Every interrupt cancels `work`, which may end what it has begun after the first one; it is
    raised again when `work` has ended.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    begun: list[tuple[asyncio.AbstractEventLoop, asyncio.Task[Any]]] = []

    async def cancellable() -> Found:
        task = asyncio.current_task()
        assert task is not None
        begun.append((asyncio.get_running_loop(), task))
        return await work

    with ThreadPoolExecutor(1) as thread:
        future = thread.submit(copy_context().run, asyncio.run, cancellable())
        while True:
            try:
                return future.result()
            except KeyboardInterrupt:
                for loop, task in begun:
                    loop.call_soon_threadsafe(task.cancel)
            except asyncio.CancelledError:
                raise KeyboardInterrupt from None
