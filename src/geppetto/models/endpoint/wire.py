"""What a request may meet on its way: no redirect, and no reply larger than any that it asks for.

LiteLLM sends by many clients, which follow redirects with the prompt (some with the key) and read
whatever comes. All of them send by httpx, so that is where what is ours is watched: in the context
of one request of geppetto's, and nowhere else.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from geppetto._util.errors import UncaughtError
from geppetto.models.endpoint.errors import BrokenCompletionError, RedirectedError
from geppetto.models.requests import Request

if TYPE_CHECKING:
    import httpx

_ROOM = 4 * 2**20
"""Bytes that any reply may have: text of a million tokens, and all that stands around it."""

_TOKEN = 2**10
"""Bytes that a token may have, or an alternative to it, with its log-probability."""

_PIECE = 2**16
"""Bytes that are decompressed at once, so that a small reply never becomes a large one unseen."""

_USAGE = ("usage", "usageMetadata")
"""Where providers say how many tokens a reply took."""

_HAS_NO_BODY = frozenset({204, 304})

_MOST: ContextVar[int | None] = ContextVar("most", default=None)


def largest(request: Request) -> int:
    """Bytes that a reply to a request can have at most.

    Examples
    --------
    >>> largest(Request(text="Hello", max_tokens=1)) // 2**20
    4
    """
    tokens = request.max_tokens + (len(request.text.encode()) if request.echo else 0)
    return _ROOM + tokens * (1 + request.top_logprobs) * _TOKEN


@contextmanager
def watched(most: int) -> Iterator[None]:
    """Let what is sent in this context be redirected nowhere, and bring so many bytes at most.

    Raises
    ------
    UncaughtError
        With a `RedirectedError`, or with a `BrokenCompletionError` if a reply is larger, cannot
        be decompressed, or is an error in the place of a reply.
    """
    _watch()
    token = _MOST.set(most)
    try:
        yield
    finally:
        _MOST.reset(token)


@cache
def _watch() -> None:
    """Look at what httpx sends, once for all; without a context it is as it was."""
    import httpx

    send_soon, send_now = httpx.AsyncClient.send, httpx.Client.send

    async def soon(self: httpx.AsyncClient, request: httpx.Request, **how: Any) -> httpx.Response:
        most = _MOST.get()
        if most is None:
            return await send_soon(self, request, **how)
        request.headers["Accept-Encoding"] = "gzip"
        streamed = how.pop("stream", False)
        response = await send_soon(
            self, request, **{**how, "stream": True, "follow_redirects": False}
        )
        try:
            _refuse_redirect(response)
            response.stream = _measured(response, most)
            if not streamed:
                await response.aread()
                _look_at(response)
        except BaseException:
            await response.aclose()
            raise
        return response

    def now(self: httpx.Client, request: httpx.Request, **how: Any) -> httpx.Response:
        most = _MOST.get()
        if most is None:
            return send_now(self, request, **how)
        request.headers["Accept-Encoding"] = "gzip"
        streamed = how.pop("stream", False)
        response = send_now(self, request, **{**how, "stream": True, "follow_redirects": False})
        try:
            _refuse_redirect(response)
            response.stream = _measured(response, most)
            if not streamed:
                response.read()
                _look_at(response)
        except BaseException:
            response.close()
            raise
        return response

    # httpx has no other place through which all that is sent goes
    httpx.AsyncClient.send, httpx.Client.send = soon, now  # type: ignore[method-assign]


def _refuse_redirect(response: httpx.Response) -> None:
    if response.has_redirect_location:
        to = urlsplit(str(response.url.join(response.headers["location"])))
        host = to.netloc.rpartition("@")[2]
        shown = to._replace(netloc=host, query="", fragment="").geturl()
        raise UncaughtError(RedirectedError(f"it redirects to {shown}"))


def _look_at(response: httpx.Response) -> None:
    """Refuse what comes as if all went well and is an error, or a page for people.

    How many tokens it took is left out where that is no number: LiteLLM would drop the reply, which
    is paid for, and ask again.
    """
    if not response.is_success:
        return
    if response.headers.get("content-type", "").startswith("text/html"):
        raise _broken("it is a web page; see that the model's api_base is right")
    try:
        said = json.loads(response.content)
    except (ValueError, RecursionError):
        return  # which is said where it is read
    if not isinstance(said, dict):
        return
    if error := said.get("error"):
        words = error if isinstance(error, dict) else {"message": error}
        message = f"its reply is an error: {words.get('message', error)}"
        raise UncaughtError(BrokenCompletionError(message, words.get("code")))
    odd = [name for name in _USAGE if not _is_usage(said.get(name))]
    if odd:
        unknown = {name: _unknown(said[name]) for name in odd}
        response._content = json.dumps({**said, **unknown}).encode()


def _is_usage(value: Any) -> bool:
    """Whether what stands for numbers of tokens is numbers of tokens, as far as it says."""
    if not isinstance(value, dict):
        return value is None
    return all(
        each is None or (_is_usage(each) if "details" in name.lower() else _is_whole(each))
        for name, each in value.items()
        if "token" in name.lower()
    )


def _is_whole(number: Any) -> bool:
    return isinstance(number, int) or (isinstance(number, float) and number.is_integer())


def _unknown(usage: Any) -> Any:
    """The same without its numbers of tokens."""
    if not isinstance(usage, dict):
        return None
    counted = {name for name in usage if "token" in name.lower()}
    none = {name: 0 for name in counted if "details" not in name.lower()}
    return {name: each for name, each in usage.items() if name not in counted} | none


def _measured(response: httpx.Response, most: int) -> httpx.AsyncByteStream | httpx.SyncByteStream:
    """What comes of a response, decompressed, up to so many bytes.

    Raises
    ------
    UncaughtError
        If it is compressed in a way that was not asked for.
    """
    import httpx

    class Soon(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            async for raw in inner:
                for piece in body.pieces(raw):
                    yield piece
            body.end()

        async def aclose(self) -> None:
            await inner.aclose()

    class Now(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            for raw in inner:
                yield from body.pieces(raw)
            body.end()

        def close(self) -> None:
            inner.close()

    inner: Any = response.stream
    zipped = response.headers.get("content-encoding", "").strip().lower()
    if zipped in ("gzip", "x-gzip"):
        del response.headers["content-encoding"]
    elif any(each.strip() in ("gzip", "deflate", "br", "zstd") for each in zipped.split(",")):
        raise _broken(f"it came compressed by {zipped}, where gzip was asked for")
    has_body = response.status_code not in _HAS_NO_BODY
    body = _Body(most, is_zipped=has_body and zipped in ("gzip", "x-gzip"))
    return Soon() if isinstance(inner, httpx.AsyncByteStream) else Now()


class _Body:
    """A reply's bytes, counted as they come and decompressed in small pieces."""

    def __init__(self, most: int, is_zipped: bool) -> None:
        self._most = most
        self._left = most
        self._unzip = zlib.decompressobj(zlib.MAX_WBITS | 16) if is_zipped else None

    def pieces(self, raw: bytes) -> Iterable[bytes]:
        if self._unzip is None:
            yield self._counted(raw)
            return
        try:
            while raw and not self._unzip.eof:
                yield self._counted(self._unzip.decompress(raw, _PIECE))
                raw = self._unzip.unconsumed_tail
        except zlib.error as error:
            raise _broken(f"it cannot be decompressed ({error})") from error

    def end(self) -> None:
        if self._unzip is not None and not self._unzip.eof:
            raise _broken("it cannot be decompressed, since its end is missing")

    def _counted(self, piece: bytes) -> bytes:
        self._left -= len(piece)
        if self._left < 0:
            raise _broken(f"it is larger than {self._most / 2**20:.0f} MB, more than was asked for")
        return piece


def _broken(why: str) -> UncaughtError:
    return UncaughtError(BrokenCompletionError(f"its reply was dropped: {why}"))
