"""The computation of a tree of tokens by llama.cpp, in batches of bounded memory."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto.models.local.base import Choose
from geppetto.models.token_tree import Tokens, TokenTree

# OpenMP's threads spin while they wait, which on a core that another process wants makes decoding
# ten times slower; not to spin at all makes it a tenth slower where nobody else wants the core.
# It reads the policy when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("GOMP_SPINCOUNT", "3000")

try:
    import llama_cpp as llama

    from geppetto.models.local.gelu import ExactGelu
except ImportError as error:  # pragma: no cover - depends on how geppetto was installed
    raise GeppettoError(
        "local models need llama-cpp-python, which is not installed; "
        "run: pip install 'geppetto[local]'"
    ) from error

__all__ = ["MAX_BRANCHES", "Decoder", "llama", "load"]

MAX_BRANCHES = 256
"""Sequences that llama.cpp holds in one context, and so branches in one tree."""

_BATCH = 2048
"""Most tokens that llama.cpp is given at once."""

_AT_ONCE = {True: 256, False: 512}
"""Most tokens that it computes at once, in exact mode and in fast mode.

With fewer or more, a token takes longer in exact mode, and flash attention is less accurate with
fewer.
"""

_LOGITS = 2**27
"""Most bytes of logits that are held at once."""


def _discard(level: int, text: bytes, user_data: Any) -> None:
    """llama.cpp's own messages; what matters of them is raised as errors here."""


_SILENCE = llama.llama_log_callback(_discard)
llama.llama_log_set(_SILENCE, ctypes.c_void_p(0))


class Decoder:
    """Loaded weights and a KV cache that keeps one shared head between trees."""

    def __init__(self, weights: Path, cells: int, exact: bool, threads: int) -> None:
        self._model = load(weights, vocab_only=False)
        params = llama.llama_context_default_params()
        params.n_ctx = cells
        params.n_batch = _BATCH
        params.n_ubatch = _AT_ONCE[exact]
        params.n_seq_max = MAX_BRANCHES
        params.n_threads = params.n_threads_batch = threads
        params.kv_unified = True
        params.swa_full = True
        params.no_perf = True
        self._gelu = ExactGelu() if exact else None
        if self._gelu is not None:
            params.cb_eval = self._gelu.callback
            params.type_k = params.type_v = llama.GGML_TYPE_F32
            params.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_DISABLED
        else:
            params.flash_attn_type = llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
        context = llama.llama_init_from_model(self._model, params)
        if context is None:
            llama.llama_model_free(self._model)
            raise GeppettoError(
                f"llama.cpp has no memory for a context of {cells:,} tokens; shorten the prompts "
                "or sessions, or use a smaller model"
            )
        self._context = context
        self._memory = llama.llama_get_memory(context)
        self._cells = cells
        self._vocabulary_size = llama.llama_vocab_n_tokens(llama.llama_model_get_vocab(self._model))
        self._batch = llama.llama_batch_init(_BATCH, 0, MAX_BRANCHES)
        self._rows = max(1, _LOGITS // (4 * self._vocabulary_size))
        self._exponentials = np.empty(self._vocabulary_size, np.float32)
        self._head: Tokens = ()
        self.close = finalize(self, _free, self._batch, context, self._model, self._gelu)
        self.close.atexit = False

    def has_room_for(self, tokens: int) -> bool:
        return tokens <= self._cells

    def log_probs(self, tree: TokenTree) -> NDArray[np.float64]:
        head, scored, body = tree.head, tree.scored(), tree.inner()
        parents, depths = tree.parents, tree.depths()
        with_logits = np.zeros(len(tree.tokens), bool)
        with_logits[parents[scored]] = True
        branches = _branches(parents, body)
        children: dict[int, list[int]] = {}
        for node in np.flatnonzero(scored):
            children.setdefault(int(parents[node]), []).append(int(node))
        log_probs = np.full(len(tree.tokens), np.nan)
        try:
            self._keep_head(tuple(tree.tokens[:head].tolist()))
            for part in _parts(with_logits[body], self._rows):
                nodes = body[part]
                self._fill(tree.tokens[nodes], depths[nodes], branches[part], with_logits[nodes])
                self._decode()
                for row in np.flatnonzero(with_logits[nodes]):
                    next_ones = children[int(nodes[row])]
                    log_probs[next_ones] = self._row(int(row), tree.tokens[next_ones])
            self._drop_after(head)
        except BaseException:
            self._forget()
            raise
        return log_probs

    def say(self, prompt: Tokens, choose: Choose) -> None:
        """Let each next token be chosen from the log-probabilities of all, until none is.

        What is computed depends on these tokens only, not on what was in the cache, and so does
        what is said.
        """
        head = len(prompt) - 1
        try:
            self._keep_head(prompt[:-1])
            token: int | None = prompt[-1]
            position = head
            while token is not None:
                self._fill([token], [position], [[0]], [True])
                self._decode()
                token = choose(self._row(0, slice(None)))
                position += 1
            self._drop_after(head)
        except BaseException:
            self._forget()
            raise

    def _drop_after(self, head: int) -> None:
        if not llama.llama_memory_seq_rm(self._memory, -1, head, -1):
            raise GeppettoError(
                "this model's memory cannot drop a branch and keep what comes before it, so it "
                "cannot be scored as a tree; use a model with attention only"
            )

    def _forget(self) -> None:
        self._head = ()
        llama.llama_memory_clear(self._memory, False)

    def _keep_head(self, head: Tokens) -> None:
        """Have exactly these tokens in the cache, as the beginning of every branch."""
        if head == self._head:
            return
        self._forget()
        everyone = list(range(MAX_BRANCHES))
        without_logits = np.zeros(len(head), bool)
        for part in _parts(without_logits, self._rows):
            tokens, positions = np.array(head[part]), np.arange(len(head))[part]
            self._fill(tokens, positions, [everyone] * len(tokens), without_logits[part])
            self._decode()
        self._head = head

    def _fill(self, tokens: Any, positions: Any, branches: list[list[int]], logits: Any) -> None:
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, (token, position, ids) in enumerate(zip(tokens, positions, branches, strict=True)):
            batch.token[i] = int(token)
            batch.pos[i] = int(position)
            batch.n_seq_id[i] = len(ids)
            row = (llama.llama_seq_id * len(ids))(*ids)
            ctypes.memmove(batch.seq_id[i], row, ctypes.sizeof(row))
            batch.logits[i] = bool(logits[i])

    def _decode(self) -> None:
        """Compute the batch.

        Raises
        ------
        KeyboardInterrupt
            If Ctrl-C was pressed meanwhile.
        GeppettoError
            If the model has an activation that exact mode cannot make exact.
        RuntimeError
            If llama.cpp fails.
        """
        with _interrupts_held():
            code = llama.llama_decode(self._context, self._batch)
        if code:
            raise RuntimeError(f"llama.cpp could not decode {self._batch.n_tokens} tokens ({code})")
        if self._gelu is not None:
            self._gelu.check()

    def _row(self, row: int, tokens: NDArray[np.int32] | slice) -> NDArray[np.float64]:
        """Log-probability of some tokens, or of all, after one that was decoded."""
        pointer = llama.llama_get_logits_ith(self._context, row)
        logits = np.ctypeslib.as_array(pointer, (self._vocabulary_size,))
        top = logits.max()
        np.subtract(logits, top, out=self._exponentials)
        np.exp(self._exponentials, out=self._exponentials)
        log_total = float(top) + np.log(self._exponentials.sum(dtype=np.float64))
        log_probs: NDArray[np.float64] = logits[tokens].astype(np.float64) - log_total
        return log_probs


def _free(batch: Any, context: Any, model: Any, gelu: ExactGelu | None) -> None:
    """Give memory back; `gelu` is only kept until llama.cpp no longer calls it."""
    llama.llama_batch_free(batch)
    llama.llama_free(context)
    llama.llama_model_free(model)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """Raise Ctrl-C only after this: in a callback of llama.cpp it would stop half a computation."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held = []
    before = signal.signal(signal.SIGINT, lambda *_: held.append(True))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if held:
        raise KeyboardInterrupt


def _parts(with_logits: NDArray[np.bool_], rows: int) -> Iterator[slice]:
    """Split tokens into parts that can be decoded at once, with at most so many rows of logits."""
    rows_before = np.concatenate([[0], np.cumsum(with_logits)])
    start = 0
    while start < len(with_logits):
        end = int(np.searchsorted(rows_before, rows_before[start] + rows, side="right")) - 1
        part = slice(start, min(end, start + _BATCH))
        yield part
        start = part.stop


def _branches(parents: NDArray[np.int32], body: NDArray[np.int64]) -> list[list[int]]:
    """For each decoded node, the branches (decoded leaves) that pass through it."""
    inside = set(body.tolist())
    passing: dict[int, list[int]] = {node: [] for node in inside}
    with_children = {int(parents[node]) for node in inside}
    leaves = [node for node in body.tolist() if node not in with_children]
    if len(leaves) > MAX_BRANCHES:
        raise ValueError(f"a tree may have at most {MAX_BRANCHES} branches, not {len(leaves)}")
    for branch, leaf in enumerate(leaves):
        node = leaf
        while node in inside:
            passing[node].append(branch)
            node = int(parents[node])
    return [passing[node] for node in body.tolist()]


def load(path: Path, vocab_only: bool) -> Any:
    """llama.cpp's model of a GGUF file.

    Raises
    ------
    GeppettoError
        If it does not exist, or llama.cpp cannot read it.
    """
    if not path.is_file():
        raise GeppettoError(f"model file {path} does not exist")
    params = llama.llama_model_default_params()
    params.vocab_only = vocab_only
    params.n_gpu_layers = 0
    model = llama.llama_model_load_from_file(str(path).encode(), params)
    if model is None:
        raise GeppettoError(f"{path} is not a GGUF model that llama.cpp {llama.__version__} reads")
    return model
