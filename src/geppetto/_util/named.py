"""Names with parameters, as experiment files write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator

from geppetto._util.errors import GeppettoError, unknown
from geppetto._util.validation import Declared

Kind = TypeVar("Kind", bound=BaseModel)


class Named(Declared):
    """A name, or a name with parameters: `interview`, or `known_answers: {k: 5}`."""

    name: str
    parameters: dict[str, Any] = Field({})

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, value: Any) -> Any:
        if isinstance(value, str):
            return {"name": value}
        if isinstance(value, dict) and len(value) == 1:
            ((name, parameters),) = value.items()
            if isinstance(name, str) and isinstance(parameters, dict):
                return {"name": name, "parameters": parameters}
        raise ValueError(f"write a name, or one name with parameters in braces, not {value!r}")

    @property
    def in_yaml(self) -> str:
        """The same as an experiment file writes it, on one line."""
        dumped = yaml.safe_dump({self.name: self.parameters}, default_flow_style=True, width=10_000)
        return dumped.strip()[1:-1]

    @property
    def label(self) -> str:
        """The name with its parameters, as in tables."""
        texts = ", ".join(f"{key}={value}" for key, value in self.parameters.items())
        return f"{self.name}({texts})" if texts else self.name

    def one_of(self, known: Mapping[str, type[Kind]], what: str) -> Kind:
        """The one that this names among those `known`, with its parameters.

        A GeppettoError, which calls these `what`, is raised if there is none of this name, or its
        parameters are wrong.
        """
        if self.name not in known:
            raise unknown(what, self.name, known)
        chosen = known[self.name]
        for parameter in self.parameters:
            if parameter not in chosen.model_fields:
                raise unknown("parameter", parameter, chosen.model_fields, f"{what} {self.name!r}")
        try:
            return chosen.model_validate(self.parameters)
        except ValidationError as error:
            first = error.errors()[0]
            message = first["msg"].removeprefix("Value error, ")
            where = "".join(f"{part}: " for part in first["loc"])
            raise GeppettoError(f"{what} {self.name!r}: {where}{message}") from error
