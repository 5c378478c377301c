"""A model for logic: instant, and another number for every text."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from geppetto.models.identity import ModelIdentity
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.requests import Capabilities, Completion, Request
from geppetto.models.token_tree import Tokens, TokenTree
from geppetto.prompts.chat import ChatTemplate
from replying import Replying

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class FakeModel(Replying):  # type: ignore[misc]  # it scores, too
    """Reads bytes as tokens; a token's probability depends on everything before it."""

    def __init__(
        self, name: str = "fake", context: int = 10_000, template: ChatTemplate | None = None
    ) -> None:
        self.identity = ModelIdentity(
            name=name,
            sha256="0",
            kind="chat" if template else "base",
            weights="none",
            kv_cache="none",
            flash_attention=False,
            gelu="none",
            engine="fake",
        )
        self.capabilities = Capabilities(chat=template is not None, completion=True)
        self.context = context
        self.template = template
        self.most_branches = 256
        self.trees_at_once = 1
        self.decoded = 0

    def tokenize(self, text: str) -> Tokens:
        return tuple(text.encode())

    def tokenize_on(self, text: str) -> Tokens:
        return tuple(text.encode())

    def detokenize(self, tokens: Sequence[int]) -> bytes:
        return bytes(tokens)

    def has_control_tokens(self, text: str) -> bool:
        return "<|" in text

    @property
    def scorer(self) -> FakeModel:
        return self

    def score(self, trees: Sequence[TokenTree]) -> list[NDArray[np.float64]]:
        return [self.log_probs(tree) for tree in trees]

    async def completion(self, request: Request) -> Completion:
        raise NotImplementedError

    def log_probs(self, tree: TokenTree) -> NDArray[np.float64]:
        self.decoded += len(set(tree.parents.tolist()) - {-1}) - tree.head
        scored = tree.scored()
        paths: list[bytes] = []
        for token, parent in zip(tree.tokens, tree.parents, strict=True):
            paths.append((paths[parent] if parent >= 0 else b"") + bytes([token]))
        return np.array(
            [self.log_prob(path) if s else np.nan for path, s in zip(paths, scored, strict=True)]
        )

    @staticmethod
    def log_prob(path: bytes) -> float:
        """Log-probability of the last byte of a path given the others."""
        return float(np.log(int.from_bytes(hashlib.sha256(path).digest()[:4]) / 2**33 + 0.001))


class Invented:
    """Stands in for what decodes in a real model: another number for every path of tokens."""

    def log_probs(self, tree: TokenTree, *_: int) -> NDArray[np.float64]:
        paths: list[bytes] = []
        for token, parent in zip(tree.tokens.tolist(), tree.parents.tolist(), strict=True):
            before = paths[parent] if parent >= 0 else b""
            paths.append(hashlib.sha256(before + token.to_bytes(4)).digest())
        scored = zip(paths, tree.scored(), strict=True)
        return np.array([FakeModel.log_prob(path) if s else np.nan for path, s in scored])


def invent_scores(patch: pytest.MonkeyPatch) -> None:
    """Let local models read with their own tokens and templates, and score at once."""
    patch.setattr(LlamaCppModel, "_decoder_for", lambda *_: Invented())
