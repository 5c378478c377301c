"""Keys of providers: read from the environment, refused anywhere else, and never repeated."""

from __future__ import annotations

import json
import os
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from pydantic import JsonValue

from geppetto._util.errors import GeppettoError

_SECRET_VARIABLE = re.compile(
    r"(?:key|token|secret|passw(?:or)?d|pass|credentials?)s?(?:_|$)", re.IGNORECASE
)
_SECRET_PARAMETER = re.compile(
    r"api_?key|secret|passw|credential|authorization|cookie|access_key|bearer"
    r"|(?:ad|auth|session|access|id)_token|headers?$|^(?:key|token|auth)$",
    re.IGNORECASE,
)
_SHORTEST = 8
"""Letters that a value must have to be taken for a secret: shorter ones are found in any text."""
_SHAPES = re.compile(r"(?<=://)[^/@\s]+(?=@)|\bsk-[\w*-]{3,}|(?<=Bearer )\S+", re.IGNORECASE)
_HIDDEN = "[hidden]"


def read_keys(workspace: Path) -> None:
    """Put what a workspace's .env file sets into the environment, unless it is set there already.

    Raises
    ------
    GeppettoError
        If there is a file but not the package that reads it, or it cannot be read as UTF-8.
    """
    file = workspace / ".env"
    if not file.is_file():
        return
    try:
        from dotenv import load_dotenv
    except ModuleNotFoundError as error:
        raise GeppettoError(
            f"{file} cannot be read without python-dotenv; install it with: "
            "pip install 'geppetto[endpoints]'"
        ) from error
    try:
        load_dotenv(file, override=False, encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        why = "it is not UTF-8 text" if isinstance(error, UnicodeDecodeError) else str(error)
        raise GeppettoError(f"{file} cannot be read: {why}; save it as UTF-8") from error


def refuse_secrets(name: str, api_base: str, parameters: JsonValue) -> None:
    """Refuse an address or parameters that hold a key: they are written into stores and logs.

    Raises
    ------
    GeppettoError
        If there is one; the message does not repeat it.
    """
    where = "put keys into the environment or the workspace's .env file"
    address = urlsplit(api_base)
    if address.username or address.password or address.query:
        raise GeppettoError(
            f"model {name}: api_base is an address without credentials and without ?; {where}"
        )
    for parameter in names_in(parameters):
        if _SECRET_PARAMETER.search(parameter):
            raise GeppettoError(f"model {name}: {parameter!r} may not be a parameter; {where}")
    for text in (api_base, *(value for _, value in _within(parameters))):
        if isinstance(text, str) and without_secrets(text) != text:
            raise GeppettoError(f"model {name}: a parameter or the api_base holds a key; {where}")


def without_secrets(text: str) -> str:
    """A text in which nothing is left that the environment holds as a key, or that looks like one.

    For what a provider says, which may repeat the key that it was sent.
    """
    secrets = {
        value
        for name, value in os.environ.items()
        if _SECRET_VARIABLE.search(name) and len(value) >= _SHORTEST
    }
    for written in sorted(_written(secrets), key=len, reverse=True):
        text = text.replace(written, _HIDDEN)
    return _SHAPES.sub(_HIDDEN, text)


def without_secrets_in(value: Any) -> Any:
    """The same of all texts in a value, the names of its parts too."""
    if isinstance(value, str):
        return without_secrets(value)
    if isinstance(value, Mapping):
        return {without_secrets(str(k)): without_secrets_in(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [without_secrets_in(each) for each in value]
    return value


def _written(secrets: Iterable[str]) -> set[str]:
    """All ways in which secrets are written: as they are, in addresses, JSON, headers and bodies.

    In base64 a text looks different by how many letters stand before it, modulo 3; what its
    neighbours share a sign with is left out.
    """
    found = set()
    for secret in secrets:
        raw = secret.encode(errors="surrogateescape")
        found |= {secret, quote(secret, safe="", errors="replace"), json.dumps(secret)[1:-1]}
        for before in range(3):
            coded = b64encode(b"0" * before + raw).decode()
            whole = coded.rstrip("=")
            inner = whole[(0, 2, 3)[before] : len(whole) - (whole != coded)]
            found |= {inner, inner.replace("+", "-").replace("/", "_")}
    return {each for each in found if len(each) >= _SHORTEST}


def names_in(value: JsonValue) -> Iterator[str]:
    """The names of all parameters, those within others too."""
    return (name for name, _ in _within(value) if name)


def _within(value: JsonValue, name: str = "") -> Iterator[tuple[str, JsonValue]]:
    """A value and all that is in it, each with its name if it has one."""
    yield name, value
    if isinstance(value, dict):
        for inner_name, inner in value.items():
            yield from _within(inner, inner_name)
    elif isinstance(value, list):
        for inner in value:
            yield from _within(inner)
