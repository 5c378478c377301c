"""Reading YAML into a pydantic model, with errors that name the file and the line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ValidationError

from geppetto._util import yaml_text
from geppetto._util.characters import halves, mended
from geppetto._util.errors import GeppettoError, unknown
from geppetto._util.files import is_file
from geppetto._util.validation import is_model

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
        # a key that nobody knows explains best why another one is missing
        first = min(error.errors(), key=lambda each: each["type"] != "extra_forbidden")
        location = first["loc"]
        place = f"{path}, line {_line(tree, location)}" if location else str(path)
        if first["type"] == "extra_forbidden":
            fields = _schema_at(schema, location[:-1]).model_fields
            known = [field.alias or key for key, field in fields.items()]
            raise unknown("key", str(location[-1]), known, place) from error
        name = ".".join(str(part) for part in location)
        reason = str(first["msg"]).removeprefix("Value error, ")
        raise GeppettoError(": ".join(filter(None, (place, name, reason)))) from error


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


def _line(node: yaml.Node, place: Sequence[Any]) -> int:
    """Line of the deepest node on the way to a place in the document, from 1."""
    line = node.start_mark.line + 1
    for part in place:
        inner = None
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == str(part):
                    line, inner = key.start_mark.line + 1, value
        elif isinstance(node, yaml.SequenceNode) and part in range(len(node.value)):
            inner = node.value[part]
            line = inner.start_mark.line + 1
        if inner is None:
            break
        node = inner
    return line
