"""LiteLLM, imported when it is first needed and set so that it asks nothing of anyone else."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from typing import Any

from geppetto._util.errors import GeppettoError

_OFF = frozenset({"false", "0", "no", "off"})


def library() -> Any:
    """LiteLLM: without fetching prices, telemetry, chatter, or parameters silently dropped.

    The environment is looked at each time; the rest is done once.

    Raises
    ------
    GeppettoError
        If it is not installed, or the environment turns the checking of certificates off.
    """
    if os.environ.get("SSL_VERIFY", "").lower() in _OFF:
        raise GeppettoError(
            "SSL_VERIFY turns off the checking of servers' certificates; unset it, and name the "
            "file of an authority of your own in SSL_CERT_FILE"
        )
    return _imported()


@cache
def _imported() -> Any:
    try:
        import litellm
    except ModuleNotFoundError as error:
        raise GeppettoError(
            "models behind an interface need LiteLLM; install it with: "
            "pip install 'geppetto[endpoints]'"
        ) from error
    litellm.telemetry = False
    litellm.drop_params = litellm.modify_params = False
    litellm.suppress_debug_info = True
    for name in ("LiteLLM", "LiteLLM Router", "LiteLLM Proxy"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return litellm


@asynccontextmanager
async def connections() -> AsyncIterator[None]:
    """Connections to providers that are kept and shared, and closed with their event loop."""
    litellm = library()
    from litellm.llms.openai.common_utils import BaseOpenAILLM

    litellm.aclient_session = shared = BaseOpenAILLM.get_async_http_client()
    try:
        yield
    finally:
        litellm.aclient_session = None
        await shared.aclose()
        await end_in_loop()


async def end_in_loop() -> None:
    """Let LiteLLM end what it has begun in this event loop, before the loop is closed.

    What it has to log waits in a queue of one loop at a time and is worked off by a task there. A
    loop that is closed over that task leaves it pending, and the next loop calls into it.
    """
    litellm = library()
    from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

    await GLOBAL_LOGGING_WORKER.flush()
    await GLOBAL_LOGGING_WORKER.stop()
    await litellm.close_litellm_async_clients()
    litellm.in_memory_llm_clients_cache.flush_cache()
