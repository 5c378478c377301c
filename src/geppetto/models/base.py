"""What geppetto asks of a model: scores of given continuations, and replies to requests."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from geppetto.models.gate import RequestGate
from geppetto.models.identity import ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Request
from geppetto.models.token_tree import Tokens, TokenTree
from geppetto.prompts.chat import ChatTemplate


class Model(Protocol):
    """What answers: a model on this machine, or one behind an interface.

    Making one reads no weights and asks nothing.

    Attributes
    ----------
    capabilities
        What it gives; of one behind an interface nothing until it was probed.

    Examples
    --------
    >>> from geppetto.models.spec import ModelSpec, open_model
    >>> model = open_model(ModelSpec(name="smollm2-135m-instruct"))
    >>> model.identity.kind, model.scorer is model
    ('chat', True)
    """

    capabilities: Capabilities

    @property
    def identity(self) -> ModelIdentity:
        """Who it is; part of every answer's hash."""

    @property
    def scorer(self) -> Scorer | None:
        """Itself, if it gives the log-probabilities of given continuations."""

    @property
    def most_at_once(self) -> int:
        """How many requests it is sent at once, at most."""

    async def generate(self, request: Request, gate: RequestGate) -> Completion:
        """The completion of a request; one with an `error` if it failed for good.

        Parameters
        ----------
        request
            What to complete.
        gate
            Asked for leave before each attempt.

        Raises
        ------
        GeppettoError
            If no request can succeed: the key is refused, the model does not exist. Or if there
            is no leave.
        """

    def refuse(self, request: Request) -> None:
        """Refuse a request that is known to be impossible before it is sent.

        Raises
        ------
        GeppettoError
            If it is one.
        """

    def price(self, prompt_tokens: int, completion_tokens: int) -> float | None:
        """What so many tokens cost in dollars; None if the price is not known."""

    def connected(self) -> AbstractAsyncContextManager[None]:
        """A time in which it is asked in one event loop, and may keep connections open."""

    def length(self, text: str) -> int:
        """How long a text is for it: in its tokens if they are known, else in words."""


class Scorer(Model, Protocol):
    """A model that gives the exact log-probabilities of given continuations.

    Making one reads only the vocabulary; the weights are read when they are first needed.

    Examples
    --------
    >>> from geppetto.models.spec import ModelSpec, open_scorer
    >>> scorer = open_scorer(ModelSpec(name="smollm2-135m-instruct"))
    >>> scorer.detokenize(scorer.tokenize_on("Who am I?"))
    b'Who am I?'
    """

    @property
    def template(self) -> ChatTemplate | None:
        """The chat template; None for a base model, which reads plain text."""

    @property
    def context(self) -> int:
        """The most tokens a prompt and its option may have together."""

    @property
    def most_branches(self) -> int:
        """The most branches that a tree may have."""

    @property
    def trees_at_once(self) -> int:
        """How many trees it is given at once, at most; their answers are stored together."""

    def tokenize(self, text: str) -> Tokens:
        """Tokens of a text from its beginning, with the leading token of the model's training."""

    def tokenize_on(self, text: str) -> Tokens:
        """Tokens of a text that continues another, without a leading token."""

    def detokenize(self, tokens: Sequence[int]) -> bytes:
        """What tokens spell, which may begin or end within a character."""

    def has_control_tokens(self, text: str) -> bool:
        """Whether a text would be read as more than plain text in this model's template."""

    def score(self, trees: Sequence[TokenTree]) -> list[NDArray[np.float64]]:
        """Log-probabilities in nats, of shape (nodes,) for each tree.

        Each is of a node given its path; nodes that belong to no option are NaN.
        """
