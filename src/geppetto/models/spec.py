"""Which model an experiment file means, and opening it."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)

from geppetto._util.errors import GeppettoError, unknown
from geppetto._util.files import is_file, sha256
from geppetto.models.base import Model, Scorer
from geppetto.models.endpoint.concurrency import CONNECTIONS, MOST_AT_ONCE
from geppetto.models.identity import Kind, Precision
from geppetto.models.lineage import Lineage

if TYPE_CHECKING:
    from geppetto.models.local.transformers.checkpoint import Checkpoint

HUB = "hf:"
"""What stands before the name of a model of the Hugging Face hub."""

_LATER = frozenset({"date", "engine", "revision", "thinking_tokens"})
"""Fields that came after hashes of plans were pinned."""


_PATHS = (HUB, "/", "./", "../", "~/")
"""What paths begin with, and no name of LiteLLM's."""

Engine = Literal["llama.cpp", "transformers"]


class ModelSpec(BaseModel):
    """A local model by the name of its package or where its files are, or any of LiteLLM's.

    Attributes
    ----------
    name
        What it is called in tables; the name of its package, or LiteLLM's name of it, which has a
        provider before a slash, if neither `path` nor `model` says more.
    path
        A GGUF file; a folder with a `config.json`; or, after `hf:`, a name in the local cache of
        the Hugging Face hub.
    engine
        What computes it, if not what its files are for: "llama.cpp" a GGUF file, "transformers" a
        folder.
    revision
        Branch, tag or commit of a name of the hub, if not the main branch as it was downloaded.
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
    engine: Engine | None = None
    revision: str | None = None
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
            is_path = value.endswith(".gguf") or value.startswith(_PATHS)
            value = {"path": value} if is_path else {"name": value}
        if isinstance(value, dict) and "name" not in value:
            path, model = value.get("path"), value.get("model")
            if isinstance(path, str | Path):
                value = {**value, "name": _name_of(str(path))}
            elif isinstance(model, str):
                value = {**value, "name": model}
            else:
                raise ValueError("give the model a name, or the path of its file or folder")
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
        for key in ("engine", "revision"):
            if getattr(self, key) is not None and self.path is None:
                raise ValueError(f"{key}: it is of models that have a `path`; remove it")
        if self.revision is not None and not str(self.path).startswith(HUB):
            raise ValueError(f"revision: it is of names of the hub, as in path: {HUB}OWNER/NAME")
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


def engine_of(spec: ModelSpec) -> Engine:
    """What computes a local model: what is declared, else what its files are for.

    Raises
    ------
    GeppettoError
        If what is declared does not read such files.
    """
    path = spec.path
    is_folder = path is not None and (str(path).startswith(HUB) or _home(path).is_dir())
    engine: Engine = "transformers" if is_folder else "llama.cpp"
    if spec.engine not in (None, engine):
        reads = "a GGUF file" if is_folder else "a folder with config.json, or a name of the hub"
        raise GeppettoError(
            f"model {spec.name}: {spec.engine} reads {reads}, which {path} is not; remove "
            f"`engine: {spec.engine}`, or give another path"
        )
    return engine


def model_file(spec: ModelSpec) -> Path:
    """The GGUF file of a local model.

    Raises
    ------
    GeppettoError
        If there is no such model or file.
    """
    from geppetto.models.local.gguf import PACKAGED

    if spec.path is None and spec.name not in PACKAGED:
        others = ["a path to a .gguf file or a folder", "hf:OWNER/NAME", "a name at LiteLLM"]
        raise unknown("model", spec.name, [*PACKAGED, *others])
    path = _home(spec.path) if spec.path else PACKAGED[spec.name]()
    if not is_file(path):
        raise GeppettoError(f"model file {path} does not exist")
    return path


def content_sha256(spec: ModelSpec) -> str:
    """Content hash of a local model's files.

    Raises
    ------
    GeppettoError
        As `open_model`.
    """
    if engine_of(spec) == "llama.cpp":
        return sha256(model_file(spec))
    return _checkpoint(spec).sha256


def open_model(spec: ModelSpec, precision: Precision = "exact") -> Model:
    """A model; nothing is asked, and of one on this machine only the vocabulary is read.

    Raises
    ------
    GeppettoError
        If there is no such model or file, the file cannot be read, LiteLLM is not installed or
        does not know the provider.
    """
    if spec.model is None:
        return _open_local(spec, precision)
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


def _open_local(spec: ModelSpec, precision: Precision) -> Model:
    if engine_of(spec) == "llama.cpp":
        from geppetto.models.local.llama_cpp import LlamaCppModel

        return LlamaCppModel(spec.name, model_file(spec), spec.kind, precision, date=spec.date)
    from geppetto.models.local.transformers.model import TransformersModel

    return TransformersModel(spec.name, _checkpoint(spec), spec.kind, precision, date=spec.date)


def _checkpoint(spec: ModelSpec) -> Checkpoint:
    from geppetto.models.local.transformers.checkpoint import Checkpoint

    return Checkpoint.at(_home(spec.path or Path(spec.name)), spec.revision)


def _home(path: Path) -> Path:
    """A path in which ~ is the user's folder."""
    return path.expanduser() if str(path).startswith("~") else path


def _name_of(path: str) -> str:
    """What a model is called whose path is given: its file without the ending, or its folder."""
    if path.startswith(HUB):
        return path.rpartition("/")[2].removeprefix(HUB)
    return Path(path).name if _home(Path(path)).is_dir() else Path(path).stem
