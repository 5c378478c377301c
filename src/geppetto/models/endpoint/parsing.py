"""What LiteLLM gives back, as a reply; or what is broken about it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from geppetto.models.budget import longest_prompt
from geppetto.models.endpoint.errors import BrokenCompletionError
from geppetto.models.local.echo import of_text
from geppetto.models.requests import Completion, Finish, Request, Token

_VERSION = re.compile(r"(?:[-@:](?:\d[\d.-]*|v\d[\w.-]*|latest|preview[\w.-]*|exp[\w.-]*))?")
"""What may come after a model's name where it says which version of it replied."""

_UNASKED = 200_000
"""Tokens that a server may count beyond those of a request: of its own system turn, of reasoning.
More are no count."""

_FINISH: Mapping[str, Finish] = {"length": "length", "content_filter": "filter"}
"""By the reasons that LiteLLM makes of every provider's own; all others are ends by itself."""


def read(response: Any, request: Request, wanted: str) -> Completion:
    """The reply in a response of LiteLLM's.

    Parameters
    ----------
    asked
        Name of the model that was asked, as its provider knows it.

    Raises
    ------
    BrokenReplyError
        If it lacks what was asked for, one choice, of the model that was asked, with
        log-probabilities of all that was said; or has anything else in its place.
    """
    try:
        return _read(response, request, wanted)
    except ValidationError as error:
        what = "; ".join(f"{each['loc']}: {each['msg']}" for each in error.errors())
        raise BrokenCompletionError(
            f"a reply is not of the form that was asked for: {what}"
        ) from error


def _read(response: Any, request: Request, wanted: str) -> Completion:
    choices = response.choices
    if not isinstance(choices, list) or len(choices) != 1:
        number = len(choices) if isinstance(choices, list) else "no"
        raise BrokenCompletionError(f"{number} choices came back where one was asked for")
    reported = str(response.model or "")
    if not reported:
        raise BrokenCompletionError("a reply came back that does not say which model it is of")
    if not _is_the_same(reported, wanted):
        raise BrokenCompletionError(
            f"{reported!r} replied where {wanted!r} was asked; if they are one, name it as it "
            "calls itself, or give its `base_model` among the parameters"
        )
    (choice,) = choices
    text, reasoning, tokens = (_said if request.turns else _continued)(choice, request)
    return Completion(
        text=text,
        reasoning=reasoning,
        finish=_FINISH.get(choice.finish_reason, "stop"),
        tokens=tokens,
        model=reported,
        **_used(getattr(response, "usage", None), request),
    )


def _used(usage: Any, request: Request) -> dict[str, int]:
    """The numbers of tokens that a reply took by its own account; none if one makes no sense."""
    details = getattr(usage, "completion_tokens_details", None)
    said: dict[str, Any] = {
        "prompt_tokens": getattr(usage, "prompt_tokens", None),
        "completion_tokens": getattr(usage, "completion_tokens", None),
    }
    most = longest_prompt(request) + request.max_tokens + _UNASKED
    if not all(type(number) is int and 0 <= number <= most for number in said.values()):
        return {}
    reasoned: Any = getattr(details, "reasoning_tokens", None)
    is_part = type(reasoned) is int and 0 <= reasoned <= most
    return {**said, "reasoning_tokens": reasoned if is_part else 0}


def _is_the_same(reported: str, wanted: str) -> bool:
    """Whether a model that replied is the one that was asked, by its name or a version of it."""
    one, other = (name.rpartition("/")[2] for name in (reported, wanted))
    return one.startswith(other) and bool(_VERSION.fullmatch(one.removeprefix(other)))


def _said(choice: Any, request: Request) -> tuple[str, str, tuple[Token, ...]]:
    message = choice.message
    text = message.content or getattr(message, "refusal", None) or ""
    reasoning = getattr(message, "reasoning_content", None) or ""
    if not request.top_logprobs:
        return text, reasoning, ()
    stated = getattr(choice, "logprobs", None)
    said = getattr(stated, "content", None) or ()
    tokens = tuple(
        _token(each.token, each.logprob, ((t.token, t.logprob) for t in each.top_logprobs or ()))
        for each in said
    )
    _check_spelling(_bytes(said), message.content or "")
    _check_top(tokens, _bytes(said[:-1]), message.content or "")
    return text, reasoning, tokens


def _continued(choice: Any, request: Request) -> tuple[str, str, tuple[Token, ...]]:
    continued = _Continued.model_validate(choice)
    if continued.text is None:
        raise BrokenCompletionError("a reply came back without a text")
    text, stated = continued.text, continued.logprobs or _LogProbs()
    if not request.top_logprobs and not request.echo:
        return text, "", ()
    texts, values = stated.tokens or (), stated.token_logprobs or ()
    tops = stated.top_logprobs or [None] * len(texts)
    if not len(texts) == len(values) == len(tops):
        raise BrokenCompletionError("not every token came with its log-probability")
    tokens = tuple(
        _token(text, value, (top or {}).items())
        for text, value, top in zip(texts, values, tops, strict=True)
    )
    if not request.echo:
        _check_spelling("".join(texts), text)
        _check_top(tokens, "".join(texts[:-1]), text)
        return text, "", tokens
    _check_spelling("".join(texts), request.text)
    return "", "", of_text(tokens, request.text)


class _LogProbs(BaseModel):
    """Log-probabilities of plain text, of which a server may leave out anything."""

    model_config = ConfigDict(from_attributes=True)

    tokens: list[str] | None = None
    token_logprobs: list[float | None] | None = None
    top_logprobs: list[dict[str, float | None] | None] | None = None


class _Continued(BaseModel):
    """How a plain text goes on."""

    model_config = ConfigDict(from_attributes=True)

    text: str | None = None
    logprobs: _LogProbs | None = None


def _token(text: str, log_prob: float | None, top: Iterable[tuple[str, float | None]]) -> Token:
    known = [(other, math.nan if value is None else value) for other, value in top]
    if any(math.isnan(value) for _, value in known):
        raise BrokenCompletionError("an alternative came without its log-probability")
    most_probable = sorted(known, key=lambda each: -each[1])
    if log_prob is not None and math.isnan(log_prob):
        raise BrokenCompletionError("a token's log-probability is not a number")
    return Token(text=text, log_prob=log_prob, top=tuple(most_probable))


def _bytes(said: Iterable[Any]) -> str:
    """What tokens spell; a letter may be spread over several, which then have its bytes."""
    try:
        spelled = [
            bytes(each.bytes)
            if getattr(each, "bytes", None)
            else each.token.encode(errors="replace")
            for each in said
        ]
    except ValueError as error:
        raise BrokenCompletionError("a token is said to have bytes that are none") from error
    return b"".join(spelled).decode(errors="replace")


def _check_spelling(tokens: str, text: str) -> None:
    """Refuse tokens that do not spell a text: some are missing.

    Only ASCII letters and signs are compared, since servers write half letters and spaces in
    different ways. More tokens than the text may be there: reasoning, an end of turn.
    """
    if not _spells(tokens, text) or (text and not tokens):
        raise BrokenCompletionError(
            "log-probabilities were asked for, and those of some or all tokens are missing"
        )


def _spells(tokens: str, text: str) -> bool:
    spelled, wanted = (
        "".join(c for c in each if c.isascii() and not c.isspace()) for each in (tokens, text)
    )
    return wanted in spelled


def _check_top(tokens: Sequence[Token], before_last: str, text: str) -> None:
    """Refuse tokens without alternatives; one that only ends the text may have none."""
    ends = len(tokens) > 1 and _spells(before_last, text)
    if any(token.text and not token.top for token in (tokens[:-1] if ends else tokens)):
        raise BrokenCompletionError("log-probabilities of a token's alternatives are missing")
