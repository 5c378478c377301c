"""A model on this machine that is asked by requests, as one behind an interface is."""

from __future__ import annotations

import asyncio
from codecs import getincrementaldecoder
from collections.abc import Callable, Sequence
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.requests import (
    Capabilities,
    Completion,
    Finish,
    Request,
    TextModelIdentity,
    Token,
)
from geppetto.models.token_tree import Tokens, TokenTree
from geppetto.prompts.chat import ChatTemplate, Turn
from geppetto.prompts.turns import around


class LocalTextModel:
    """A GGUF file that says tokens one by one.

    At temperature 0 it says the most probable token, else it draws from a generator whose seed is
    the request's id: the same request has the same reply, and another `sample` another one. All
    log-probabilities are of the whole vocabulary at temperature 1. The token that ends a turn is
    among a reply's tokens, with an empty text.

    Parameters
    ----------
    model
        The model, by whose own chat template turns are written if it has one.
    """

    def __init__(self, model: LlamaCppModel) -> None:
        self._model = model
        self._one_at_a_time = model.lock
        known = model.identity
        self.identity = TextModelIdentity(
            name=known.name,
            model=known.sha256,
            kind=known.kind,
            engine=f"{known.engine}, weights {known.weights}, cache {known.kv_cache}, "
            f"flash attention {known.flash_attention}, gelu {known.gelu}",
        )
        self.capabilities = Capabilities(
            chat=model.template is not None,
            completion=True,
            system_role=model.template is not None,
            top_logprobs=model.vocabulary,
            echo=True,
            deterministic=True,
            varies=True,
            priced=True,
        )

    async def completion(self, request: Request) -> Completion:
        """The reply to a request; one with an `error` if it cannot be put before the model."""
        return await asyncio.to_thread(self._completion, request)

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
        model = self._model
        if bool(request.turns) == bool(request.text):
            raise GeppettoError("a request needs turns or a text to continue, and not both")
        if request.echo and request.turns:
            raise GeppettoError("only a text can be echoed, not turns")
        tokens = model.tokenize(self._written(request.turns) if request.turns else request.text)
        needed = len(tokens) + (0 if request.echo else request.max_tokens)
        if needed > model.context:
            raise GeppettoError(
                f"a request to {self.identity.name} needs {needed:,} tokens, but the model's "
                f"context holds {model.context:,}; shorten the persona"
            )
        if len(tokens) < 1 + request.echo:
            raise GeppettoError("the text is too short to have a probability")
        return tokens

    def _written(self, turns: Sequence[Turn]) -> str:
        if self._model.template is None:
            raise GeppettoError(
                f"{self.identity.name} has no chat template; send it plain text instead"
            )
        for turn in turns:
            if self._model.has_control_tokens(turn.content):
                raise GeppettoError(
                    f"a turn holds text that {self.identity.name} reads as the end of a turn or "
                    f"another control token: {turn.content[:60]!r}; change the strategy"
                )
        return written(turns, self._model.template)

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
            ends = self._model.is_end(chosen)
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

        self._model.say(prompt, choose, request.max_tokens)
        return Completion(
            text=self._spelled(said),
            finish=finish,
            tokens=tuple(tokens) if request.top_logprobs else (),
            prompt_tokens=len(prompt),
            completion_tokens=len(tokens),
        )

    def _echo(self, prompt: Tokens) -> Completion:
        """The tokens of a text, each with its log-probability given those before it."""
        tree = TokenTree.build([(prompt[:1], [prompt[1:]])])
        log_probs = self._model.log_probs(tree)
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
        return tuple((self._spelled([int(token)]), float(log_probs[token])) for token in best)

    def _speller(self) -> Callable[[int], str]:
        """What each of some tokens in a row adds to their text: a character when it is whole."""
        decoder = getincrementaldecoder("utf-8")("replace")
        return lambda token: decoder.decode(self._model.detokenize([token]))

    def _spelled(self, tokens: Sequence[int]) -> str:
        return self._model.detokenize(tokens).decode(errors="replace")


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
