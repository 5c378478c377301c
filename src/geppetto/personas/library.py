"""Finding strategies by name: the workspace's `personas/` first, then the library shipped here."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from geppetto._util.errors import GeppettoError, unknown
from geppetto._util.validation import is_model
from geppetto.personas.base import PersonaStrategy
from geppetto.personas.moved import importable

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


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

    A GeppettoError is raised if there is no such file, it does not run, or it does not define
    exactly one strategy; what is raised in the file is told with its line.
    """
    files = strategy_files(workspace)
    if name not in files:
        raise unknown("strategy", name, files)
    path = files[name].absolute()
    with errors_of(path):
        module = _module(f"geppetto_strategy_{name}", path, path.read_bytes())
    sys.modules[module.__name__] = module  # another workspace may have one of that name
    defined = [
        value
        for value in vars(module).values()
        if inspect.isclass(value)
        and issubclass(value, PersonaStrategy)
        and value.__module__ == module.__name__
    ]
    if len(defined) != 1:
        names = ", ".join(value.__name__ for value in defined) or "none"
        raise GeppettoError(
            f"{path} must define exactly one subclass of PersonaStrategy, but defines {names}"
        )
    return defined[0]


@lru_cache
def _module(name: str, path: Path, content: bytes) -> ModuleType:
    """What a file defines; a search loads it for each of its trials, and it is run once."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    importable()
    spec.loader.exec_module(module)
    return module


def load_strategy(name: str, parameters: Mapping[str, Any], workspace: Path) -> PersonaStrategy:
    """A strategy with its parameters, from a workspace that may have a folder `personas/`.

    Errors are those of `strategy_class`; or a parameter is unknown or has a value it cannot have.
    """
    strategy = strategy_class(name, workspace)
    path = Path(inspect.getfile(strategy))
    with errors_of(path):
        try:
            return strategy.model_validate(dict(parameters)).in_workspace(workspace)
        except ValidationError as error:
            first = error.errors()[0]
            of_default = first["loc"] and first["loc"][0] not in parameters
            place = f" ({_where(path, str(first['loc'][0]))})" if of_default else ""
            raise GeppettoError(f"strategy {name!r}: {_refused(strategy, first)}{place}") from error


def _where(path: Path, parameter: str) -> str:
    """The line of a strategy's file that declares a parameter."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == parameter:
            return f"{path}, line {node.lineno}"
    return str(path)


def _refused(model: type[BaseModel], error: ErrorDetails) -> str:
    """Why a parameter cannot have its value; a nested one is named as `answers.k`."""
    place = ".".join(map(str, error["loc"]))
    message = error["msg"].removeprefix("Value error, ")
    match error["type"]:
        case "extra_forbidden":
            return str(unknown("parameter", place, parameters(model)))
        case "missing":
            return f"{place} has no default; give it a value"
        case _ if not place:
            return message
        case _:
            return f"{place} is {error['input']!r}; {message[:1].lower()}{message[1:]}"


def parameters(model: type[BaseModel], above: str = "") -> dict[str, FieldInfo]:
    """Every parameter by its name, those within another one after it: answers, answers.k."""
    found: dict[str, FieldInfo] = {}
    for name, field in model.model_fields.items():
        found[f"{above}{name}"] = field
        for part in (field.annotation, *get_args(field.annotation)):
            if is_model(part):
                found |= parameters(part, f"{above}{name}.")
    return found


def choices(model: type[BaseModel], among: Iterable[str] | None = None) -> list[str]:
    """Each parameter with what it may be, its default first: "voice: first, second, third".

    Those `among` some names only, with what is within them; all if None.
    """
    wanted = model.model_fields if among is None else set(among)
    found = []
    for name, field in parameters(model).items():
        values = get_args(field.annotation)
        if name.split(".")[0] not in wanted or any(map(is_model, (field.annotation, *values))):
            continue
        if values and all(isinstance(value, str) for value in values):
            shown = ", ".join(sorted(values, key=lambda value: value != field.default))
        elif field.is_required():
            shown = "to be given"
        elif field.default is None:
            shown = "all" if name == "traits" else "none"
        else:
            shown = str(field.default)
        found.append(f"{name}: {shown}")
    return found


@contextmanager
def errors_of(path: Path) -> Iterator[None]:
    """Turn what a strategy's file raises into an error that names the file and its line.

    The line is the file's own one even if geppetto, called there, raised.
    """
    try:
        yield
    except GeppettoError as error:
        line = _line(path, error)
        if line is None or path.parent == shipped():
            raise
        raise GeppettoError(f"{path}, line {line}: {error}") from error
    except SyntaxError as error:
        raise GeppettoError(
            f"{error.filename or path}, line {error.lineno}: {error.msg}"
        ) from error
    except Exception as error:
        line = _line(path, error)
        place = str(path) if line is None else f"{path}, line {line}"
        what, *_ = str(error).splitlines() or [""]
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            what = f"{error.title}: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise GeppettoError(f"{place}: {type(error).__name__}: {what}") from error


def _line(path: Path, error: Exception) -> int | None:
    """The last line of a file that was being run when an error was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == str(path)]
    return lines[-1] if lines else None
