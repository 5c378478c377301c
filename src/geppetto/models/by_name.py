"""The models that are asked by requests, as users name them: who they are, and opening them."""

from __future__ import annotations

from collections.abc import Sequence

from geppetto._util.errors import GeppettoError, unknown
from geppetto.models.base import Kind, Precision
from geppetto.models.endpoint.client import Endpoint
from geppetto.models.endpoint.probe import PATIENCE
from geppetto.models.local.gguf import PACKAGED, sha256
from geppetto.models.requests import TextModel, TextModelIdentity
from geppetto.models.spec import ModelSpec, model_file, open_model, open_text_model


def named(name: str, models: Sequence[ModelSpec]) -> ModelSpec:
    """The model of that name among those of an experiment, or else as an experiment names it."""
    listed = {spec.name: spec for spec in models}
    return listed.get(name) or ModelSpec.model_validate(name)


def identity_of(spec: ModelSpec) -> TextModelIdentity:
    """Who a model is, without how it is computed; no weights are read but for their hash.

    Raises
    ------
    GeppettoError
        As `text_model_of`.
    """
    if spec.model is not None:
        return open_text_model(spec).identity
    return TextModelIdentity(
        name=spec.name, model=sha256(model_file(spec)), kind=spec.kind or "chat"
    )


def text_model_of(spec: ModelSpec, precision: Precision = "exact") -> TextModel:
    """A model to be asked by requests; nothing is asked, and no weights are read yet.

    Raises
    ------
    GeppettoError
        If there is no such model or file, or LiteLLM does not know its provider.
    """
    if spec.model is not None:
        return open_text_model(spec)
    from geppetto.models.local.local_text_model import LocalTextModel

    return LocalTextModel(open_model(spec, precision))


def named_text_model(name: str, api_base: str = "", kind: Kind | None = None) -> TextModel:
    """A model to be probed, which no experiment has to name.

    Parameters
    ----------
    name
        Name of a package's model, path of a GGUF file, or a LiteLLM name with its provider.
    api_base
        Where a model behind an interface is reached, if not at its provider's.
    kind
        Whether it is sent turns or plain text, if not what its file says, or turns.

    Raises
    ------
    GeppettoError
        If there is no such model, or a model of this machine is given an address.
    """
    spec = ModelSpec.model_validate(name)
    if spec.model is None and api_base:
        raise GeppettoError(f"{name} is a model of this machine; leave out --api-base {api_base}")
    if spec.model is None and spec.path is None and name not in PACKAGED:
        raise unknown("model", name, PACKAGED)
    return _patient(text_model_of(spec.model_copy(update={"api_base": api_base, "kind": kind})))


def declared_text_model(name: str, models: Sequence[ModelSpec], precision: Precision) -> TextModel:
    """One of an experiment's models, as it is declared there, to be probed.

    Raises
    ------
    GeppettoError
        If the experiment has no model of this name, or it cannot be opened.
    """
    specs = {spec.name: spec for spec in models}
    if name not in specs:
        raise unknown("model", name, specs)
    return _patient(text_model_of(specs[name], precision))


def _patient(text_model: TextModel) -> TextModel:
    """The model, which somebody waits for."""
    return text_model.with_patience(PATIENCE) if isinstance(text_model, Endpoint) else text_model
