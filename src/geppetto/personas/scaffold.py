"""A new strategy's file, to start from."""

from __future__ import annotations

import re
from keyword import iskeyword
from pathlib import Path

from geppetto._util.errors import GeppettoError
from geppetto.personas.library import shipped

_TEMPLATE = Path(__file__).with_name("template.py")
_FIRST_LINE = '"""A persona strategy; `geppetto personas preview {name} --study bfi` shows it."""'


def new_strategy(name: str, workspace: Path) -> Path:
    """Write a starting point that runs as it is to `personas/`, and give its path.

    A GeppettoError is raised if the name cannot be a strategy's, is that of a shipped one, or the
    file exists.
    """
    path = workspace / "personas" / f"{name}.py"
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or iskeyword(name):
        raise GeppettoError(
            f"{name!r} cannot be a strategy's name; use small letters, digits and underscores, "
            "for example my_strategy"
        )
    original = shipped() / path.name
    if original.exists():
        raise GeppettoError(
            f"{path} would hide the strategy {name} that ships with geppetto; choose another name "
            f"(to change that strategy, copy {original} here under another)"
        )
    _, text = _TEMPLATE.read_text("utf-8").split("\n", 1)
    class_name = "".join(word.capitalize() for word in name.split("_"))
    text = f"{_FIRST_LINE.format(name=name)}\n{text.replace('NewPersona', class_name)}"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise GeppettoError(
            f"{error.filename} exists already and is not overwritten; choose another name"
        ) from error
    except OSError as error:
        raise GeppettoError(f"{path} cannot be written: {error.strerror}") from error
    return path
