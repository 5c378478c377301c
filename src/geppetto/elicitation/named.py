"""An elicitation from its name and parameters, as experiment files write them."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ValidationError

from geppetto.elicitation.elicitation import Elicitation
from geppetto.errors import GeppettoError, unknown
from geppetto.named import Named


def named_elicitation(spec: Named, known: Mapping[str, type[Elicitation]]) -> Elicitation:
    """One of some elicitations.

    Raises
    ------
    GeppettoError
        If there is none of this name, or its parameters are wrong.
    """
    if spec.name not in known:
        raise unknown("elicitation", spec.name, known)
    chosen = known[spec.name]
    for parameter in spec.parameters:
        if parameter not in chosen.model_fields:
            raise unknown("parameter", parameter, chosen.model_fields, f"elicitation {spec.name!r}")
    try:
        return chosen.model_validate(spec.parameters)
    except ValidationError as error:
        first = error.errors()[0]
        message = first["msg"].removeprefix("Value error, ")
        where = "".join(f"{part}: " for part in first["loc"])
        raise GeppettoError(f"elicitation {spec.name!r}: {where}{message}") from error
