"""YAML text as a tree of nodes and as values, or one sentence that says why it is neither."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from geppetto._util.characters import halves
from geppetto._util.errors import GeppettoError

_DEPTH = 50
"""Levels that a document may have."""

_REPEATED = 100_000
"""Values that aliases may add to those that are written."""

_UNREADABLE = (ValueError, TypeError, AttributeError, ArithmeticError, LookupError)
"""What PyYAML raises for dates, numbers and tags that it recognises and cannot read."""


def read(text: str, place: str) -> tuple[yaml.Node | None, Any]:
    """A document's tree and its content; None of both if it is empty.

    Raises
    ------
    GeppettoError
        If it is no YAML, holds itself, repeats itself without measure, or has half a character.
    """
    try:
        tree = yaml.compose(text, yaml.SafeLoader)
        if tree is not None:
            _refuse_growth(tree, place)
        return tree, yaml.load(text, _Loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise GeppettoError(f"{place}{line}: not valid YAML: {error.problem}") from error
    except (yaml.YAMLError, RecursionError) as error:
        reason = " ".join(str(error).split())
        raise GeppettoError(f"{place}: not valid YAML: {reason}") from error


class _Loader(yaml.SafeLoader):
    """Reads what YAML has, and says where it cannot."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep)
        except _UNREADABLE as error:
            raise yaml.MarkedYAMLError(
                problem=f"{_shown(node)} reads like {_kind(node)} and is none; put it in quotes if "
                "it is a text",
                problem_mark=node.start_mark,
            ) from error
        if isinstance(value, str) and (broken := [*halves(value)]):
            raise yaml.MarkedYAMLError(
                problem=f"{broken[0]} is half of a character, as is left where an emoji is cut in "
                "two; write the whole character",
                problem_mark=node.start_mark,
            )
        return value


def _kind(node: yaml.Node) -> str:
    name = node.tag.rsplit(":", 1)[-1]
    return {"int": "a number", "float": "a number", "timestamp": "a date"}.get(name, f"a {name}")


def _shown(node: yaml.Node) -> str:
    return repr(node.value[:40]) if isinstance(node, yaml.ScalarNode) else "this"


def _refuse_growth(tree: yaml.Node, place: str) -> None:
    """Refuse a tree that aliases make endless, or far larger than it is written."""
    sizes: dict[int, int] = {}

    def size(node: yaml.Node, above: frozenset[int]) -> int:
        here = f"{place}, line {node.start_mark.line + 1}"
        if id(node) in above:
            raise GeppettoError(f"{here}: an alias stands within what it repeats; write it out")
        if len(above) > _DEPTH:
            raise GeppettoError(f"{here}: more than {_DEPTH} levels deep; write it flatter")
        if id(node) not in sizes:
            inner = above | {id(node)}
            sizes[id(node)] = 1 + sum(size(child, inner) for child in children(node))
        return sizes[id(node)]

    if size(tree, frozenset()) > len(sizes) + _REPEATED:
        raise GeppettoError(
            f"{place}: its aliases repeat more than {_REPEATED:,} values; write out what is meant"
        )


def children(node: yaml.Node) -> Iterator[yaml.Node]:
    """The keys and values of a mapping, or the parts of a list."""
    if isinstance(node, yaml.MappingNode):
        for pair in node.value:
            yield from pair
    elif isinstance(node, yaml.SequenceNode):
        yield from node.value
