"""What geppetto asks of a language model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from geppetto.models.token_tree import Tokens, TokenTree
from geppetto.prompts.chat import ChatTemplate

Kind = Literal["base", "chat"]
Precision = Literal["exact", "fast"]
Choose = Callable[[NDArray[np.float64]], int | None]
"""A token by the log-probabilities of all, shape (vocabulary,); None to end."""


class ModelIdentity(BaseModel):
    """Everything about a model that can change its answers; part of every answer's hash."""

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: str
    kind: Kind
    weights: str
    kv_cache: str
    flash_attention: bool
    gelu: str
    engine: str


class LanguageModel(Protocol):
    """A model that gives exact log-probabilities of given continuations.

    Making one reads only the vocabulary; the weights are read when they are first needed.
    """

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def template(self) -> ChatTemplate | None:
        """The chat template; None for a base model, which reads plain text."""

    @property
    def context(self) -> int:
        """The most tokens a prompt and its option may have together."""

    @property
    def most_branches(self) -> int:
        """The most branches that a tree may have."""

    def tokenize(self, text: str) -> Tokens:
        """Tokens of a text from its beginning, with the leading token of the model's training."""

    def tokenize_on(self, text: str) -> Tokens:
        """Tokens of a text that continues another, without a leading token."""

    def detokenize(self, tokens: Sequence[int]) -> bytes:
        """What tokens spell, which may begin or end within a character."""

    def has_control_tokens(self, text: str) -> bool:
        """Whether a text would be read as more than plain text in this model's template."""

    def log_probs(self, tree: TokenTree, head: int = 0) -> NDArray[np.float64]:
        """Log-probability of each scored node given its path, in nats, shape (nodes,).

        Nodes that are not scored are NaN. The first `head` nodes must be one unbranched
        path; they are kept, so that a next tree that starts with them is cheaper.
        """
