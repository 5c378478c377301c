"""Echoed log-probabilities of a server that others wrote, and of one that ignores the flag."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from geppetto.elicitation.base import Question
from geppetto.elicitation.likelihood import Likelihood
from geppetto.models.endpoint.client import Endpoint
from geppetto.models.endpoint.parsing import read
from geppetto.models.endpoint.probe import PATIENCE, probed
from geppetto.models.local.gguf import PACKAGED
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.requests import Request
from geppetto.models.token_tree import TokenTree
from geppetto.prompts.chat import Turn
from ignoring_server import ignoring_server
from llama_server import completions, llama_server

NAME = "gemma-3-270m"
NOISE = 0.01
"""Nats: the server's GELU is a table of half precision."""


@pytest.fixture(autouse=True)
def any_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", "unused")


def test_a_server_that_ignores_what_it_is_asked_for_is_found_out() -> None:
    with ignoring_server() as api_base:
        found = probed(Endpoint("silent", "hosted_vllm/some", api_base=api_base, patience=PATIENCE))
    can = found.capabilities
    assert can.chat and can.completion
    assert not can.echo and not can.top_logprobs and not can.system_role and not can.varies
    seen = {each.what: each.seen for each in found.findings}
    assert "missing" in seen["top logprobs"]
    assert "is dropped" in seen["system role"] and "copies" in seen["samples vary"]


def test_an_echo_is_of_the_text_where_a_long_token_opens_it_and_another_was_said() -> None:
    texts = ["<|begin_of_text|>", "one", " two", " three"]
    log_probs = SimpleNamespace(
        tokens=texts, token_logprobs=[None, -3.0, -1.0, -0.5], top_logprobs=None
    )
    response = SimpleNamespace(
        model="some",
        choices=[SimpleNamespace(text="one two three", finish_reason="length", logprobs=log_probs)],
        usage=SimpleNamespace(prompt_tokens=3, completion_tokens=1),
    )
    completion = read(
        response, Request(text="one two", max_tokens=1, echo=True), "hosted_vllm/some"
    )
    assert [token.text for token in completion.tokens] == texts[1:3]


def test_echoed_likelihoods_of_a_base_model_are_those_in_process(gemma: LlamaCppModel) -> None:
    """Each echoed token costs this server a sort of the vocabulary, so there is one question."""
    question = Question(
        turns=(Turn(role="user", content="Is the sky blue?"),),
        cue="Answer:",
        options=(("1", "Yes"), ("2", "No")),
        labels=(("1", "Yes"), ("2", "No")),
        kind="base",
    )
    elicitation = Likelihood()
    with llama_server(gemma, PACKAGED[NAME](), context=128) as api_base:
        endpoint = Endpoint(
            "served", f"hosted_vllm/{NAME}", api_base=api_base, kind="base", patience=PATIENCE
        )
        said = completions(endpoint, elicitation.requests(question, ()))
    found = elicitation.read(question, said)
    prompt = gemma.tokenize(question.plain())
    options = tuple(gemma.tokenize(f"{question.plain()} {a}")[len(prompt) :] for a in ("Yes", "No"))
    tree = TokenTree.build([(prompt, options)])
    scores = gemma.score([tree])[0]
    exact = [float(np.sum(scores[list(nodes)])) for nodes in tree.options[0]]
    print(np.abs(np.subtract(found.log_probs, exact)))
    assert np.allclose(found.log_probs, exact, rtol=0, atol=NOISE)
    assert set(found.outcomes) <= {"answered", "low option mass"}
