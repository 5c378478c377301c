"""Who a model is: everything about it that can change what it says."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Kind = Literal["base", "chat"]
Precision = Literal["exact", "fast"]


class ModelIdentity(BaseModel):
    """What a model is called, and everything about it that can change its answers.

    Attributes
    ----------
    name
        What it is called in tables.
    kind
        Whether it reads turns ("chat") or plain text ("base").
    sha256
        Content hash of the weights of a model on this machine; empty of one behind an interface.
    model
        Its name as its provider knows it, if it is behind an interface.
    api_base
        Where it is reached, if not where its provider's models are; without credentials.
    parameters
        What is sent with every request, as JSON with sorted keys.
    weights, kv_cache, flash_attention, gelu, engine
        How a model on this machine is computed.
    device
        Where it is computed, by an engine that knows several: "cuda", "mps" or "cpu".
    revision
        Commit of a model of the Hugging Face hub; in no hash, since `sha256` says more.
    date
        What its chat template takes for today, if it writes a date.
    thinking_tokens
        The most tokens that it may think with before it answers; 0 if none are declared.

    Examples
    --------
    >>> ModelIdentity(name="gpt", model="openai/gpt-4o").is_local
    False
    """

    model_config = ConfigDict(frozen=True)

    name: str
    kind: Kind = "chat"
    sha256: str = ""
    model: str = ""
    api_base: str = ""
    parameters: str = "{}"
    weights: str = ""
    kv_cache: str = ""
    flash_attention: bool = False
    gelu: str = ""
    engine: str = ""
    device: str = ""
    revision: str = ""
    date: str = ""
    thinking_tokens: int = 0

    @property
    def is_local(self) -> bool:
        """Whether its weights are on this machine."""
        return bool(self.sha256)

    @property
    def is_exact(self) -> bool:
        """Whether it is computed in float32 throughout."""
        return self.weights == self.kv_cache == "f32"

    @property
    def of_scores(self) -> dict[str, str | bool]:
        """What of it the content hash of a score has, in the order in which it is hashed."""
        return {
            "name": self.name,
            "sha256": self.sha256,
            "kind": self.kind,
            "weights": self.weights,
            "kv_cache": self.kv_cache,
            "flash_attention": self.flash_attention,
            "gelu": self.gelu,
            "engine": self.engine,
            **self._if_set,
        }

    @property
    def of_completions(self) -> dict[str, str]:
        """What of it the content hash of a completion has, in the order in which it is hashed."""
        computed = (
            f"{self.engine}, weights {self.weights}, cache {self.kv_cache}, "
            f"flash attention {self.flash_attention}, gelu {self.gelu}"
        )
        return {
            "name": self.name,
            "model": self.sha256 or self.model,
            "api_base": self.api_base,
            "kind": self.kind,
            "parameters": self.parameters,
            "engine": computed if self.weights else "",
            **self._if_set,
            **({"thinking_tokens": str(self.thinking_tokens)} if self.thinking_tokens else {}),
        }

    @property
    def _if_set(self) -> dict[str, str]:
        """What came after hashes were pinned, so that those without it are as they were."""
        later = {"date": self.date, "device": self.device}
        return {key: value for key, value in later.items() if value}
