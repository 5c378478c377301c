"""Weights that are loaded, and the computation of trees by them in parts that fit into memory."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from accelerate.utils.memory import should_reduce_batch_size
from numpy.typing import NDArray
from transformers import DynamicCache

from geppetto._util.errors import GeppettoError
from geppetto.models.local.base import Choose
from geppetto.models.local.transformers.forest import Forest
from geppetto.models.local.transformers.masks import Masks
from geppetto.models.token_tree import Tokens, TokenTree

_AT_ONCE = {"cpu": 512, "mps": 2048, "cuda": 8192}
"""Tokens that are computed at once, as long as they fit into memory; more are not faster."""

_LOGITS = 2**28
"""Most bytes of logits that are held at once."""


class Forward:
    """Loaded weights, and a cache that keeps one shared head between trees.

    Parameters
    ----------
    network
        transformers' model of a text.
    name
        What it is called in errors.
    """

    def __init__(self, network: Any, name: str) -> None:
        self._network, self._name = network, name
        takes = inspect.signature(network.forward).parameters
        self._cache_as = "cache" if "cache" in takes else "past_key_values"
        needed = {"attention_mask", "position_ids", self._cache_as, "logits_to_keep"}
        if getattr(network, "_is_stateful", False) or not needed <= takes.keys():
            raise GeppettoError(
                f"{name} ({network.config.model_type}) keeps a state that cannot branch, or reads "
                "no masks and positions, so it cannot be scored as a tree; use a model with "
                "attention only, or a server"
            )
        config = network.config.get_text_config(decoder=True)
        self._device = torch.device(network.device)
        self._masks = Masks(config, name, network.dtype, self._device)
        self.at_once = _AT_ONCE[self._device.type]
        self._rows = max(1, _LOGITS // (4 * config.vocab_size))
        self._head: Tokens = ()
        self.forget()

    def log_probs(self, trees: Sequence[TokenTree]) -> list[NDArray[np.float64]]:
        """Log-probability of each option's nodes, in nats; what does not fit is halved.

        Raises
        ------
        GeppettoError
            If a tree does not fit into memory in the smallest parts.
        """
        found: list[NDArray[np.float64]] = []
        while len(found) < len(trees):
            together = self._together(trees[len(found) :])
            with self._halved_if_too_large():
                found += self._scored(together)
        return found

    def say(self, prompt: Tokens, choose: Choose) -> None:
        """Let each next token be chosen from the log-probabilities of all, until none is."""
        done = False
        while not done:
            with self._halved_if_too_large():
                self._keep_head(prompt[:-1])
                done = True
        token: int | None = prompt[-1]
        said: list[int] = []
        with self._dropped_after(len(prompt) - 1):
            while token is not None:
                said.append(token)
                line = Forest.line(said, len(prompt) - 1)
                end = len(said)
                logits = self._logits(line, slice(end - 1, end), len(prompt) - 1, [0])
                token = choose(_as_float64(torch.log_softmax(logits[0], dim=-1)))

    @contextmanager
    def _halved_if_too_large(self) -> Iterator[None]:
        """Where memory does not suffice, let half as much be computed at once from now on."""
        try:
            yield
        except RuntimeError as error:
            self.forget()
            if not should_reduce_batch_size(error):
                raise
            if self.at_once == 1:
                raise GeppettoError(
                    f"{self._name} has no memory left for a text of this length; shorten the "
                    "prompts or sessions, or use a smaller model"
                ) from error
            self.at_once, self._rows = self.at_once // 2, max(1, self._rows // 2)
            if self._device.type == "cuda":
                torch.cuda.empty_cache()

    def _together(self, trees: Sequence[TokenTree]) -> list[TokenTree]:
        """The leading trees that share a head and are computed at once; at least one."""
        first = trees[0]
        head = first.tokens[: first.head].tolist()
        together, tokens = [first], len(first.inner())
        for tree in trees[1:]:
            tokens += len(tree.inner())
            if tokens > self.at_once or tree.tokens[: tree.head].tolist() != head:
                break
            together.append(tree)
        return together

    def _scored(self, trees: Sequence[TokenTree]) -> list[NDArray[np.float64]]:
        head = trees[0].head
        forest = Forest.of(trees)
        log_probs = np.full(len(forest.said), np.nan)
        self._keep_head(tuple(trees[0].tokens[:head].tolist()))
        with self._dropped_after(head):
            for part in forest.parts(self.at_once, self._rows):
                here = (forest.after >= part.start) & (forest.after < part.stop)
                rows, row = np.unique(forest.after[here] - part.start, return_inverse=True)
                logits = self._logits(forest, part, head, rows.tolist())
                if len(rows):
                    chosen = logits[torch.from_numpy(row), torch.from_numpy(forest.said[here])]
                    total = torch.logsumexp(logits, dim=-1)[torch.from_numpy(row)]
                    log_probs[here] = _as_float64(chosen) - _as_float64(total)
        return forest.by_tree(log_probs)

    def _keep_head(self, head: Tokens) -> None:
        """Have exactly these tokens in the cache, before everything else."""
        if head == self._head:
            return
        self.forget()
        line = Forest.line(head)
        with self._dropped_after(len(head)):
            for part in line.parts(self.at_once, self._rows):
                self._logits(line, part, 0, [])
        self._head = head

    def _logits(self, forest: Forest, part: slice, head: int, rows: Sequence[int]) -> torch.Tensor:
        """What a stretch of nodes says comes next, after those before it, at some of them."""
        with torch.inference_mode(), _no_tensor_float():
            told = self._network(
                input_ids=self._row(forest.tokens[part]),
                attention_mask=self._masks(forest, part, head),
                position_ids=self._row(forest.positions[part]),
                logits_to_keep=torch.tensor(rows, dtype=torch.long, device=self._device),
                use_cache=True,
                **{self._cache_as: self._cache},
            )
            logits: torch.Tensor = told.logits[0].float()
        return logits

    def _row(self, numbers: NDArray[np.int64]) -> torch.Tensor:
        return torch.from_numpy(numbers).to(self._device)[None]

    @contextmanager
    def _dropped_after(self, head: int) -> Iterator[None]:
        """Keep of what is computed here only the head; nothing at all if that fails."""
        try:
            yield
        except BaseException:
            self.forget()
            raise
        for layer in self._cache.layers:
            if layer.keys is not None:
                layer.keys = layer.keys[..., :head, :]
                layer.values = layer.values[..., :head, :]

    def forget(self) -> None:
        """Have nothing in the cache."""
        self._head = ()
        self._cache = DynamicCache()  # without a config, with which layers with windows are cut


@contextmanager
def _no_tensor_float() -> Iterator[None]:
    """Multiply float32 as such: some graphics cards have a shorter form of it."""
    settings = torch.backends.cuda.matmul
    before, settings.fp32_precision = settings.fp32_precision, "ieee"
    try:
        yield
    finally:
        settings.fp32_precision = before


def _as_float64(numbers: torch.Tensor) -> NDArray[np.float64]:
    found: NDArray[np.float64] = numbers.double().cpu().numpy()
    return found
