"""Replies that no model gives: what servers, proxies and gateways were seen to send, and worse.

Each is made of what would have been answered, and must cost that one request an attempt, or nothing
but what is odd about it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from typing import Any

from aiohttp import web

Answer = dict[str, Any]

HALF = "\ud83d"
"""Half of a character, which JSON can hold and UTF-8 cannot."""


def _json(answer: Any, **how: Any) -> web.Response:
    return web.Response(text=json.dumps(answer), content_type="application/json", **how)


def _said(answer: Answer, text: str) -> Answer:
    """The same, with another text and other tokens that spell it."""
    (choice,) = answer["choices"]
    spelled = choice["logprobs"] or {}
    if "message" in choice:
        choice["message"]["content"] = text
        for token in spelled.get("content", [])[-1:]:
            token["token"] = text
    else:
        choice["text"] = text
        spelled.get("tokens", [text])[-1] = text
    return answer


def _with_bytes(answer: Answer, values: list[int]) -> Answer:
    """The same, with bytes of its tokens that are none; plain text has no place for them."""
    (choice,) = answer["choices"]
    for token in (choice["logprobs"] or {}).get("content", []):
        token["bytes"] = values
    if "message" not in choice:
        choice["text"] = None
    return answer


def _half_a_character(answer: Answer) -> web.Response:
    (choice,) = answer["choices"]
    text = choice["message"]["content"] if "message" in choice else choice["text"]
    return _json(_said(answer, text + HALF))


def _never(answer: Answer) -> web.Response:
    asked = {"Retry-After": "12345678901234567890"}
    return _json({"error": {"message": "too many requests"}}, status=429, headers=asked)


def _counted(answer: Answer, **numbers: Any) -> web.Response:
    return _json({**answer, "usage": {**answer["usage"], **numbers}})


def _zipped(answer: Answer, content: bytes, coding: str = "gzip") -> web.Response:
    return web.Response(
        body=content, content_type="application/json", headers={"Content-Encoding": coding}
    )


_BOMB = gzip.compress(bytes(64 * 2**20), 1)

MENDED = (
    "half a character",
    "less than nothing",
    "more than anything",
    "half a token",
    "many",
    "odd details",
    "a bare number",
    "well compressed",
)
"""What is kept, since what was said can be read."""

ODD: Mapping[str, Callable[[Answer], web.Response]] = {
    "half a character": _half_a_character,
    "less than nothing": lambda answer: _counted(answer, prompt_tokens=-300_001_500),
    "more than anything": lambda answer: _counted(answer, completion_tokens=10**15),
    "half a token": lambda answer: _counted(answer, prompt_tokens=1.5),
    "many": lambda answer: _counted(answer, completion_tokens="many"),
    "odd details": lambda answer: _counted(answer, prompt_tokens_details={"cached_tokens": "x"}),
    "a bare number": lambda answer: _json({**answer, "usage": 3}),
    "well compressed": lambda answer: _zipped(answer, gzip.compress(json.dumps(answer).encode())),
    "an error as a reply": lambda _: _json({"error": {"message": "no model is up", "code": 502}}),
    "a refusal as a reply": lambda _: _json({"error": {"message": "no such key", "code": 401}}),
    "an error in words": lambda _: _json({"error": "no model is up"}),
    "detail": lambda _: _json({"detail": "no model is up"}),
    "a web page": lambda _: web.Response(text="<html>Welcome</html>", content_type="text/html"),
    "nothing": lambda _: web.Response(),
    "null": lambda _: _json(None),
    "a list": lambda _: _json([]),
    "a number": lambda _: _json(3),
    "not UTF-8": lambda _: web.Response(body=b"\xff\xfe{}", content_type="application/json"),
    "deep": lambda _: web.Response(text="[" * 20_000, content_type="application/json"),
    "null choices": lambda answer: _json({**answer, "choices": None}),
    "an empty choice": lambda answer: _json({**answer, "choices": [{}]}),
    "no model": lambda answer: _json({**answer, "model": None}),
    "a byte of 300": lambda answer: _json(_with_bytes(answer, [300])),
    "come back never": _never,
    "large": lambda _: web.Response(body=b" " * (6 * 2**20), content_type="application/json"),
    "a large error": lambda _: web.Response(body=b"x" * (6 * 2**20), status=500),
    "a bomb": lambda answer: _zipped(answer, _BOMB),
    "badly compressed": lambda answer: _zipped(answer, b"this is no gzip"),
    "half compressed": lambda answer: _zipped(
        answer, gzip.compress(json.dumps(answer).encode())[:-20]
    ),
    "compressed unasked": lambda answer: _zipped(answer, b"\x0b\x02\x80{}\x03", "br"),
}
