"""Modules that strategy files of earlier versions import under another name."""

from __future__ import annotations

import ast
import sys
from importlib import import_module
from types import ModuleType

NOW = {
    "geppetto.errors": "geppetto._util.errors",
    "geppetto.personas.known": "geppetto.personas.visibility",
    "geppetto.personas.strategy": "geppetto.personas.base",
    "geppetto.personas.written": "geppetto.personas.generated",
}
"""The name that a module has now, by the one it had."""

_BEFORE = {now: before for before, now in NOW.items()}

_NAMES = {"GeneratedStrategy": "WrittenStrategy", "Inputs": "Told"}
"""The names that what strategies import had before, by those they have now."""

_METHODS = {"inputs": "told"}
"""The same of what a generated strategy defines."""


def importable() -> None:
    """Let files import the modules by the names they had."""
    for before, now in NOW.items():
        if before not in sys.modules:
            module = ModuleType(before)
            module.__dict__.update(vars(import_module(now)))
            module.__dict__.update(
                {was: vars(module)[name] for name, was in _NAMES.items() if name in vars(module)}
            )
            sys.modules[before] = module


def code(text: str) -> str:
    """The code of a file, whatever its comments and line breaks, in the names of before.

    What a language model wrote for a strategy is known by this: it stays valid when a module moves,
    or what a strategy defines is called otherwise. A file in the names of before is as it is.
    """
    tree = ast.parse(text)
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    is_of_now = any(one.name in _NAMES for node in imports for one in node.names)
    for node in imports:
        node.module = _BEFORE.get(node.module or "", node.module)
        if any(one.name in _NAMES for one in node.names):
            node.names.sort(key=lambda one: _NAMES.get(one.name, one.name))
    for one in ast.walk(tree) if is_of_now else ():
        if isinstance(one, ast.alias):
            one.name = _NAMES.get(one.name, one.name)
        elif isinstance(one, ast.FunctionDef):
            one.name = _METHODS.get(one.name, one.name)
        elif isinstance(one, ast.Name):
            one.id = _NAMES.get(one.id, one.id)
    return ast.dump(tree)
