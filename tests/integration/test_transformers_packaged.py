"""Packaged models as folders of the hub: another engine, the same numbers."""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pytest

from geppetto.answers.local import score
from geppetto.elicitation.option_likelihood import Unit, request_id, units
from geppetto.models.base import Scorer
from geppetto.models.local.gguf import PACKAGED
from geppetto.models.spec import ModelSpec, open_scorer
from geppetto.models.token_tree import TokenTree
from geppetto.personas.base import Persona
from geppetto.prompts.survey import Layout, render
from geppetto.studies import Study
from invented_sessions import bandit
from transcripts import plain, scores
from workspaces import ROOT

for package in ("torch", "transformers", "gguf"):
    pytest.importorskip(package, reason="needs: pip install 'geppetto[dev]'")

from tiny_models import folder_of  # noqa: E402  after what skips

RECORDED = json.loads(
    (ROOT / "tests" / "fixtures" / "reference_log_probs.json").read_text("utf-8")
)["models"]
TOLERANCE = 2e-4

each_model = pytest.mark.parametrize("name", PACKAGED)


@cache
def engines(name: str) -> tuple[Scorer, Scorer]:
    """The packaged model by llama.cpp, and its folder by transformers."""
    told = {"path": str(folder_of(name)), "name": name}
    return open_scorer(ModelSpec(name=name)), open_scorer(ModelSpec.model_validate(told))


@each_model
@pytest.mark.parametrize("group", ["numbers", "words"])
def test_it_equals_the_recorded_reference(name: str, group: str) -> None:
    """Of prompts and options that a pass each was made for, without anything shared."""
    _, model = engines(name)
    prompts = RECORDED[name]["groups"][group][:: 30 if group == "numbers" else 6]
    for prompt in prompts:
        tokens, options = tuple(prompt["tokens"]), [tuple(one) for one in prompt["option_tokens"]]
        assert model.tokenize(prompt["text"]) == tokens
        tree = TokenTree.build([(tokens, options)], head=len(tokens) // 2)
        nodes = model.score([tree])[0]
        found = [nodes[list(option)].sum() for option in tree.options[0]]
        np.testing.assert_allclose(found, prompt["log_probs"], atol=TOLERANCE)


def work(study: Study, model: Scorer, answer: str) -> list[Unit]:
    personas = [Persona("I am a calm person."), Persona("I worry about everything.", "system")]
    prompts = [
        render(study, item, persona, Layout(answer=answer), model.template)
        for persona in personas
        for item in list(study.items.values())[::18]
    ]
    return list(units({request_id(one, model.identity): one for one in prompts}, model))


@each_model
@pytest.mark.parametrize("answer", ["number", "label"])
def test_surveys_are_scored_as_by_llama_cpp(name: str, answer: str, bfi: Study) -> None:
    one, other = engines(name)
    assert one.identity.kind == other.identity.kind and one.template == other.template
    expected, found = work(bfi, one, answer), work(bfi, other, answer)
    assert [unit.prompts for unit in found] == [unit.prompts for unit in expected]
    assert [unit.options for unit in found] == [unit.options for unit in expected]
    scored = zip(score(expected, one).values(), score(found, other).values(), strict=True)
    for ours, theirs in scored:
        np.testing.assert_allclose(theirs.log_probs, ours.log_probs, atol=TOLERANCE)


@pytest.mark.parametrize(("name", "trials"), [("smollm2-135m-instruct", 20), ("gemma-3-270m", 46)])
def test_sessions_are_scored_as_by_llama_cpp(name: str, trials: int) -> None:
    """That of the second is longer than the 512 tokens that some of its layers attend to."""
    one, other = engines(name)
    transcript = plain(bandit(1, trials)[0]["text"])
    expected, found = scores(transcript, one), scores(transcript, other)
    assert (expected[-1].prompt_tokens > 540) == (trials > 40)
    for ours, theirs in zip(expected, found, strict=True):
        np.testing.assert_allclose(theirs.log_probs, ours.log_probs, atol=TOLERANCE)
        assert theirs.announcing == pytest.approx(ours.announcing, abs=TOLERANCE)
        assert (theirs.tokens, theirs.prompt_tokens) == (ours.tokens, ours.prompt_tokens)


def test_both_engines_take_the_same_tokens_for_an_end() -> None:
    for name in PACKAGED:
        one, other = engines(name)
        for text in ("<|im_end|>", "<eos>", "<end_of_turn>"):
            tokens = one.tokens(text, control=True)  # type: ignore[attr-defined]  # of local models alone
            assert tokens == other.tokens(text, control=True)  # type: ignore[attr-defined]  # of local models alone
            assert one.has_control_tokens(text) == other.has_control_tokens(text)
            assert one.detokenize(tokens) == other.detokenize(tokens) == text.encode()
