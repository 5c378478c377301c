"""Settings as they are given on the command line: name=value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from geppetto._util import yaml_text
from geppetto._util.characters import halves, mended
from geppetto._util.errors import GeppettoError


def settings(option: str, texts: Sequence[str], example: str) -> dict[str, Any]:
    """The values of an option that may be given several times, each read as YAML.

    A GeppettoError, which has the option ("--set") and an example ("k=5"), is raised if one is not
    name=value, its value is not YAML, or a name is given twice.
    """
    values: dict[str, Any] = {}
    for text in texts:
        if [*halves(text)]:
            raise GeppettoError(f"{option} {mended(text)}: the text is not UTF-8; write it anew")
        name, equals, value = text.partition("=")
        if not equals:
            raise GeppettoError(
                f"{option} {text}: write it as name=value, for example {option} {example}"
            )
        if name in values:
            raise GeppettoError(f"{option} {text}: {name!r} is given twice; keep one of them")
        try:
            _, values[name] = yaml_text.read(value, value)
        except GeppettoError as error:
            raise GeppettoError(f"{option} {text}: {value!r} is not a YAML value") from error
    return values
