"""Tokens that end an answer, of which servers give no alternatives."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from geppetto.models.endpoint.parsing import BrokenCompletionError, _said
from geppetto.models.requests import Request
from geppetto.prompts.chat import Turn

REQUEST = Request(
    turns=(Turn(role="user", content="?"),), temperature=0, max_tokens=4, top_logprobs=2
)


def choice(text: str, *tokens: tuple[str, bool]) -> SimpleNamespace:
    """A reply whose tokens have alternatives, or have not."""
    alternatives = [
        SimpleNamespace(token="3", logprob=-0.1),
        SimpleNamespace(token="4", logprob=-3),
    ]
    said = [
        SimpleNamespace(
            token=token, logprob=-0.1, bytes=None, top_logprobs=alternatives if has else []
        )
        for token, has in tokens
    ]
    message = SimpleNamespace(content=text)
    return SimpleNamespace(message=message, logprobs=SimpleNamespace(content=said))


def test_an_end_token_needs_no_alternatives() -> None:
    _, _, tokens = _said(choice("3", ("3", True), ("<|im_end|>", False)), REQUEST)
    assert [bool(token.top) for token in tokens] == [True, False]
    assert tokens[-1].log_prob == -0.1, "and counts with what it costs"


@pytest.mark.parametrize(
    "tokens",
    [
        [("3", False)],
        [("3", False), ("<|im_end|>", True)],
        [("3", True), (" of", False), (" 5", True)],
        [("3 of", True), (" 5", False)],
    ],
)
def test_what_is_said_needs_alternatives(tokens: list[tuple[str, bool]]) -> None:
    text = "".join(token for token, _ in tokens if not token.startswith("<|"))
    with pytest.raises(BrokenCompletionError, match="alternatives are missing"):
        _said(choice(text, *tokens), REQUEST)
