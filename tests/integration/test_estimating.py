"""What asking will take, told before it is asked."""

from __future__ import annotations

from pathlib import Path

import pytest

from fault_server import Script, served
from geppetto.answers.client import converse
from geppetto.answers.completions import CompletionStore
from geppetto.models.budget import BudgetTracker
from geppetto.models.endpoint.client import Endpoint
from geppetto.planning.cost import estimate
from scripted import Rounds, endpoint, questions

OWN = {"input_cost_per_token": 1e-3, "output_cost_per_token": 2e-3}


def test_requests_are_those_that_are_sent_and_tokens_as_many_or_more(tmp_path: Path) -> None:
    asked, way, script = questions(120), Rounds(rounds=2), Script()
    store, tracker = CompletionStore.at(tmp_path / "answers.db"), BudgetTracker()
    with served(script) as base:
        text_model = endpoint(base, parameters=OWN)
        found = estimate(text_model, way, [*asked.values(), *asked.values()])
        converse(text_model, way, asked, store, tracker, lambda _: None)
    assert found.requests == sum(script.asked.values()) == 240
    assert found.completion_tokens == 240 * 3
    assert found.dollars == pytest.approx(
        found.prompt_tokens * 1e-3 + found.completion_tokens * 2e-3
    )
    assert tracker.dollars > 0


def test_tokens_of_prompts_not_counted_follow_their_length() -> None:
    few, many = (
        estimate(Endpoint("m", "openai/gpt-4o"), Rounds(), questions(number, 1000).values())
        for number in (40, 400)
    )
    assert many.prompt_tokens == pytest.approx(10 * few.prompt_tokens, rel=0.02)
    assert many.dollars is not None
    assert many.dollars > 0


def test_the_dollars_of_an_unknown_model_are_not_guessed() -> None:
    assert estimate(Endpoint("m", "openai/nobody"), Rounds(), questions(1).values()).dollars is None


def test_nothing_to_ask_takes_nothing() -> None:
    found = estimate(Endpoint("m", "openai/gpt-4o"), Rounds(), ())
    assert (found.requests, found.prompt_tokens, found.dollars) == (0, 0, 0.0)
