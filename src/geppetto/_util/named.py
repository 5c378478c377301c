"""Names with parameters, as experiment files write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from geppetto._util.errors import GeppettoError, unknown

Kind = TypeVar("Kind", bound=BaseModel)


class Named(BaseModel):
    """A name, or a name with parameters: `interview`, or `known_answers: {k: 5}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    parameters: dict[str, Any] = {}

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
        """The one that this names, with its parameters.

        Parameters
        ----------
        known
            What there is, by name.
        what
            What these are, as a user calls them.

        Raises
        ------
        GeppettoError
            If there is none of this name, or its parameters are wrong.
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
