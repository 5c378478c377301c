"""How writers are asked for one thing: in plain words, and their whole reply is what they wrote."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import cleandoc
from typing import Any, Literal, get_args, get_origin

import dspy
from dspy.adapters.utils import format_field_value, parse_value
from dspy.utils.exceptions import AdapterParseError

from geppetto.personas.chosen import chosen


class WholeCompletion(dspy.ChatAdapter):  # type: ignore[misc]  # DSPy is not typed
    """Asks for a signature's one output without markers, which small models get wrong.

    Several outputs are asked for and read in DSPy's own form.
    """

    def __init__(self) -> None:
        super().__init__(use_json_adapter_fallback=False)

    def format_system_message(self, signature: type[dspy.Signature]) -> str:
        if _output(signature) is None:
            return str(super().format_system_message(signature))
        return cleandoc(signature.instructions)

    def format_user_message_content(
        self,
        signature: type[dspy.Signature],
        inputs: Mapping[str, Any],
        prefix: str = "",
        suffix: str = "",
        main_request: bool = False,
    ) -> str:
        output = _output(signature)
        if output is None:
            return str(
                super().format_user_message_content(signature, inputs, prefix, suffix, main_request)
            )
        told = [
            f"{_title(name, field)}:\n{_shown(field, inputs[name])}"
            for name, field in signature.input_fields.items()
            if name in inputs
        ]
        wanted = f"Reply with the {output.replace('_', ' ')} alone"
        if choices := _choices(signature, output):
            wanted += f", which is one of: {', '.join(choices)}"
        return "\n\n".join(filter(None, [prefix, *told, f"{wanted}.", suffix]))

    def format_assistant_message_content(
        self,
        signature: type[dspy.Signature],
        outputs: Mapping[str, Any],
        missing_field_message: str | None = None,
    ) -> str:
        output = _output(signature)
        if output is None:
            written = super().format_assistant_message_content(
                signature, outputs, missing_field_message
            )
        else:
            written = outputs.get(output, missing_field_message)
        return str(written)

    def parse(self, signature: type[dspy.Signature], completion: str) -> dict[str, Any]:
        output = _output(signature)
        if output is None:
            parsed: dict[str, Any] = super().parse(signature, completion)
            return parsed
        text = completion.strip()
        if choices := _choices(signature, output):
            text = chosen(text, choices) or ""
        try:
            value = parse_value(text, signature.output_fields[output].annotation) if text else None
        except ValueError:
            value = None
        if value is None:
            raise AdapterParseError("WholeReply", signature, completion)
        return {output: value}


def _output(signature: type[dspy.Signature]) -> str | None:
    """Name of the output, if there is only one."""
    names = list(signature.output_fields)
    return names[0] if len(names) == 1 else None


def _choices(signature: type[dspy.Signature], output: str) -> tuple[str, ...]:
    kind = signature.output_fields[output].annotation
    return get_args(kind) if get_origin(kind) is Literal else ()


def _title(name: str, field: Any) -> str:
    said, about = name.replace("_", " ").capitalize(), field.json_schema_extra["desc"]
    return said if about == f"${{{name}}}" else f"{said} ({about})"


def _shown(field: Any, value: Any) -> str:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return "\n".join(f"- {each}" for each in value)
    return str(format_field_value(field, value))
