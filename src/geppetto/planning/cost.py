"""What asking a model will take, before it is asked: tokens, and dollars where prices are known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from geppetto.elicitation.base import Elicitation, Question
from geppetto.models.base import Model
from geppetto.models.endpoint.litellm_setup import library
from geppetto.models.requests import Completion, Request

_COUNTED_AS = "gpt-4o"
"""Whose tokeniser counts: it comes with LiteLLM, which would fetch those of some other models."""

_COUNTED = 50
"""Prompts whose tokens are counted; the others are taken to have as many by their length."""

_ONE_TOKEN = "word "
"""What each token that is said is taken to spell, where the next prompt holds it."""


@dataclass(frozen=True)
class Estimate:
    """What asking a model will take at most.

    It is approximate: tokens are counted as GPT-4o has them, not as the model does, and
    requests that fail and are sent again may be charged. Replies are taken to be as long as they
    may be, so that what is said is an upper bound.

    Attributes
    ----------
    requests
        How many will be sent.
    prompt_tokens, completion_tokens
        How many will be sent and, at most, said.
    dollars
        What they cost; None if the price is not known.
    """

    requests: int
    prompt_tokens: int
    completion_tokens: int
    dollars: float | None


def estimate(model: Model, elicitation: Elicitation, questions: Iterable[Question]) -> Estimate:
    """What asking about some questions will take, if no reply of theirs is stored yet."""
    requests = {
        request.id(model.identity): request
        for question in questions
        for request in _foreseen(elicitation, question)
    }
    texts = [_text(request) for request in requests.values()]
    letters = sum(map(len, texts))
    counted = texts[:: max(1, len(texts) // _COUNTED)]
    known = sum(map(_tokens, counted))
    prompt = round(known * letters / max(1, sum(map(len, counted))))
    thinks = model.identity.thinking_tokens
    said = sum(0 if one.echo else one.max_tokens + thinks for one in requests.values())
    return Estimate(len(requests), prompt, said, model.price(prompt, said))


def _foreseen(elicitation: Elicitation, question: Question) -> list[Request]:
    """All requests about a question if every reply is as long as it may be."""
    requests: list[Request] = []
    completions: list[Completion] = []
    while more := elicitation.requests(question, completions):
        requests.extend(more)
        completions.extend(Completion(text=_ONE_TOKEN * request.max_tokens) for request in more)
    return requests


def _text(request: Request) -> str:
    return request.text or "\n".join(turn.content for turn in request.turns)


def _tokens(text: str) -> int:
    count: int = library().token_counter(model=_COUNTED_AS, text=text)
    return count
