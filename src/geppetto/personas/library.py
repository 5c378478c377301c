"""Finding strategies by name: the workspace's `personas/` first, then the library shipped here."""

from __future__ import annotations

import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from geppetto.errors import GeppettoError, unknown
from geppetto.personas.strategy import PersonaStrategy


def shipped() -> Path:
    """Folder of the strategy library that comes with geppetto."""
    installed = Path(__file__).parent / "shipped"
    return installed if installed.is_dir() else Path(__file__).parents[3] / "personas"


def strategy_files(workspace: Path) -> dict[str, Path]:
    """File of every strategy by name; a file of the workspace goes before a shipped one.

    Files whose name begins with an underscore are no strategies.
    """
    found: dict[str, Path] = {}
    for folder in (shipped(), workspace / "personas"):
        for path in sorted(folder.glob("[!_]*.py")):
            found[path.stem] = path
    return found


def strategy_class(name: str, workspace: Path) -> type[PersonaStrategy]:
    """The strategy that a file of that name defines.

    Raises
    ------
    GeppettoError
        If there is no such file, it does not run, or it does not define exactly one strategy.
    """
    files = strategy_files(workspace)
    if name not in files:
        raise unknown("strategy", name, files)
    path = files[name]
    spec = importlib.util.spec_from_file_location(f"geppetto_strategy_{name}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    with errors_of(path):
        spec.loader.exec_module(module)
    defined = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, PersonaStrategy)
        and value.__module__ == spec.name
    ]
    if len(defined) != 1:
        names = ", ".join(value.__name__ for value in defined) or "none"
        raise GeppettoError(
            f"{path} must define exactly one subclass of PersonaStrategy, but defines {names}"
        )
    return defined[0]


def load_strategy(name: str, parameters: Mapping[str, Any], workspace: Path) -> PersonaStrategy:
    """A strategy with its parameters.

    Raises
    ------
    GeppettoError
        As `strategy_class`; or if a parameter is unknown or has a value it cannot have.
    """
    strategy = strategy_class(name, workspace)
    for parameter in parameters:
        if parameter not in strategy.model_fields:
            raise unknown("parameter", parameter, strategy.model_fields, f"strategy {name!r}")
    try:
        return strategy.model_validate(dict(parameters))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "its parameters"
        raise GeppettoError(
            f"strategy {name!r}: {place} is {first['input']!r}; {first['msg'].lower()}"
        ) from error


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Turn an exception raised in a strategy's file into one that names file and line."""
    try:
        yield
    except GeppettoError:
        raise
    except SyntaxError as error:
        raise GeppettoError(f"{path}, line {error.lineno}: {error.msg}") from error
    except Exception as error:
        lines = [
            f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)
        ]
        place = f"{path}, line {lines[-1]}" if lines else str(path)
        raise GeppettoError(f"{place}: {type(error).__name__}: {error}") from error
