"""Local GGUF models, scored in process by llama.cpp."""

from __future__ import annotations

import ctypes
import datetime
import os
from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto._util.files import sha256
from geppetto.models.identity import Kind, ModelIdentity, Precision
from geppetto.models.local.base import Choose, LocalModel, capabilities_of, refuse_without_template
from geppetto.models.local.decoder import MAX_BRANCHES, Decoder, llama, load
from geppetto.models.local.gguf import Dtype, dequantised
from geppetto.models.local.verified import verify
from geppetto.models.token_tree import Tokens, TokenTree
from geppetto.prompts.chat import ChatTemplate

_FIRST_CELLS = 4096
"""Tokens that a model's first context holds."""


class LlamaCppModel(LocalModel):
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
    date
        What its chat template takes for today, if it writes a date.
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
        date: datetime.date | None = None,
    ) -> None:
        super().__init__()
        self.file = path
        self._exact = precision == "exact"
        self._threads = threads or len(os.sched_getaffinity(0))
        self._weights: Dtype = "f32" if self._exact else "bf16"
        digest = sha256(path) if path.is_file() else ""
        if digest:
            verify(path, digest, llama.__version__)
        self._vocabulary = load(path, vocab_only=True)
        finalize(self, llama.llama_model_free, self._vocabulary).atexit = False
        self._vocab = llama.llama_model_get_vocab(self._vocabulary)
        source = self._metadata("tokenizer.chat_template")
        refuse_without_template(name, kind, source, path)
        kind = kind or ("chat" if source else "base")
        self.template = (
            ChatTemplate(
                source=source,
                bos=self._token_text(llama.llama_vocab_bos(self._vocab)),
                eos=self._token_text(llama.llama_vocab_eos(self._vocab)),
                date=date,
            )
            if kind == "chat" and source
            else None
        )
        bos = llama.llama_vocab_bos(self._vocab)
        self.leading = (bos,) if llama.llama_vocab_get_add_bos(self._vocab) else ()
        architecture = self._metadata("general.architecture")
        self.most_branches = MAX_BRANCHES
        length = self._metadata(f"{architecture}.context_length") or ""
        self.context = int(length) if length.isdecimal() else 0
        if not self.context:
            raise GeppettoError(f"{path} does not say how long its context is")
        self.identity = ModelIdentity(
            name=name,
            sha256=digest,
            kind=kind,
            weights=self._weights,
            kv_cache="f32" if self._exact else "f16",
            flash_attention=not self._exact,
            gelu="float32" if self._exact else "half-precision table",
            engine=f"llama-cpp-python {llama.__version__}",
            date=self.template.written_date if self.template else "",
        )
        vocabulary = llama.llama_vocab_n_tokens(self._vocab)
        self.capabilities = capabilities_of(self.template, vocabulary)
        self._decoder: Decoder | None = None
        self._spelled = cache(partial(_spell, self._vocab))  # a bound method would keep the model

    def tokens(self, text: str, control: bool) -> Tokens:
        """Tokens of a text, without leading ones."""
        data = text.encode()
        room = len(data) + 2
        tokens = (llama.llama_token * room)()
        count = llama.llama_tokenize(self._vocab, data, len(data), tokens, room, False, control)
        if count < 0:
            raise RuntimeError(f"llama.cpp could not tokenise {text[:60]!r}")
        return tuple(tokens[:count])

    def detokenize(self, tokens: Sequence[int]) -> bytes:
        """What tokens spell, which may begin or end within a character."""
        return b"".join(map(self._spelled, tokens))

    def score(self, trees: Sequence[TokenTree]) -> list[NDArray[np.float64]]:
        """Log-probabilities in nats, of shape (nodes,) for each tree; see `Scorer`."""
        return [self._decoder_for(len(tree.tokens)).log_probs(tree) for tree in trees]

    def say(self, prompt: Tokens, choose: Choose, most: int) -> None:
        """Let each next token after a prompt be chosen from the log-probabilities of all."""
        self._decoder_for(len(prompt) + most).say(prompt, choose)

    def is_end(self, token: int) -> bool:
        """Whether a token ends a text or a turn."""
        return bool(llama.llama_vocab_is_eog(self._vocab, token))

    def _decoder_for(self, tokens: int) -> Decoder:
        """The decoder, loaded anew if it has no room for so many tokens."""
        if self._decoder is None or not self._decoder.has_room_for(tokens):
            if self._decoder is not None:
                self._decoder.close()
            self._decoder = Decoder(
                dequantised(self.file, self.identity.sha256, self._weights),
                cells=max(_FIRST_CELLS, _next_power_of_two(tokens)),
                exact=self._exact,
                threads=self._threads,
            )
        return self._decoder

    def _metadata(self, key: str) -> str | None:
        size = llama.llama_model_meta_val_str(self._vocabulary, key.encode(), None, 0)
        if size < 0:
            return None
        buffer = ctypes.create_string_buffer(size + 1)
        llama.llama_model_meta_val_str(self._vocabulary, key.encode(), buffer, size + 1)
        return self._decoded(buffer.value, key)

    def _decoded(self, text: bytes, what: str) -> str:
        try:
            return text.decode()
        except UnicodeDecodeError as error:
            raise GeppettoError(
                f"{self.file}: {what} is not UTF-8 text; the file may be damaged: fetch it again"
            ) from error

    def _token_text(self, token: int) -> str:
        if token < 0:
            return ""
        text: bytes = llama.llama_vocab_get_text(self._vocab, token)
        return self._decoded(text, "the text of a token")


def _next_power_of_two(number: int) -> int:
    return 1 << (number - 1).bit_length()


def _spell(vocab: object, token: int) -> bytes:
    """What a token spells."""
    size = -llama.llama_token_to_piece(vocab, token, None, 0, 0, True)
    buffer = ctypes.create_string_buffer(size)
    llama.llama_token_to_piece(vocab, token, buffer, size, 0, True)
    return buffer.raw
