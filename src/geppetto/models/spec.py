"""Which model an experiment file means, and opening it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from geppetto._util.errors import GeppettoError, unknown
from geppetto.models.base import Model, Scorer
from geppetto.models.endpoint.concurrency import CONNECTIONS, MOST_AT_ONCE
from geppetto.models.identity import Kind, Precision
from geppetto.models.lineage import Lineage

_LATER = frozenset({"date", "thinking_tokens"})
"""Fields that came after hashes of plans were pinned."""


class ModelSpec(BaseModel):
    """A local model by the name of its package or its GGUF file, or any that LiteLLM knows.

    Attributes
    ----------
    name
        What it is called in tables; the name of its package, or LiteLLM's name of it, which has a
        provider before a slash, if neither `path` nor `model` says more.
    path
        A GGUF file.
    model
        LiteLLM's name of a model behind an interface: `openai/gpt-4o`, `hosted_vllm/...`.
    api_base
        Where its interface is, if not where its provider's are.
    parameters
        What is sent with every request to it; and its prices and its limits a minute, `rpm` and
        `tpm`, as LiteLLM calls them. Keys are never among them: they come from the environment,
        or a file `.env` in the workspace.
    timeout
        Seconds after which a request to it has failed.
    most_at_once
        How many requests are sent to it at once, at most: no more than LiteLLM has connections.
    thinking_tokens
        The most tokens that it may think with, of a model that thinks before it answers: each
        request lets it say so many more than its answer needs.
    kind
        Whether it reads plain text or its chat template, if not as its file says; models behind an
        interface chat unless they are declared `base`.
    date
        What the chat template of a model on this machine takes for today, if it writes a date.
    lineage
        Where it comes from, and from which of the other models it was post-trained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    path: Path | None = None
    model: str | None = None
    api_base: str | None = None
    parameters: dict[str, Any] = {}
    timeout: float = Field(120.0, gt=0)
    most_at_once: int = Field(MOST_AT_ONCE, ge=1, le=CONNECTIONS)
    thinking_tokens: int = Field(0, ge=0, le=1_000_000)
    kind: Kind | None = None
    date: datetime.date | None = None
    lineage: Lineage | None = None

    @model_validator(mode="before")
    @classmethod
    def _from_yaml(cls, value: Any) -> Any:
        if isinstance(value, str):
            value = {"path": value} if value.endswith(".gguf") else {"name": value}
        if isinstance(value, dict) and "name" not in value:
            path, model = value.get("path"), value.get("model")
            if isinstance(path, str | Path):
                value = {**value, "name": Path(path).stem}
            elif isinstance(model, str):
                value = {**value, "name": model}
            else:
                raise ValueError("give the model a name, or the path of a GGUF file")
        if isinstance(value, dict) and "path" not in value and "/" in str(value["name"]):
            value = {"model": value["name"], **value}
        return value

    @model_serializer(mode="wrap")
    def _without_later_fields(self, serialised: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """The fields; those of later versions only where they are set, so that hashes stay."""
        fields: dict[str, Any] = serialised(self)
        return {
            key: value
            for key, value in fields.items()
            if key not in _LATER or value != type(self).model_fields[key].default
        }

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if self.path is not None and self.model is not None:
            raise ValueError("give the path of a file or the `model` of an interface, not both")
        if self.model is None:
            for key in ("api_base", "parameters", "timeout", "most_at_once", "thinking_tokens"):
                if key in self.model_fields_set:
                    raise ValueError(
                        f"{key}: it is of models behind an interface; give their name at LiteLLM "
                        "as `model`, with its provider before a slash, or remove it"
                    )
        elif self.date is not None:
            raise ValueError(
                "date: it is of models on this machine; a server has its own; remove it"
            )
        elif "/" not in self.model:
            raise ValueError(
                f"model: write {self.model!r} with its provider before a slash, as in "
                f"openai/{self.model}"
            )
        return self


def model_file(spec: ModelSpec) -> Path:
    """The GGUF file of a local model.

    Raises
    ------
    GeppettoError
        If there is no such model or file.
    """
    from geppetto.models.local.gguf import PACKAGED

    if spec.path is None and spec.name not in PACKAGED:
        others = ["a path to a .gguf file", "a name at LiteLLM, as openai/gpt-4o"]
        raise unknown("model", spec.name, [*PACKAGED, *others])
    path = spec.path or PACKAGED[spec.name]()
    if not path.is_file():
        raise GeppettoError(f"model file {path} does not exist")
    return path


def open_model(spec: ModelSpec, precision: Precision = "exact") -> Model:
    """A model; nothing is asked, and of one on this machine only the vocabulary is read.

    Raises
    ------
    GeppettoError
        If there is no such model or file, the file cannot be read, LiteLLM is not installed or
        does not know the provider.
    """
    if spec.model is None:
        from geppetto.models.local.llama_cpp import LlamaCppModel

        return LlamaCppModel(spec.name, model_file(spec), spec.kind, precision, date=spec.date)
    from geppetto.models.endpoint.client import Endpoint

    return Endpoint(
        name=spec.name,
        model=spec.model,
        api_base=spec.api_base or "",
        kind=spec.kind or "chat",
        parameters=spec.parameters,
        timeout=spec.timeout,
        most_at_once=spec.most_at_once,
        thinking_tokens=spec.thinking_tokens,
    )


def open_scorer(spec: ModelSpec, precision: Precision = "exact") -> Scorer:
    """A model whose tokens are known.

    Raises
    ------
    GeppettoError
        As `open_model`; or if it is behind an interface.
    """
    scorer = open_model(spec, precision).scorer
    if scorer is None:
        raise GeppettoError(
            f"{spec.name} is behind an interface, so that its tokens are not known; name a model "
            "of this machine"
        )
    return scorer
