"""A compiled program: what a writer is told and shown, and whose answers it was made from."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError

from geppetto._util.errors import GeppettoError

_LARGEST = 64 * 2**20
"""Bytes of a file that is read: instructions and demonstrations are texts."""


class TrainedOn(BaseModel):
    """Whose answers a compiled program was made from: ids of people of a study."""

    model_config = ConfigDict(frozen=True)

    study: str
    people: tuple[str, ...]


class _Metadata(BaseModel):
    trained_on: tuple[TrainedOn, ...] = Field(alias="taught_by")  # as in files of earlier versions


class _InstructedField(BaseModel):
    prefix: str
    description: str


class _Signature(BaseModel):
    instructions: str
    fields: tuple[_InstructedField, ...]


class _Predictor(BaseModel):
    signature: _Signature
    demos: tuple[dict[str, JsonValue], ...] = ()


class CompiledProgram(BaseModel):
    """What is read of a program's file: instructions and demonstrations, by predictor.

    DSPy would also restore the model that is named in it, and send it people's traits; who writes
    is said by the strategy alone.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, _Predictor] = Field(init=False)

    metadata: _Metadata

    @property
    def states(self) -> dict[str, dict[str, Any]]:
        """The state of each predictor, as DSPy loads it."""
        nothing_else: dict[str, Any] = {"lm": None, "traces": [], "train": []}
        found = self.__pydantic_extra__
        return {name: found[name].model_dump(mode="json") | nothing_else for name in found}


def read_program(path: Path) -> str:
    """A program's file as text, which fits the schema.

    Raises
    ------
    GeppettoError
        If it cannot be read, does not say whose answers it was made from, or is none.
    """
    try:
        size = path.stat().st_size
        text = path.read_text("utf-8") if size <= _LARGEST else ""
    except (OSError, ValueError) as error:
        raise GeppettoError(f"program: {path} cannot be read: {error}") from error
    if size > _LARGEST:
        raise GeppettoError(f"program: {path} cannot be read: it has over {_LARGEST >> 20} MiB")
    try:
        CompiledProgram.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = first["loc"]
        if where[:1] == ("metadata",):
            raise GeppettoError(
                f"program: {path} does not say whose answers it was made from, so they could "
                "be predicted from themselves; have `geppetto optimise` make it, or, if it is "
                'made from nobody\'s, write "taught_by": [] into its "metadata"'
            ) from error
        place = "".join(f" {part!r}:" for part in where)
        raise GeppettoError(
            f"program: {path} is no program that `geppetto optimise` or DSPy saved as JSON:"
            f"{place} {first['msg']}"
        ) from error
    return text


def with_training(compiled: str, by: Sequence[TrainedOn]) -> str:
    """The state of a program as JSON, which says whose answers it was made from."""
    state = json.loads(compiled)
    state["metadata"] |= _Metadata(taught_by=tuple(by)).model_dump(mode="json", by_alias=True)
    return json.dumps(state, indent=2, ensure_ascii=False)
