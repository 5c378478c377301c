"""Local GGUF models, scored in process by llama.cpp."""

from __future__ import annotations

import ctypes
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geppetto.elicitation.token_tree import Tokens, TokenTree
from geppetto.errors import GeppettoError
from geppetto.models.base import Kind, ModelIdentity, Precision
from geppetto.models.gguf import Dtype, dequantised, sha256
from geppetto.prompts.chat import ChatTemplate

# OpenMP's threads spin while they wait, which on a core that another process wants makes decoding
# ten times slower. It reads the policy when it is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

try:
    import llama_cpp as _llama

    from geppetto.models.gelu import ExactGelu
except ImportError as error:  # pragma: no cover - depends on how geppetto was installed
    raise GeppettoError(
        "local models need llama-cpp-python, which is not installed; "
        "run: pip install 'geppetto[local]'"
    ) from error

MAX_BRANCHES = 256
"""Sequences that llama.cpp holds in one context, and so branches in one tree."""


def _discard(level: int, text: bytes, user_data: Any) -> None:
    """llama.cpp's own messages; what matters of them is raised as errors here."""


_SILENCE = _llama.llama_log_callback(_discard)
_llama.llama_log_set(_SILENCE, ctypes.c_void_p(0))


class LlamaCppModel:
    """A GGUF file that answers with exact log-probabilities.

    Parameters
    ----------
    name
        What the model is called in tables.
    path
        The GGUF file.
    kind
        "base" reads plain text, "chat" the file's own template. None takes "chat" where the
        file carries a template and "base" where it does not.
    precision
        "exact" scores float32 weights with a float32 cache, float32 GELU and no flash attention:
        within 0.0002 nats of a float32 reference. "fast" scores bfloat16 weights with llama.cpp's
        defaults: about 1.8 times faster, off by 0.02 to 0.12 nats.
    threads
        Threads of computation; None takes every core that the process may use.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        kind: Kind | None = None,
        precision: Precision = "exact",
        threads: int | None = None,
    ) -> None:
        self._source = path
        self._exact = precision == "exact"
        self._threads = threads or len(os.sched_getaffinity(0))
        self._weights: Dtype = "f32" if self._exact else "bf16"
        self._vocabulary = _load(path, vocab_only=True)
        self._vocab = _llama.llama_model_get_vocab(self._vocabulary)
        source = self._metadata("tokenizer.chat_template")
        if kind == "chat" and source is None:
            raise GeppettoError(
                f"{name} is declared `kind: chat`, but {path.name} carries no chat template; "
                "declare it `kind: base`"
            )
        kind = kind or ("chat" if source else "base")
        self.template = (
            ChatTemplate(
                source=source,
                bos=self._token_text(_llama.llama_vocab_bos(self._vocab)),
                eos=self._token_text(_llama.llama_vocab_eos(self._vocab)),
            )
            if kind == "chat" and source
            else None
        )
        architecture = self._metadata("general.architecture")
        self.most_branches = MAX_BRANCHES
        self.context = int(self._metadata(f"{architecture}.context_length") or 0)
        if not self.context:
            raise GeppettoError(f"{path} does not say how long its context is")
        self.identity = ModelIdentity(
            name=name,
            sha256=sha256(path),
            kind=kind,
            weights=self._weights,
            kv_cache="f32" if self._exact else "f16",
            flash_attention=not self._exact,
            gelu="float32" if self._exact else "half-precision table",
            engine=f"llama-cpp-python {_llama.__version__}",
        )
        self._decoder: _Decoder | None = None

    def tokenize(self, text: str) -> Tokens:
        """Tokens of a text from its beginning, with the leading token of the model's training.

        Nothing is added at the end, whatever the file asks for. The texts of control tokens are
        control tokens for a chat model, whose template writes them, and plain text for a base one.
        """
        tokens = self._tokenize(text, control=self.template is not None)
        bos = _llama.llama_vocab_bos(self._vocab)
        if _llama.llama_vocab_get_add_bos(self._vocab) and tokens[:1] != (bos,):
            return (bos, *tokens)
        return tokens

    def has_control_tokens(self, text: str) -> bool:
        """Whether a text would be read as more than plain text in this model's template."""
        return self._tokenize(text, control=True) != self._tokenize(text, control=False)

    def log_probs(self, tree: TokenTree, head: int = 0) -> NDArray[np.float64]:
        """Log-probability of each scored node given its path, in nats, shape (nodes,)."""
        if self._decoder is None or not self._decoder.has_room_for(tree):
            if self._decoder is not None:
                self._decoder.close()
            self._decoder = _Decoder(
                dequantised(self._source, self.identity.sha256, self._weights),
                cells=max(4096, _next_power_of_two(len(tree.tokens))),
                exact=self._exact,
                threads=self._threads,
            )
        return self._decoder.log_probs(tree, head)

    def _metadata(self, key: str) -> str | None:
        size = _llama.llama_model_meta_val_str(self._vocabulary, key.encode(), None, 0)
        if size < 0:
            return None
        buffer = ctypes.create_string_buffer(size + 1)
        _llama.llama_model_meta_val_str(self._vocabulary, key.encode(), buffer, size + 1)
        return buffer.value.decode()

    def _token_text(self, token: int) -> str:
        if token < 0:
            return ""
        text: bytes = _llama.llama_vocab_get_text(self._vocab, token)
        return text.decode()

    def _tokenize(self, text: str, control: bool) -> Tokens:
        data = text.encode()
        room = len(data) + 2
        tokens = (_llama.llama_token * room)()
        count = _llama.llama_tokenize(self._vocab, data, len(data), tokens, room, False, control)
        if count < 0:
            raise RuntimeError(f"llama.cpp could not tokenise {text[:60]!r}")
        return tuple(tokens[:count])


class _Decoder:
    """Loaded weights and a KV cache that keeps one shared head between trees."""

    def __init__(self, weights: Path, cells: int, exact: bool, threads: int) -> None:
        self._model = _load(weights, vocab_only=False)
        params = _llama.llama_context_default_params()
        params.n_ctx = cells
        params.n_batch = cells
        params.n_ubatch = 512
        params.n_seq_max = MAX_BRANCHES
        params.n_threads = params.n_threads_batch = threads
        params.kv_unified = True
        params.swa_full = True
        params.no_perf = True
        self._gelu = ExactGelu() if exact else None
        if self._gelu is not None:
            params.cb_eval = self._gelu.callback
            params.type_k = params.type_v = _llama.GGML_TYPE_F32
            params.flash_attn_type = _llama.LLAMA_FLASH_ATTN_TYPE_DISABLED
        else:
            params.flash_attn_type = _llama.LLAMA_FLASH_ATTN_TYPE_ENABLED
        context = _llama.llama_init_from_model(self._model, params)
        if context is None:
            raise GeppettoError(f"llama.cpp could not make a context of {cells} tokens")
        self._context = context
        self._memory = _llama.llama_get_memory(context)
        self._cells = cells
        self._vocabulary_size = _llama.llama_vocab_n_tokens(
            _llama.llama_model_get_vocab(self._model)
        )
        self._batch = _llama.llama_batch_init(cells, 0, MAX_BRANCHES)
        self._head: Tokens = ()

    def has_room_for(self, tree: TokenTree) -> bool:
        return len(tree.tokens) <= self._cells

    def close(self) -> None:
        _llama.llama_batch_free(self._batch)
        _llama.llama_free(self._context)
        _llama.llama_model_free(self._model)

    def log_probs(self, tree: TokenTree, head: int) -> NDArray[np.float64]:
        scored = tree.scored()
        parents, depths = tree.parents, tree.depths()
        decoded = np.zeros(len(tree.tokens), bool)
        decoded[parents[parents >= 0]] = True
        if np.any(scored & (parents < 0)):
            raise ValueError("an option needs a prompt before it")
        with_logits = np.zeros(len(tree.tokens), bool)
        with_logits[parents[scored]] = True
        if with_logits[:head].any():
            raise ValueError("the head must end before the first option's parent")

        self._keep_head(tuple(tree.tokens[:head].tolist()))
        body = np.flatnonzero(decoded)
        body = body[body >= head]
        self._fill(tree.tokens[body], depths[body], _branches(parents, body), with_logits[body])
        self._decode()
        log_probs = self._read(tree, body, scored, with_logits)
        if not _llama.llama_memory_seq_rm(self._memory, -1, head, -1):
            raise GeppettoError(
                "this model's memory cannot drop a branch and keep what comes before it, so it "
                "cannot be scored as a tree; use a model with attention only"
            )
        return log_probs

    def _keep_head(self, head: Tokens) -> None:
        """Have exactly these tokens in the cache, as the beginning of every branch."""
        if head == self._head:
            return
        _llama.llama_memory_clear(self._memory, False)
        self._head = ()
        if head:
            everyone = list(range(MAX_BRANCHES))
            self._fill(
                np.array(head), np.arange(len(head)), [everyone] * len(head), [False] * len(head)
            )
            self._decode()
        self._head = head

    def _fill(self, tokens: Any, positions: Any, branches: list[list[int]], logits: Any) -> None:
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, (token, position, ids) in enumerate(zip(tokens, positions, branches, strict=True)):
            batch.token[i] = int(token)
            batch.pos[i] = int(position)
            batch.n_seq_id[i] = len(ids)
            row = (_llama.llama_seq_id * len(ids))(*ids)
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
        try:
            with _interrupts_held():
                code = _llama.llama_decode(self._context, self._batch)
            if code:
                raise RuntimeError(
                    f"llama.cpp could not decode {self._batch.n_tokens} tokens ({code})"
                )
            if self._gelu is not None:
                self._gelu.check()
        except BaseException:
            self._head = ()
            _llama.llama_memory_clear(self._memory, False)
            raise

    def _read(
        self,
        tree: TokenTree,
        body: NDArray[np.int64],
        scored: NDArray[np.bool_],
        with_logits: NDArray[np.bool_],
    ) -> NDArray[np.float64]:
        log_probs = np.full(len(tree.tokens), np.nan)
        rows = {int(node): row for row, node in enumerate(body)}
        nodes = np.flatnonzero(scored)
        for parent in np.flatnonzero(with_logits):
            pointer = _llama.llama_get_logits_ith(self._context, rows[int(parent)])
            logits = np.ctypeslib.as_array(pointer, (self._vocabulary_size,))
            top = logits.max()
            log_total = float(top) + np.log(np.exp(logits - top).sum(dtype=np.float64))
            children = nodes[tree.parents[nodes] == parent]
            log_probs[children] = logits[tree.tokens[children]].astype(np.float64) - log_total
        return log_probs


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


def _load(path: Path, vocab_only: bool) -> Any:
    if not path.is_file():
        raise GeppettoError(f"model file {path} does not exist")
    params = _llama.llama_model_default_params()
    params.vocab_only = vocab_only
    params.n_gpu_layers = 0
    model = _llama.llama_model_load_from_file(str(path).encode(), params)
    if model is None:
        raise GeppettoError(f"{path} is not a GGUF model that llama.cpp {_llama.__version__} reads")
    return model


def _next_power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()
