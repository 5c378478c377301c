"""Keys of providers: read from the environment, refused anywhere else, and never repeated."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

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
        If there is a file but not the package that reads it.
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
    load_dotenv(file, override=False)


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
    for text in (api_base, *_texts(parameters)):
        if without_secrets(text) != text:
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
    for secret in sorted(secrets, key=len, reverse=True):
        text = text.replace(secret, _HIDDEN)
    return _SHAPES.sub(_HIDDEN, text)


def names_in(value: JsonValue) -> Iterator[str]:
    """The names of all parameters, those within others too."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


def _texts(value: JsonValue) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
