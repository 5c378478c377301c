"""Files that are nearly right: small changes of a good one, drawn from a seed."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

HOSTILE = (
    b"null", b"", b"~", b"true", b"yes", b"{}", b"[]", b"[[]]", b"-1", b"0", b"1e999", b".nan",
    b".inf", b"0x", b"0o9", b"1:99:99", b"2020-13-45", b"9999-99-99T99:99:99Z", b"0b2", b"1_",
    b"9" * 5000, b"-" * 50, b"!!binary x", b"!!timestamp x", b"!!int x", b"!!float x", b"!!set {a}",
    b"!!python/object:os.system {}", b"!!omap x", b"!!pairs x", b"&a", b"*a", b"&a [*a]", b"<<: *a",
    b"<<: 3", b"? [1, 2]\n: 3", b"{[1]: 2}", b"{1: 2, 1: 3}", b'"\\ud800"', b'"\\x00"', b"\x00",
    b"\xff\xfe", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r", b"\t", b"'", b'"', b"|", b">", b"%", b"@",
    b"`", b"#", b"---", b"...", b"{{ x }}", b"[/b]", b"..", b"/", b"x" * 300, b"\xf0\x9f\x98\x80",
    b"\\u0000", b"NaN", b"Infinity", b"-0", b"1.0", b"[" * 60 + b"]" * 60, b'{"a":' * 60, b"<<",
    b">>",
)  # fmt: skip
"""What stands in the place of a part of a file."""

_WORD = re.compile(rb"[^\s,:{}\[\]\"]+")


def mutated(data: bytes, rng: random.Random) -> bytes:
    """A file with one to three changes, of bytes or of words."""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        data = rng.choice(_CHANGES)(data, rng)
    return data


def _place(data: bytes, rng: random.Random) -> int:
    return rng.randrange(len(data) + 1)


def _flipped(data: bytes, rng: random.Random) -> bytes:
    if not data:
        return data
    at = rng.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << rng.randrange(8)]) + data[at + 1 :]


def _cut(data: bytes, rng: random.Random) -> bytes:
    start = _place(data, rng)
    return data[:start] + data[start + rng.choice((1, 4, 40, len(data))) :]


def _repeated(data: bytes, rng: random.Random) -> bytes:
    start = _place(data, rng)
    part = data[start : start + rng.choice((1, 10, 100))]
    return data[:start] + part * rng.choice((2, 3, 50)) + data[start:]


def _inserted(data: bytes, rng: random.Random) -> bytes:
    at = _place(data, rng)
    return data[:at] + rng.choice((rng.choice(HOSTILE), rng.randbytes(4))) + data[at:]


def _reworded(data: bytes, rng: random.Random) -> bytes:
    words = list(_WORD.finditer(data))
    if not words:
        return data
    word = rng.choice(words)
    new = rng.choice((rng.choice(HOSTILE), rng.choice(words)[0]))
    return data[: word.start()] + new + data[word.end() :]


def _lineless(data: bytes, rng: random.Random) -> bytes:
    lines = data.split(b"\n")
    at = rng.randrange(len(lines))
    lines[at : at + 1] = rng.choice(([], [lines[at], lines[at]], [rng.choice(lines)]))
    return b"\n".join(lines)


_CHANGES: tuple[Callable[[bytes, random.Random], bytes], ...] = (
    _flipped,
    _cut,
    _repeated,
    _inserted,
    _reworded,
    _reworded,
    _lineless,
)
