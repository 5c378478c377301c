"""Examples in docstrings: that each public name of a package has one, and that they run."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest

import geppetto

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
WITHOUT: tuple[str, ...] = ()
"""Packages of whose names some have no example yet."""


def public() -> Iterator[tuple[str, str]]:
    """Every name that a package says is its own, with the package; constants have no docstring."""
    walked = pkgutil.walk_packages(geppetto.__path__, "geppetto.")
    for package in ("geppetto", *(one.name for one in walked if one.ispkg)):
        module = importlib.import_module(package)
        for name in getattr(module, "__all__", ()):
            found: Any = getattr(module, name)
            if inspect.isclass(found) or inspect.isfunction(found):
                yield package, name


@pytest.mark.parametrize(("package", "name"), list(public()))
def test_the_example_of_each_public_name_runs(package: str, name: str) -> None:
    found = getattr(importlib.import_module(package), name)
    around = vars(importlib.import_module(found.__module__))
    (example,) = doctest.DocTestFinder(recurse=False).find(found, name, globs=dict(around))
    assert example.examples or package in WITHOUT, f"{package}.{name} has no example"
    said: list[str] = []
    failed = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=said.append).failed
    assert not failed, "".join(said)
