"""What the pydantic models of geppetto share."""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Hashable, Iterable
from typing import Any, TypeGuard

from pydantic import BaseModel, ConfigDict


class Declared(BaseModel):
    """What a user declares: it never changes, and a key that nobody knows is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def refuse_repeated(values: Iterable[Hashable], place: str = "") -> None:
    """Raise a ValueError for a value that is listed twice; `place` says before it where."""
    for value, count in Counter(values).items():
        if count > 1:
            raise ValueError(f"{place}{value!r} is listed twice; keep one of them")


def is_model(part: Any) -> TypeGuard[type[BaseModel]]:
    """Whether a part of an annotation is a model with fields of its own."""
    return inspect.isclass(part) and issubclass(part, BaseModel)
