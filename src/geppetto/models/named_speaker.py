"""A model to be probed, by the name that a user gives it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from geppetto.errors import GeppettoError, unknown
from geppetto.models.base import Kind, Precision
from geppetto.models.endpoint import Endpoint
from geppetto.models.gguf import PACKAGED
from geppetto.models.probe import PATIENCE
from geppetto.models.speaker import Speaker
from geppetto.models.spec import ModelSpec, open_model, open_speaker


def named_speaker(name: str, api_base: str = "", kind: Kind | None = None) -> Speaker:
    """The model of a package or of a GGUF file, or one behind an interface, to be probed.

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
    if name not in PACKAGED and not name.endswith(".gguf"):
        if "/" not in name:
            raise unknown("model", name, PACKAGED)
        return Endpoint(name, name, api_base=api_base, kind=kind or "chat", patience=PATIENCE)
    if api_base:
        raise GeppettoError(f"{name} is a model of this machine; leave out --api-base {api_base}")
    path = PACKAGED[name]() if name in PACKAGED else Path(name)
    if not path.is_file():
        raise GeppettoError(f"there is no file {name}; give the path of a GGUF file")
    from geppetto.models.llama_cpp import LlamaCppModel
    from geppetto.models.local_speaker import LocalSpeaker

    return LocalSpeaker(LlamaCppModel(name if name in PACKAGED else path.stem, path, kind))


def declared_speaker(
    name: str, models: Sequence[ModelSpec], precision: Precision, workspace: Path
) -> Speaker:
    """One of an experiment's models, as it is declared there, to be probed.

    Raises
    ------
    GeppettoError
        If the experiment has no model of this name, or it cannot be opened.
    """
    specs = {spec.name: spec for spec in models}
    if name not in specs:
        raise unknown("model", name, specs)
    if specs[name].model is not None:
        return open_speaker(specs[name], workspace).with_patience(PATIENCE)
    from geppetto.models.local_speaker import LocalSpeaker

    return LocalSpeaker(open_model(specs[name], precision))
