"""The exact log-probability of every legal option, by one pass over a prefix tree."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import accumulate, permutations, takewhile
from json.encoder import encode_basestring_ascii
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from geppetto._util.errors import GeppettoError
from geppetto.models.base import Scorer
from geppetto.models.identity import ModelIdentity
from geppetto.models.token_tree import Tokens, TokenTree
from geppetto.prompts.survey import Prompt

NAME = "option_likelihood"
VERSION = 1
"""Raised when a change here or in an engine changes answers to the same prompts."""


Normalisation = Literal["sum", "mean"]
"""Of token log-probabilities of an option: their sum, or their mean over its tokens."""


@dataclass(frozen=True)
class OptionScores:
    """What a model says of the legal options of one prompt, or of one open response.

    Attributes
    ----------
    log_probs
        Summed token log-probability of each option given the prompt, in nats; of an open
        response, its own.
    tokens
        Number of tokens of each option.
    prompt_tokens
        Number of tokens of the prompt.
    announcing
        Log-probability of the text that announces a response in a session, in nats; None if it
        was asked for by a prompt.
    """

    log_probs: tuple[float, ...]
    tokens: tuple[int, ...]
    prompt_tokens: int
    announcing: float | None = None


def request_id(prompt: Prompt, model: ModelIdentity) -> str:
    """Content hash of everything that changes the answer to a prompt."""
    return request_ids(prompt.options, model)(prompt.text)


@cache
def request_ids(options: tuple[tuple[str, str], ...], model: ModelIdentity) -> Callable[[str], str]:
    """The same for many prompts with these options, as a function of their texts."""
    begin = f'["{NAME}", {VERSION}, '
    end = f", {json.dumps(options)}, {json.dumps(model.of_scores, sort_keys=True)}]"

    def of(text: str) -> str:
        content = begin + encode_basestring_ascii(text) + end
        return hashlib.sha256(content.encode()).hexdigest()

    return of


@dataclass(frozen=True)
class Unit:
    """Prompts that share all but their item, and so one decode.

    Attributes
    ----------
    ids
        Request id of each prompt.
    prompts, options
        Token ids of each prompt and of each of its options.
    head
        Number of leading tokens that all prompts of an experiment share.
    """

    ids: tuple[str, ...]
    prompts: tuple[Tokens, ...]
    options: tuple[tuple[Tokens, ...], ...]
    head: int

    @cached_property
    def tree(self) -> TokenTree:
        return TokenTree.build(list(zip(self.prompts, self.options, strict=True)), self.head)

    @property
    def distinct_tokens(self) -> int:
        """Tokens of the tree that have to be computed: without the head, without leaves."""
        inner = set(self.tree.parents.tolist()) - {-1}
        return len(inner) - self.head

    @property
    def prompt_tokens(self) -> int:
        """Tokens that asking the prompts one by one would compute."""
        return sum(len(prompt) for prompt in self.prompts)

    def scores(self, tree: TokenTree, log_probs: NDArray[np.float64]) -> dict[str, OptionScores]:
        """What the log-probabilities of its tree's nodes say of every prompt, by request id."""
        return {
            request: OptionScores(
                log_probs=tuple(float(np.sum(log_probs[list(nodes)])) for nodes in options),
                tokens=tuple(len(nodes) for nodes in options),
                prompt_tokens=len(prompt),
            )
            for request, prompt, options in zip(self.ids, self.prompts, tree.options, strict=True)
        }

    def only(self, ids: Collection[str]) -> Unit:
        """The unit without its other prompts."""
        kept = [n for n, request in enumerate(self.ids) if request in ids]
        if len(kept) == len(self.ids):
            return self
        return Unit(
            ids=tuple(self.ids[n] for n in kept),
            prompts=tuple(self.prompts[n] for n in kept),
            options=tuple(self.options[n] for n in kept),
            head=self.head,
        )


def units(prompts: Mapping[str, Prompt], model: Scorer) -> Iterator[Unit]:
    """Group prompts by their stem and tokenise them.

    A unit depends on nothing but its own prompts, so that an interrupted experiment computes the
    remaining ones exactly as it would have.

    Parameters
    ----------
    prompts
        Prompts by request id.
    model
        Whose tokens to use.

    Raises
    ------
    GeppettoError
        If a prompt does not fit the model's context, or the tokenizer joins its end with an option.
    """
    by_stem: dict[str, list[str]] = {}
    for request, prompt in prompts.items():
        by_stem.setdefault(prompt.stem, []).append(request)
    for requests in by_stem.values():
        spelled: dict[tuple[tuple[str, str], ...], tuple[Tokens, ...]] = {}
        tokenised = []
        for request in requests:
            prompt = prompts[request]
            if prompt.options not in spelled:
                spelled[prompt.options] = option_tokens(prompt, model)
            tokenised.append((request, model.tokenize(prompt.text), spelled[prompt.options]))
            _refuse_longer_than_context(prompt, *tokenised[-1][1:], model)
        head = model.tokenize(prompts[requests[0]].head)
        for part in _parts(tokenised, model.most_branches):
            ids, texts, options = zip(*part, strict=True)
            shared = _common(*texts, head)
            yield Unit(ids, texts, options, head=min(shared, min(map(len, texts)) - 1))


def option_tokens(prompt: Prompt, model: Scorer) -> tuple[Tokens, ...]:
    """Tokens of each option as it continues the prompt.

    Where the tokens of one option begin those of another, as "1" begins "10", each has the token
    more that ends an answer: else "1" would be credited with all that is said of "10".

    Raises
    ------
    GeppettoError
        If the tokenizer joins the end of the prompt with an option, so that the model would not
        read the prompt that it is asked with; or if two options cannot be told apart.
    """
    before = model.tokenize(prompt.text)
    options = [_continuation(prompt, before, answer, model) for _, answer in prompt.options]
    if _begun(options) is not None:
        end = end_of_answer(model)
        options = [
            _ended(_continuation(prompt, before, answer + end, model), answer, model)
            for _, answer in prompt.options
        ]
    if (pair := _begun(options)) is not None:
        short, long = (prompt.options[number][1] for number in pair)
        raise GeppettoError(
            f"{model.identity.name} cannot tell option {short!r} from the beginning of option "
            f"{long!r}, even with the token that ends an answer"
        )
    return tuple(options)


def end_of_answer(model: Scorer) -> str:
    """A text that begins with the token that ends an answer: of its turn, or of its line."""
    template = model.template
    return (template.end_of_answer or template.eos if template else "") or "\n"


def _continuation(prompt: Prompt, before: Tokens, text: str, model: Scorer) -> Tokens:
    whole = model.tokenize(prompt.text + text)
    if whole[: len(before)] != before or len(whole) == len(before):
        raise GeppettoError(
            f"the tokenizer of {model.identity.name} joins the end of the prompt with option "
            f"{text!r}, so their probabilities cannot be told apart"
        )
    return whole[len(before) :]


def _ended(tokens: Tokens, answer: str, model: Scorer) -> Tokens:
    """The tokens of an answer and the one more, or the rest of its last one, that ends it."""
    length = len(answer.encode())
    spelled = accumulate(len(model.detokenize([token])) for token in tokens)
    return tokens[: 1 + sum(end <= length for end in spelled)]


def _begun(options: Sequence[Tokens]) -> tuple[int, int] | None:
    """Numbers of the first two options of which one begins the other, or is the same."""
    for pair in permutations(range(len(options)), 2):
        short, long = (options[number] for number in pair)
        if long[: len(short)] == short:
            return pair
    return None


_Tokenised = tuple[str, Tokens, tuple[Tokens, ...]]


def _parts(tokenised: Sequence[_Tokenised], most_branches: int) -> Iterator[list[_Tokenised]]:
    """Split prompts so that the branches of each part fit into one tree."""
    part: list[_Tokenised] = []
    branches = 0
    for prompt in tokenised:
        more = max(1, len({option[:-1] for option in prompt[2] if len(option) > 1}))
        if part and branches + more > most_branches:
            yield part
            part, branches = [], 0
        part.append(prompt)
        branches += more
    yield part


def _refuse_longer_than_context(
    prompt: Prompt, tokens: Tokens, options: tuple[Tokens, ...], model: Scorer
) -> None:
    needed = len(tokens) + max(map(len, options))
    if needed > model.context:
        raise GeppettoError(
            f"a prompt for {model.identity.name} needs {needed:,} tokens, but the model's context "
            f"holds {model.context:,}; it ends with {prompt.text[-60:]!r}; shorten the persona "
            "(fewer known answers or traits)"
        )


def _common(*sequences: Tokens) -> int:
    """Length of the longest common beginning."""
    columns = zip(*sequences, strict=False)
    return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))
