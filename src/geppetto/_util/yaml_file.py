"""Reading YAML into a pydantic model, with errors that name the file and the line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from geppetto._util import yaml_text
from geppetto._util.characters import halves, mended
from geppetto._util.errors import GeppettoError, unknown
from geppetto._util.files import is_file
from geppetto._util.validation import is_model

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

Model = TypeVar("Model", bound=BaseModel)


def read_yaml(
    path: Path, schema: type[Model], *, what: str = "experiment file", **defaults: Any
) -> Model:
    """A YAML file as a pydantic model, with defaults for keys that the file does not give.

    A GeppettoError, which calls the file `what`, is raised if it does not exist, is not YAML, gives
    a key twice, or does not fit the schema.
    """
    if [*halves(str(path))]:
        raise GeppettoError(f"{what} {mended(str(path))}: its name is not UTF-8; rename it")
    if not is_file(path):
        raise GeppettoError(f"{what} {path} does not exist")
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise GeppettoError(f"{path} cannot be read as UTF-8 text: {error}") from error
    tree, content = yaml_text.read(text, str(path))
    if not isinstance(tree, yaml.MappingNode):
        raise GeppettoError(f"{path}: this {what} is no list of `key: value` lines")
    _refuse_duplicates(tree, path)
    try:
        return schema.model_validate(defaults | content)
    except ValidationError as error:
        raise _errors(error, path, tree, schema) from error


def _errors(
    error: ValidationError, path: Path, tree: yaml.Node, schema: type[BaseModel]
) -> GeppettoError:
    """All that does not fit, a sentence a line of the file."""
    by_place: dict[tuple[Any, ...], tuple[str, ErrorDetails]] = {}
    # a key that nobody knows explains best why another one is missing
    for each in sorted(error.errors(), key=lambda each: each["type"] != "extra_forbidden"):
        line, place = _line(tree, each["loc"])
        by_place.setdefault(place, (f"line {line}" if each["loc"] else "", each))
    # what is wrong with a list because of what is wrong in it is not said as well
    within = [of for p, of in by_place.items() if not any(_is_in(q, p) for q in by_place)]
    if len(within) == 1:
        ((line_of, each),) = within
        return _error(each, ", ".join(filter(None, (str(path), line_of))), schema)
    sentences = [str(_error(each, line_of, schema)) for line_of, each in within]
    return GeppettoError("\n  ".join([f"{path} has {len(sentences)} errors:", *sentences]))


def _is_in(place: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    return len(place) > len(other) > 0 and place[: len(other)] == other


def _error(error: ErrorDetails, place: str, schema: type[BaseModel]) -> GeppettoError:
    location = error["loc"]
    if error["type"] == "extra_forbidden":
        fields = _schema_at(schema, location[:-1]).model_fields
        known = [field.alias or key for key, field in fields.items()]
        return unknown("key", str(location[-1]), known, place)
    name = ".".join(str(part) for part in location)
    reason = str(error["msg"]).removeprefix("Value error, ")
    return GeppettoError(": ".join(filter(None, (place, name, reason))))


def _schema_at(schema: type[BaseModel], location: Sequence[Any]) -> type[BaseModel]:
    """The model that describes a place in a document, itself described by `schema`."""
    for part in location:
        if isinstance(part, str) and part in schema.model_fields:
            annotation = schema.model_fields[part].annotation
            models = [t for t in (annotation, *get_args(annotation)) if is_model(t)]
            schema = models[0] if models else schema
    return schema


def _refuse_duplicates(tree: yaml.Node, path: Path) -> None:
    """Refuse a key that stands twice in the same place, wherever aliases repeat that."""
    left, met = [tree], {id(tree)}
    while left:
        node = left.pop()
        keys = [key for key, _ in node.value] if isinstance(node, yaml.MappingNode) else []
        seen: set[str] = set()
        for key in keys:
            if not isinstance(key, yaml.ScalarNode):
                continue
            if key.value in seen:
                raise GeppettoError(
                    f"{path}, line {key.start_mark.line + 1}: {key.value!r} is given twice; "
                    "keep one of them"
                )
            seen.add(key.value)
        new = [child for child in yaml_text.children(node) if id(child) not in met]
        met |= set(map(id, new))
        left += reversed(new)


def _line(node: yaml.Node, place: Sequence[Any]) -> tuple[int, tuple[Any, ...]]:
    """Line of the deepest node on the way to a place in the document, from 1, and its place."""
    line = node.start_mark.line + 1
    for depth, part in enumerate(place):
        inner = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, inner = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and part in range(len(node.value)):
            inner = node.value[part]
            line = inner.start_mark.line + 1
        if inner is None:
            return line, tuple(place[:depth])
        node = inner
    return line, tuple(place)
