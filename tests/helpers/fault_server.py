"""A server that speaks like OpenAI's and fails on purpose, in ways that its script decides.

Its answers are a function of the request alone, so that a run with faults can be compared with
one without. Run: python fault_server.py FOLDER [--faults 0.2]; FOLDER/port then has its port.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import signal
import ssl
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from threading import Thread
from typing import Any

from aiohttp import web

from geppetto.models.endpoint.probe import STORY
from odd_replies import ODD

MODEL = "scripted"
FAULTS = (
    "too many",
    "overloaded",
    "slow",
    "cut",
    "malformed",
    "no logprobs",
    "fewer logprobs",
    "no choices",
    "two choices",
    "another model",
    "no HTTP",
    "hung up",
    *ODD,
)


def digest(*what: object) -> int:
    """A number that depends on nothing but its arguments."""
    return int.from_bytes(hashlib.sha256(json.dumps(what).encode()).digest()[:8])


_STORIES = count()
"""Stories are different each time, as a probe expects of samples; nothing else is."""


def said(prompt: str) -> tuple[str, float]:
    """What is answered to a text, and its log-probability."""
    number = digest(prompt)
    return str(1 + number % 5), -0.1 - (number % 97) / 100


class Script:
    """What the server does with each request.

    Attributes
    ----------
    faults
        Share of requests that fail, each attempt at one anew.
    only
        The faults that happen.
    limit
        How many requests it takes at once before it says that they are too many.
    retry_after
        Seconds that it asks for with "too many".
    slow
        Seconds that a slow answer takes.
    seconds
        Seconds that every other answer takes.
    taken
        When each request came, and the tokens of its prompt and reply.
    always
        A status with which everything is answered, and the text that comes with it: of a
        redirect, the address that it leads to.
    everywhere
        Whether all paths are its own, whatever a provider's are.
    """

    def __init__(
        self,
        faults: float = 0.0,
        only: tuple[str, ...] = FAULTS,
        limit: int = 10**6,
        retry_after: str = "0.05",
        slow: float = 5.0,
        seconds: float = 0.0,
        always: tuple[int, str] | None = None,
        everywhere: bool = False,
        seed: int = 0,
    ) -> None:
        self.faults, self.only, self.limit = faults, only, limit
        self.retry_after, self.slow, self.seconds = retry_after, slow, seconds
        self.always, self.everywhere, self.seed = always, everywhere, seed
        self.asked: Counter[str] = Counter()
        self.happened: Counter[str] = Counter()
        self.at_once = self.most_at_once = 0
        self.last: dict[str, Any] = {}
        self.taken: list[tuple[float, int]] = []

    def fault(self, content: str) -> str:
        """What goes wrong this time; empty if nothing does."""
        attempt = self.asked[content]
        self.asked[content] += 1
        draw = random.Random(f"{self.seed} {attempt} {content}")
        return draw.choice(self.only) if draw.random() < self.faults else ""

    async def completion(self, request: web.Request) -> web.StreamResponse:
        """The answer to a request, or what is wrong with it."""
        if self.always is not None and 300 <= self.always[0] < 400:
            self.asked[request.path] += 1
            return web.Response(status=self.always[0], headers={"Location": self.always[1]})
        body = await request.json()
        self.last = {**body, "headers": dict(request.headers)}
        if self.always is not None:
            status, text = self.always
            return web.json_response({"error": {"message": text, "code": status}}, status=status)
        fault = self.fault(json.dumps(body, sort_keys=True))
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            if self.at_once > self.limit:
                fault = "too many"
            self.happened[fault] += 1
            self.taken.append((time.monotonic(), sum(_usage(body).values())))
            return await self._with(fault, body, request)
        finally:
            self.at_once -= 1

    async def _with(self, fault: str, body: dict[str, Any], request: web.Request) -> Any:
        if fault == "too many":
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            return web.json_response(
                {"error": {"message": "too many requests"}}, status=429, headers=headers
            )
        if fault == "overloaded":
            return web.json_response({"error": {"message": "overloaded"}}, status=500)
        if pause := self.slow if fault == "slow" else self.seconds:
            await asyncio.sleep(pause)
        if fault in ODD:
            return ODD[fault](_answer(body, ""))
        if fault in ("no HTTP", "hung up"):
            assert request.transport is not None
            if fault == "no HTTP":
                request.transport.write(b"what do you want?\r\n\r\n")
            request.transport.close()
            return web.Response()
        text = json.dumps(_answer(body, fault))
        if fault == "malformed":
            return web.Response(text=text[:-7] + "]]", content_type="application/json")
        if fault == "cut":
            response = web.StreamResponse(headers={"Content-Length": str(len(text))})
            response.content_type = "application/json"
            await response.prepare(request)
            await response.write(text[: len(text) // 2].encode())
            assert request.transport is not None
            request.transport.close()
            return response
        return web.Response(text=text, content_type="application/json")

    def app(self) -> web.Application:
        """The server's routes."""
        app = web.Application()
        app.router.add_post("/v1/chat/completions", self.completion)
        app.router.add_post("/v1/completions", self.completion)
        if self.everywhere:
            app.router.add_route("*", "/{path:.*}", self.completion)
        return app


def _answer(body: dict[str, Any], fault: str) -> dict[str, Any]:
    chat = "messages" in body
    choice = _chat_choice(body) if chat else _text_choice(body)
    if fault == "no logprobs":
        choice["logprobs"] = None
    if fault == "fewer logprobs" and choice["logprobs"]:
        kept = choice["logprobs"]
        choice["logprobs"] = {name: values[:-1] for name, values in kept.items() if values}
    choices = {"no choices": [], "two choices": [choice, choice]}.get(fault, [choice])
    usage = _usage(body)
    return {
        "id": "1",
        "object": "chat.completion" if chat else "text_completion",
        "created": 1,
        "model": "somebody-else" if fault == "another model" else body["model"],
        "choices": choices,
        "usage": {**usage, "total_tokens": sum(usage.values())},
    }


def _usage(body: dict[str, Any]) -> dict[str, int]:
    prompt = json.dumps(body["messages"]) if "messages" in body else body["prompt"]
    return {"prompt_tokens": len(prompt) // 4, "completion_tokens": 1}


def _chat_choice(body: dict[str, Any]) -> dict[str, Any]:
    asked = json.dumps(body["messages"])
    text, log_prob = said(asked)
    if STORY in asked:
        text = f"Story {next(_STORIES)}"
    top = [
        {"token": str(n), "logprob": log_prob - 0.5 - n} for n in range(body.get("top_logprobs", 0))
    ]
    token = {"token": text, "logprob": log_prob, "top_logprobs": top}
    return {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": text},
        "logprobs": {"content": [token]} if body.get("logprobs") else None,
    }


def _text_choice(body: dict[str, Any]) -> dict[str, Any]:
    prompt = body["prompt"]
    text, log_prob = said(prompt)
    echoed = [prompt[i : i + 4] for i in range(0, len(prompt), 4)] if body.get("echo") else []
    numbers = [None, *(-(digest(prompt[: 4 * i]) % 97) / 10 for i in range(1, len(echoed)))]
    tokens, values = [*echoed, text], [*(numbers if echoed else []), log_prob]
    top = [
        None if v is None else {t: v, "other": v - 1} for t, v in zip(tokens, values, strict=True)
    ]
    logprobs = {"tokens": tokens, "token_logprobs": values, "top_logprobs": top}
    return {
        "index": 0,
        "finish_reason": "length",
        "text": "".join(tokens),
        "logprobs": logprobs if body.get("logprobs") is not None else None,
    }


@contextmanager
def served(script: Script, tls: ssl.SSLContext | None = None) -> Iterator[str]:
    """Serve in a thread; gives the address for `api_base`."""
    loop = asyncio.new_event_loop()
    runner = web.AppRunner(script.app(), shutdown_timeout=0)

    async def start() -> int:
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        return int(runner.addresses[0][1])

    thread = Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        port = asyncio.run_coroutine_threadsafe(start(), loop).result()
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}/v1"
    finally:
        asyncio.run_coroutine_threadsafe(runner.cleanup(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


async def _serve(script: Script, folder: Path) -> None:
    """Serve until terminated, then leave in FOLDER/happened how often each fault did."""
    runner = web.AppRunner(script.app(), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    (folder / "port.new").write_text(str(runner.addresses[0][1]))
    (folder / "port.new").rename(folder / "port")
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    await ended.wait()
    (folder / "happened").write_text(json.dumps(script.happened))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--faults", type=float, default=0.0)
    parser.add_argument("--slow", type=float, default=5.0)
    given = parser.parse_args()
    asyncio.run(_serve(Script(faults=given.faults, slow=given.slow), given.folder))
