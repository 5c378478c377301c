"""Building a search space from the types of a model's fields and from what the user narrowed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MultipleOf
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from geppetto._util.errors import GeppettoError, unknown
from geppetto._util.named import Named
from geppetto.personas.library import strategy_class
from geppetto.prompts.survey import Layout
from geppetto.search.space import (
    Branches,
    Choice,
    Fixed,
    Integer,
    Node,
    Real,
    Record,
    Space,
    Subset,
)
from geppetto.studies import Study


def space(
    candidates: Sequence[Named], layout: Sequence[str], study: Study, workspace: Path
) -> Space:
    """The space of some strategies' parameters, and of some fields of the layout.

    Raises
    ------
    GeppettoError
        If a strategy, parameter or trait does not exist, or cannot have what it was given.
    """
    fields = []
    for name in layout:
        node = of_field(Layout, name, f"search: layout {name}")
        if node is None:
            raise GeppettoError(f"search: layout: {name} can be anything, so it is not searched")
        fields.append((name, node))
    return Space(
        {each.name: _strategy(each, study, workspace) for each in candidates},
        Record(tuple(fields)),
    )


def _strategy(candidate: Named, study: Study, workspace: Path) -> Record:
    place = f"search: strategy {candidate.name!r}"
    schema = strategy_class(candidate.name, workspace)
    found = dict(of_model(schema, candidate.parameters, place).fields)
    wordings = getattr(schema, "paraphrases", ())
    if "paraphrase" in schema.model_fields and "paraphrase" not in candidate.parameters:
        found.pop("paraphrase", None)
        if len(wordings) > 1:
            found["paraphrase"] = Choice(tuple(range(len(wordings))))
    for trait in _names(found.get("traits")):
        study.trait(trait)
    return Record(tuple(found.items()))


def of_model(schema: type[BaseModel], stated: Mapping[str, Any], place: str) -> Record:
    """What the fields of a model could be; those that keep their default are absent.

    Parameters
    ----------
    stated
        Values and ranges of some fields.
    place
        What errors call the model.

    Raises
    ------
    GeppettoError
        If a field is unknown, cannot have what it was given, or has no value at all.
    """
    for name in stated:
        if name not in schema.model_fields:
            raise unknown("parameter", name, schema.model_fields, place)
    fields = []
    for name, field in schema.model_fields.items():
        where = f"{place}: {name}"
        node = (
            _narrowed(field, stated[name], where, schema.model_config.get("strict", False))
            if name in stated
            else of_field(schema, name, where)
        )
        if node is not None:
            fields.append((name, node))
    return Record(tuple(fields))


def of_field(schema: type[BaseModel], name: str, place: str) -> Node | None:
    """What a field could be by its type alone; None if it keeps its default.

    Raises
    ------
    GeppettoError
        If the field has no default and its type leaves open what it could be.
    """
    field = schema.model_fields[name]
    node = _of_type(field.annotation, field.metadata, place)
    if node is None and field.is_required():
        raise GeppettoError(f"{place}: has no default and no bounds to search in; give it a value")
    return node


def _of_type(annotation: Any, metadata: Sequence[Any], place: str) -> Node | None:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        info = [
            m for each in more for m in (each.metadata if isinstance(each, FieldInfo) else [each])
        ]
        return _of_type(inner, [*metadata, *info], place)
    if origin in (Union, UnionType):
        return _of_union(annotation, metadata, place)
    if annotation is bool:
        return Choice((False, True))
    if origin is Literal:
        return _one_of(get_args(annotation))
    if annotation in (int, float):
        return _of_bounds(annotation, metadata)
    if _is_model(annotation):
        return of_model(annotation, {}, place)
    return None


def _of_union(annotation: Any, metadata: Sequence[Any], place: str) -> Node | None:
    """A choice among values, or among models; None if it is neither."""
    members = get_args(annotation)
    models = [member for member in members if _is_model(member)]
    others = [member for member in members if member not in models]
    values = [_of_type(member, (), place) for member in others if member is not NoneType]
    if not (models or values):
        return None
    plain: list[Any] = [None] if NoneType in members else []
    for node in values:
        if isinstance(node, Choice):
            plain += node.values
        elif isinstance(node, Fixed):
            plain.append(node.value)
        else:
            return None
    if not models:
        return _one_of(plain)
    nodes: list[tuple[str, Node]] = [("none" if v is None else str(v), Fixed(v)) for v in plain]
    for model in models:
        record = of_model(model, {}, f"{place}: {model.__name__}")
        nodes.append((model.__name__, record))
        if len(models) > 1:
            read = TypeAdapter(annotation).validate_python(_first(record))
            if type(read) is not model:
                raise GeppettoError(
                    f"{place}: values of {model.__name__} are read as {type(read).__name__}; give "
                    "each of them a field that only it has, such as a Literal with its name"
                )
    return Branches(tuple(nodes))


def _of_bounds(number: type[int] | type[float], metadata: Sequence[Any]) -> Node | None:
    """All numbers within a type's bounds; None if one is missing."""
    low: list[Any] = [each.ge for each in metadata if isinstance(each, Ge)]
    high: list[Any] = [each.le for each in metadata if isinstance(each, Le)]
    above: list[Any] = [each.gt for each in metadata if isinstance(each, Gt)]
    below: list[Any] = [each.lt for each in metadata if isinstance(each, Lt)]
    if number is int:
        low += [math.floor(end) + 1 for end in above]
        high += [math.ceil(end) - 1 for end in below]
    else:
        low += [math.nextafter(end, math.inf) for end in above]
        high += [math.nextafter(end, -math.inf) for end in below]
    if not low or not high:
        return None
    return _range(number, max(low), min(high), _step(metadata), log=False)


def _step(metadata: Sequence[Any]) -> Any:
    return next((m.multiple_of for m in metadata if isinstance(m, MultipleOf)), None)


def _range(
    number: type[int] | type[float], low: Any, high: Any, step: Any, log: bool
) -> Node | None:
    """The numbers of a range; None if there are none."""
    if step is None and number is float:
        return Real(float(low), float(high), log) if low < high else _one_of([float(low)])
    step = step or 1
    first, last = math.ceil(low / step), math.floor(high / step)
    if number is int and not log:
        if first > last:
            return None
        return Integer(first * step, last * step, step) if first < last else _one_of([first * step])
    if number is int:
        return Integer(int(low), int(high), log=True)
    return _one_of([n * step for n in range(first, last + 1)]) if first <= last else None


def _one_of(values: Sequence[Any]) -> Node:
    return Fixed(values[0]) if len(values) == 1 else Choice(tuple(values))


def _narrowed(field: FieldInfo, stated: Any, place: str, strict: bool) -> Node:
    """What a field could be after the user has narrowed it."""
    annotation: Any = field.annotation
    keys = stated.keys() if isinstance(stated, dict) else set()
    if {"low", "high"} <= keys <= {"low", "high", "log"}:
        return _stated_range(field, stated, place, strict)
    if keys == {"choices"} and isinstance(stated["choices"], list) and stated["choices"]:
        values = [_valid(field, value, place, strict) for value in stated["choices"]]
        if any(value in values[:n] for n, value in enumerate(values)):
            raise GeppettoError(f"{place}: a choice is listed twice; keep one of them")
        return _one_of(values)
    if keys == {"subset"} and isinstance(stated["subset"], list) and stated["subset"]:
        names = _valid(field, stated["subset"], place, strict)
        if len(set(names)) < len(names):
            raise GeppettoError(f"{place}: a name is listed twice; keep one of them")
        return Subset(tuple(names))
    if keys & {"low", "high", "log", "choices", "subset"}:
        raise GeppettoError(
            f"{place}: {stated!r} is no range; write {{low: 1, high: 9}}, {{choices: [...]}} or, "
            "of traits, {subset: [...]}"
        )
    models = [each for each in (annotation, *get_args(annotation)) if _is_model(each)]
    if isinstance(stated, dict) and len(models) == 1:
        return of_model(models[0], stated, place)
    return Fixed(_valid(field, stated, place, strict))


def _stated_range(field: FieldInfo, stated: Mapping[str, Any], place: str, strict: bool) -> Node:
    numbers = [each for each in (int, float) if field.annotation in (each, each | None)]
    log = stated.get("log", False)
    if not numbers:
        raise GeppettoError(f"{place}: is no number, so it has no `low` and `high`")
    low, high = (_valid(field, stated[end], f"{place}: {end}", strict) for end in ("low", "high"))
    if not isinstance(low, int | float) or not isinstance(high, int | float) or not low < high:
        raise GeppettoError(f"{place}: `low` must be a number below `high`, not {low} and {high}")
    if not isinstance(log, bool):
        raise GeppettoError(f"{place}: `log` is true or false, not {log!r}")
    step = _step(field.metadata)
    if log and (step is not None or low <= 0):
        raise GeppettoError(f"{place}: a range with `log: true` begins above 0 and has no steps")
    node = _range(numbers[0], low, high, step, log)
    assert node is not None
    return node


def _valid(field: FieldInfo, value: Any, place: str, strict: bool) -> Any:
    """A value as it is written in a file, or an error if the field cannot have it."""
    lenient = any(getattr(each, "strict", None) is False for each in field.metadata)
    bounds = [each for each in field.metadata if not hasattr(each, "strict")]
    annotation: Any = Annotated[(field.annotation, *bounds)] if bounds else field.annotation
    try:
        TypeAdapter(annotation).validate_python(value, strict=strict and not lenient)
    except ValidationError as error:
        raise GeppettoError(f"{place} is {value!r}; {error.errors()[0]['msg'].lower()}") from error
    return value


def _names(traits: Node | None) -> Sequence[str]:
    """Names of all traits that a strategy could show, as far as the user names them."""
    match traits:
        case Subset():
            return traits.names
        case Fixed():
            return traits.value or ()
        case Choice():
            return [name for names in traits.values for name in names or ()]
        case _:
            return ()


def _first(node: Node) -> Any:
    """One value of a node."""
    match node:
        case Fixed():
            return node.value
        case Choice():
            return node.values[0]
        case Integer() | Real():
            return node.low
        case Subset():
            return []
        case Record():
            return {name: _first(inner) for name, inner in node.fields}
        case Branches():
            return _first(node.nodes[0][1])


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
