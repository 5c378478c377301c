"""Models of the Hugging Face hub, scored in process by transformers."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto.models.identity import Kind, ModelIdentity, Precision
from geppetto.models.local.base import (
    Choose,
    LocalModel,
    capabilities_of,
    refuse_without_template,
)
from geppetto.models.local.transformers.checkpoint import Checkpoint
from geppetto.models.token_tree import Tokens, TokenTree
from geppetto.prompts.chat import ChatTemplate

if TYPE_CHECKING:
    from geppetto.models.local.transformers.forward import Forward

_MAX_BRANCHES = 256
"""Branches in one tree; more would be attended to in vain."""

_TREES = {"cpu": 2, "mps": 8, "cuda": 32}
"""Trees that are given at once, by device; as many of their tokens are computed together as fit."""

_LENGTHS = ("max_position_embeddings", "n_positions", "max_seq_len", "seq_length")
"""What configs call the length of a context."""


class TransformersModel(LocalModel):
    """A folder of the Hugging Face hub that answers with exact log-probabilities.

    Parameters
    ----------
    name
        What the model is called in tables.
    checkpoint
        Its files.
    kind
        "base" reads plain text, "chat" the tokenizer's own template. None takes "chat" where it
        has one and "base" where it has not.
    precision
        "exact" computes in float32, without the shorter form of it that graphics cards have:
        within 0.0002 nats of each text alone. "fast" computes in bfloat16, and log-probabilities
        in float32: off by about 0.1 nats.
    date
        What its chat template takes for today, if it writes a date.

    Examples
    --------
    >>> from pathlib import Path
    >>> TransformersModel("mine", Checkpoint.at(Path("models/mine")))
    Traceback (most recent call last):
    geppetto._util.errors.GeppettoError: model folder models/mine does not exist
    """

    def __init__(
        self,
        name: str,
        checkpoint: Checkpoint,
        kind: Kind | None = None,
        precision: Precision = "exact",
        date: datetime.date | None = None,
    ) -> None:
        super().__init__()
        engine = _engine()
        self._checkpoint, self._precision = checkpoint, precision
        if checkpoint.quantisation and precision == "exact":
            raise GeppettoError(
                f"{name} is quantised ({checkpoint.quantisation}), so nothing of it is exact; use "
                "the model that it was made from, or say precision: fast"
            )
        try:
            from geppetto.models.local.transformers.loading import device
            from geppetto.models.local.transformers.tokenizer import Tokenizer
        except ImportError as error:
            raise _not_installed(error.name) from error
        self._device = device()
        self._tokenizer = Tokenizer(checkpoint.folder)
        self.leading = self._tokenizer.leading
        source = self._tokenizer.template
        refuse_without_template(name, kind, source, checkpoint.folder)
        kind = kind or ("chat" if source else "base")
        self.template = (
            ChatTemplate(source=source, bos=self._tokenizer.bos, eos=self._tokenizer.eos, date=date)
            if kind == "chat" and source
            else None
        )
        text = _text_config(checkpoint.config)
        self.most_branches = _MAX_BRANCHES
        self.trees_at_once = _TREES[self._device]
        self.context = _context(text, name)
        dtype = "f32" if precision == "exact" else "bf16"
        self.identity = ModelIdentity(
            name=name,
            sha256=checkpoint.sha256,
            kind=kind,
            weights=dtype,
            kv_cache=dtype,
            engine=engine,
            device=self._device,
            revision=checkpoint.revision,
            date=self.template.written_date if self.template else "",
        )
        self.capabilities = capabilities_of(self.template, int(text.get("vocab_size") or 0))

    def tokens(self, text: str, control: bool) -> Tokens:
        """Tokens of a text, without leading ones."""
        return self._tokenizer.tokens(text, control)

    def detokenize(self, tokens: Sequence[int]) -> bytes:
        """What tokens spell, which may begin or end within a character."""
        return self._tokenizer.spell(tokens)

    def score(self, trees: Sequence[TokenTree]) -> list[NDArray[np.float64]]:
        """Log-probabilities in nats, of shape (nodes,) for each tree; see `Scorer`."""
        return self._forward.log_probs(trees)

    def say(self, prompt: Tokens, choose: Choose, most: int) -> None:
        """Let each next token after a prompt be chosen from the log-probabilities of all."""
        self._forward.say(prompt, choose)

    def is_end(self, token: int) -> bool:
        """Whether a token ends a text or a turn."""
        return token in self._ends

    @cached_property
    def _forward(self) -> Forward:
        """The weights, loaded and compared when they are first needed."""
        from geppetto.models.local.transformers.faithful import TEXT, refuse_unfaithful
        from geppetto.models.local.transformers.forward import Forward
        from geppetto.models.local.transformers.loading import load

        name = self.identity.name
        network = load(self._checkpoint, name, self._precision == "exact", self._device)
        forward = Forward(network, name)
        refuse_unfaithful(network, forward, self.tokens(TEXT, control=False), self._precision)
        return forward

    @cached_property
    def _ends(self) -> set[int]:
        """Tokens that end a text or a turn, as the files and the template have them."""
        ends = {self._tokenizer.eos_id}
        file = self._checkpoint.folder / "generation_config.json"
        generation = json.loads(file.read_text("utf-8")) if file.is_file() else {}
        for told in (generation, _text_config(self._checkpoint.config)):
            end = told.get("eos_token_id")
            ends |= set(end if isinstance(end, list) else [end])
        if self.template and (written := self.template.end_of_answer):
            first = self.tokens(written, control=True)[:1]
            if first != self.tokens(written, control=False)[:1]:
                ends |= set(first)
        return {end for end in ends if end is not None}


def _engine() -> str:
    """Names and versions of what computes, without the name of a build."""
    try:
        found = {name: version(name).partition("+")[0] for name in ("transformers", "torch")}
    except PackageNotFoundError as error:
        raise _not_installed(error.name) from error
    return ", ".join(f"{name} {number}" for name, number in found.items())


def _not_installed(package: str | None) -> GeppettoError:
    return GeppettoError(
        f"models of the Hugging Face hub need {package}, which is not installed; "
        "run: pip install 'geppetto[torch]'"
    )


def _text_config(config: dict[str, Any]) -> dict[str, Any]:
    """What is said of the part that reads text, of models that also see."""
    return {**config, **(config.get("text_config") or {})}


def _context(config: dict[str, Any], name: str) -> int:
    """Tokens that a model reads at once; only those for which its positions are not stretched."""
    length = next((config[key] for key in _LENGTHS if config.get(key)), 0)
    told = config.get("rope_parameters") or config.get("rope_scaling") or {}
    for scaling in (told, *(one for one in told.values() if isinstance(one, dict))):
        # positions that change with the length of what is read, so that a beginning is computed
        # otherwise in a longer text, do so from some length on
        if (scaling.get("rope_type") or scaling.get("type")) in ("dynamic", "longrope"):
            before = "original_max_position_embeddings"
            length = scaling.get(before) or config.get(before) or length
    if not length:
        raise GeppettoError(f"{name}: config.json does not say how long its context is")
    return int(length)
