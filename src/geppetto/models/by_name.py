"""Models as users name them: who they are, and opening them."""

from __future__ import annotations

from collections.abc import Sequence

from geppetto._util.errors import GeppettoError, unknown
from geppetto.models.base import Model
from geppetto.models.identity import Kind, ModelIdentity, Precision
from geppetto.models.local.gguf import PACKAGED
from geppetto.models.spec import ModelSpec, content_sha256, open_model


def named(name: str, models: Sequence[ModelSpec]) -> ModelSpec:
    """The model of that name among those of an experiment, or else as an experiment names it."""
    listed = {spec.name: spec for spec in models}
    return listed.get(name) or ModelSpec.model_validate(name)


def identity_of(spec: ModelSpec) -> ModelIdentity:
    """Who a model is, without how it is computed; no weights are read but for their hash.

    Raises
    ------
    GeppettoError
        As `open_model`.
    """
    if spec.model is not None:
        return open_model(spec).identity
    return ModelIdentity(
        name=spec.name,
        sha256=content_sha256(spec),
        kind=spec.kind or "chat",
        date=str(spec.date or ""),
    )


def named_model(name: str, api_base: str = "", kind: Kind | None = None) -> Model:
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
    return open_model(spec.model_copy(update={"api_base": api_base, "kind": kind}))


def declared_model(name: str, models: Sequence[ModelSpec], precision: Precision) -> Model:
    """One of an experiment's models, as it is declared there, to be probed.

    Raises
    ------
    GeppettoError
        If the experiment has no model of this name, or it cannot be opened.
    """
    specs = {spec.name: spec for spec in models}
    if name not in specs:
        raise unknown("model", name, specs)
    return open_model(specs[name], precision)
