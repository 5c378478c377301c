"""Replies whose log-probabilities cannot be any: they say nothing, and that is counted."""

import numpy as np
import pytest

from geppetto.answers.parsed import ParsedAnswer
from geppetto.elicitation.base import Question
from geppetto.elicitation.likelihood import Likelihood
from geppetto.elicitation.next_token import NextToken
from geppetto.models.identity import Kind
from geppetto.models.requests import Completion, Token
from geppetto.prompts.chat import Turn


def question(kind: Kind) -> Question:
    options = (("1", "1"), ("2", "2"))
    return Question((Turn(role="user", content="I am calm."),), "Answer:", options, options, kind)


@pytest.mark.parametrize(
    "top",
    [
        (("1", -0.4), ("2", -1.5), ("3", -9999.0)),
        (("1", 5.0), ("2", 5.0)),
        (("1", 0.0), ("2", 0.0)),
        (("1", 1e308), ("2", -1.0)),
        (("1", -1.0), ("1", -1.0), ("2", -2.0)),
        (("1", -0.4), ("2", -np.inf)),
    ],
)
def test_next_token_says_nothing_of_a_reply_without_probabilities(
    top: tuple[tuple[str, float], ...],
) -> None:
    reply = Completion(text="1", tokens=(Token(text="1", log_prob=top[0][1], top=top),))
    reading = NextToken().read(question("chat"), [reply])
    assert reading.log_probs == () and reading.outcomes == ("no probabilities",)
    assert reading.low == (-np.inf, -np.inf) and reading.high == (0.0, 0.0)
    assert ParsedAnswer(reading, (reply,), ("id",)).reason == "no probabilities"


@pytest.mark.parametrize("log_probs", [(0.0, 0.0), (5.0, -1.0), (-9999.0, -1.0), (1e308, -1.0)])
def test_likelihood_says_nothing_of_echoes_without_probabilities(
    log_probs: tuple[float, float],
) -> None:
    asked = question("base")
    echoes = [
        Completion(tokens=(Token(text=asked.plain(), log_prob=None), Token(text=text, log_prob=p)))
        for text, p in zip((" 1", " 2"), log_probs, strict=True)
    ]
    reading = Likelihood().read(asked, echoes)
    assert reading.log_probs == ()
    assert "no probabilities" in reading.outcomes
    assert all(np.isfinite(high) and high <= 0 for high in reading.high)
