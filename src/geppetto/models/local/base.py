"""What every model on this machine has in common: it says tokens one by one."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from codecs import getincrementaldecoder
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Lock
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto.models.gate import RequestGate
from geppetto.models.identity import Kind, ModelIdentity
from geppetto.models.requests import Capabilities, Completion, Finish, Request, Token
from geppetto.models.token_tree import Tokens, TokenTree
from geppetto.prompts.chat import ChatTemplate, Turn
from geppetto.prompts.turns import around

Choose = Callable[[NDArray[np.float64]], int | None]
"""A token by the log-probabilities of all, shape (vocabulary,); None to end."""


class LocalModel(ABC):
    """A model whose tokens and weights are on this machine.

    At temperature 0 it says the most probable token, else it draws from a generator whose seed is
    the request's id: the same request has the same completion, and another `sample` another one.
    All log-probabilities are of the whole vocabulary at temperature 1. The token that ends a turn
    is among a completion's tokens, with an empty text.

    Attributes
    ----------
    identity
        Who it is.
    capabilities
        All that a model can give whose weights are known; see `capabilities_of`.
    template
        Its own chat template, by which turns are written; None of a base model.
    context
        The most tokens a prompt and what follows it may have together.
    most_branches
        The most branches that a tree may have.
    leading
        Tokens that stand before a text from its beginning, as in the model's training.
    most_at_once, trees_at_once
        How many requests it is sent, or trees it is given, at once: what it computes, it computes
        one by one, unless its engine says otherwise.

    Examples
    --------
    >>> from geppetto.models.local.gguf import PACKAGED
    >>> from geppetto.models.local.llama_cpp import LlamaCppModel
    >>> model = LlamaCppModel("gemma", PACKAGED["gemma-3-270m"]())
    >>> model.capabilities.chat, model.length("How are you?") > 3
    (False, True)
    """

    identity: ModelIdentity
    capabilities: Capabilities
    template: ChatTemplate | None
    context: int
    most_branches: int
    leading: Tokens
    most_at_once = 1
    trees_at_once = 1

    def __init__(self) -> None:
        self._one_at_a_time = Lock()

    @abstractmethod
    def tokens(self, text: str, control: bool) -> Tokens:
        """Tokens of a text, without leading ones.

        Nothing is added at the end, whatever the model's files ask for.

        Parameters
        ----------
        text
            What to spell.
        control
            Whether the texts of control tokens are these tokens, or plain text.
        """

    @abstractmethod
    def detokenize(self, tokens: Sequence[int]) -> bytes:
        """What tokens spell, which may begin or end within a character."""

    @abstractmethod
    def is_end(self, token: int) -> bool:
        """Whether a token ends a text or a turn."""

    @abstractmethod
    def score(self, trees: Sequence[TokenTree]) -> list[NDArray[np.float64]]:
        """Log-probability of each option's nodes in each tree, in nats; see `Scorer`."""

    @abstractmethod
    def say(self, prompt: Tokens, choose: Choose, most: int) -> None:
        """Let each next token after a prompt be chosen from the log-probabilities of all.

        Parameters
        ----------
        prompt
            Tokens to continue, at least one.
        choose
            Gives the next token, or None to end.
        most
            How many tokens it will choose at most.
        """

    @property
    def scorer(self) -> LocalModel:
        """Itself."""
        return self

    def tokenize(self, text: str) -> Tokens:
        """Tokens of a text from its beginning, with the leading ones, which no text has twice."""
        tokens = self.tokenize_on(text)
        if tokens[: len(self.leading)] == self.leading:
            return tokens
        return self.leading + tokens

    def tokenize_on(self, text: str) -> Tokens:
        """Tokens of a text that continues another, without leading ones.

        The texts of control tokens are control tokens for a chat model, whose template writes
        them, and plain text for a base one.
        """
        return self.tokens(text, control=self.template is not None)

    def has_control_tokens(self, text: str) -> bool:
        """Whether a text would be read as more than plain text in this model's template."""
        return self.tokens(text, control=True) != self.tokens(text, control=False)

    def price(self, prompt_tokens: int, completion_tokens: int) -> float:
        """Nothing."""
        return 0.0

    def length(self, text: str) -> int:
        """Number of a text's tokens."""
        return len(self.tokenize(text))

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[None]:
        """A time in which it is asked; it has no connections."""
        yield

    async def generate(self, request: Request, gate: RequestGate) -> Completion:
        """The completion of a request; one with an `error` if the model cannot read it."""
        return await gate.once(lambda: asyncio.to_thread(self._completion, request))

    def refuse(self, request: Request) -> None:
        """Refuse a request that cannot be put before the model.

        Raises
        ------
        GeppettoError
            If it is one: its text holds control tokens or is longer than the context.
        """
        self._prompt(request)

    def _completion(self, request: Request) -> Completion:
        with self._one_at_a_time:
            started = perf_counter()
            try:
                prompt = self._prompt(request)
                completion = self._echo(prompt) if request.echo else self._say(prompt, request)
            except GeppettoError as error:
                return Completion(finish="error", error=str(error), hopeless=True)
            seconds = perf_counter() - started
        more = {"model": self.identity.name, "cost": 0.0, "seconds": seconds}
        return completion.model_copy(update=more)

    def _prompt(self, request: Request) -> Tokens:
        if bool(request.turns) == bool(request.text):
            raise GeppettoError("a request needs turns or a text to continue, and not both")
        if request.echo and request.turns:
            raise GeppettoError("only a text can be echoed, not turns")
        tokens = self.tokenize(self._written(request.turns) if request.turns else request.text)
        needed = len(tokens) + (0 if request.echo else request.max_tokens)
        if needed > self.context:
            raise GeppettoError(
                f"a request to {self.identity.name} needs {needed:,} tokens, but the model's "
                f"context holds {self.context:,}; shorten the persona"
            )
        if len(tokens) < 1 + request.echo:
            raise GeppettoError("the text is too short to have a probability")
        return tokens

    def _written(self, turns: Sequence[Turn]) -> str:
        if self.template is None:
            raise GeppettoError(
                f"{self.identity.name} has no chat template; send it plain text instead"
            )
        for turn in turns:
            if self.has_control_tokens(turn.content):
                raise GeppettoError(
                    f"a turn holds text that {self.identity.name} reads as the end of a turn or "
                    f"another control token: {turn.content[:60]!r}; change the item's text or the "
                    "strategy"
                )
        return written(turns, self.template)

    def _say(self, prompt: Tokens, request: Request) -> Completion:
        """Tokens after a prompt, until one ends it or there are enough."""
        rng = np.random.default_rng(int(request.id(self.identity), 16))
        spell = self._speller()
        said: list[int] = []
        tokens: list[Token] = []
        finish: Finish = "length"

        def choose(log_probs: NDArray[np.float64]) -> int | None:
            nonlocal finish
            chosen = _drawn(log_probs, request.temperature, rng)
            ends = self.is_end(chosen)
            tokens.append(
                Token(
                    text="" if ends else spell(chosen),
                    log_prob=float(log_probs[chosen]),
                    top=self._top(log_probs, request.top_logprobs),
                )
            )
            if ends:
                finish = "stop"
                return None
            said.append(chosen)
            return chosen if len(said) < request.max_tokens else None

        self.say(prompt, choose, request.max_tokens)
        return Completion(
            text=self._spelling(said),
            finish=finish,
            tokens=tuple(tokens) if request.top_logprobs else (),
            prompt_tokens=len(prompt),
            completion_tokens=len(tokens),
        )

    def _echo(self, prompt: Tokens) -> Completion:
        """The tokens of a text, each with its log-probability given those before it."""
        tree = TokenTree.build([(prompt[:1], [prompt[1:]])])
        (log_probs,) = self.score([tree])
        texts = list(map(self._speller(), prompt))
        return Completion(
            tokens=(
                Token(text=texts[0], log_prob=None),
                *(
                    Token(text=text, log_prob=float(log_prob))
                    for text, log_prob in zip(texts[1:], log_probs[1:], strict=True)
                ),
            ),
            prompt_tokens=len(prompt),
        )

    def _top(self, log_probs: NDArray[np.float64], count: int) -> tuple[tuple[str, float], ...]:
        count = min(count, len(log_probs))
        if not count:
            return ()
        best = np.argpartition(log_probs, -count)[-count:]
        best = best[np.argsort(-log_probs[best], kind="stable")]
        return tuple((self._spelling([int(token)]), float(log_probs[token])) for token in best)

    def _speller(self) -> Callable[[int], str]:
        """What each of some tokens in a row adds to their text: a character when it is whole."""
        decoder = getincrementaldecoder("utf-8")("replace")
        return lambda token: decoder.decode(self.detokenize([token]))

    def _spelling(self, tokens: Sequence[int]) -> str:
        return self.detokenize(tokens).decode(errors="replace")


def refuse_without_template(name: str, kind: Kind | None, source: str | None, where: Path) -> None:
    """Refuse a model that is declared to chat and has nothing to write turns with.

    Raises
    ------
    GeppettoError
        If it is one.
    """
    if kind == "chat" and not source:
        raise GeppettoError(
            f"{name} is declared `kind: chat`, but {where.name} carries no chat template; "
            "declare it `kind: base`"
        )


def capabilities_of(template: ChatTemplate | None, vocabulary: int) -> Capabilities:
    """All that a model of so many tokens gives; it takes turns if it has a chat template."""
    return Capabilities(
        chat=template is not None,
        completion=True,
        system_role=template is not None,
        top_logprobs=vocabulary,
        echo=True,
        deterministic=True,
        varies=True,
        priced=True,
    )


def written(turns: Sequence[Turn], template: ChatTemplate) -> str:
    """A conversation up to where its next answer begins, in a template that is verified.

    Raises
    ------
    GeppettoError
        If the template does not write the turns as given.
    """
    if all(turn.role != "assistant" for turn in turns):
        return template.render(turns)
    if turns[0].role == "system" and not template.has_system_role:
        first = Turn(role="user", content=f"{turns[0].content}\n\n{turns[1].content}")
        turns = (first, *turns[2:])
    conversation = [*turns, Turn(role="assistant", content="")]
    before = around(conversation, template)
    return "".join(text + turn.content for text, turn in zip(before, conversation, strict=True))


def _drawn(log_probs: NDArray[np.float64], temperature: float, rng: np.random.Generator) -> int:
    """A token: the most probable at temperature 0, else one drawn at it."""
    if temperature == 0:
        return int(np.argmax(log_probs))
    weights = np.exp((log_probs - log_probs.max()) / temperature)
    cumulated = np.cumsum(weights)
    return int(np.searchsorted(cumulated, rng.random() * cumulated[-1], side="right"))
