"""Exact mode equals an independent float32 computation of the same weights."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import invented
from geppetto.answers.local import score
from geppetto.elicitation.option_likelihood import end_of_answer, units
from geppetto.models.identity import Precision
from geppetto.models.local.gguf import PACKAGED
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.token_tree import TokenTree
from geppetto.prompts.survey import Layout, render
from geppetto.studies import Scale
from workspaces import ROOT

HERE = ROOT / "tests"
RECORDED = json.loads((HERE / "fixtures" / "reference_log_probs.json").read_text(encoding="utf-8"))[
    "models"
]
TOLERANCE = 2e-4
PROMPTS_PER_TREE = 5
EVERY = 8
"""Of prompts that are like one another every eighth is scored, and all are tokenised."""

Prompts = list[dict[str, Any]]

each_model = pytest.mark.parametrize("name", PACKAGED)
each_group = pytest.mark.parametrize("group", ["numbers", "words", "long"])


@cache
def load(name: str, precision: Precision) -> LlamaCppModel:
    model = LlamaCppModel(name, PACKAGED[name](), precision=precision)
    assert model.identity.sha256 == RECORDED[name]["sha256"], (
        f"{name} is another file than the one in the fixture; run tools/record_reference.py"
    )
    return model


def recorded(prompts: Prompts) -> NDArray[np.float64]:
    return np.array([prompt["log_probs"] for prompt in prompts])


def difference(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(np.abs(a - b).max())


def scored(name: str, prompts: Prompts, precision: Precision = "exact") -> NDArray[np.float64]:
    model = load(name, precision)
    columns = zip(*(prompt["tokens"] for prompt in prompts), strict=False)
    head = next(i for i, column in enumerate(columns) if len(set(column)) > 1)
    log_probs = []
    for start in range(0, len(prompts), PROMPTS_PER_TREE):
        tree = TokenTree.build(
            [
                (tuple(prompt["tokens"]), [tuple(option) for option in prompt["option_tokens"]])
                for prompt in prompts[start : start + PROMPTS_PER_TREE]
            ],
            head,
        )
        nodes = model.score([tree])[0]
        log_probs += [[nodes[list(o)].sum() for o in options] for options in tree.options]
    return np.array(log_probs)


@each_model
@each_group
def test_tokens_are_the_recorded_ones(name: str, group: str) -> None:
    model = load(name, "exact")
    for prompt in RECORDED[name]["groups"][group]:
        assert list(model.tokenize(prompt["text"])) == prompt["tokens"]
        text, start = prompt["text"], len(prompt["tokens"])
        options = [list(model.tokenize(text + option))[start:] for option in prompt["options"]]
        assert options == prompt["option_tokens"]


@each_model
@each_group
def test_exact_mode_equals_the_recorded_reference(name: str, group: str) -> None:
    prompts = RECORDED[name]["groups"][group]
    prompts = prompts[::EVERY] if group == "numbers" else prompts
    expected, actual = recorded(prompts), scored(name, prompts)
    assert difference(actual, expected) < TOLERANCE
    assert np.array_equal(actual.argmax(axis=1), expected.argmax(axis=1))


@each_model
def test_fast_mode_is_close_but_outside_the_tolerance(name: str) -> None:
    prompts = RECORDED[name]["groups"]["numbers"][::EVERY]
    assert TOLERANCE < difference(scored(name, prompts, "fast"), recorded(prompts)) < 0.15


@each_model
def test_nested_options_are_those_of_each_text_alone(name: str) -> None:
    """Brute force: each option and what ends it as a text of its own, token by token."""
    model = load(name, "exact")
    scale = Scale(options={str(n): str(n) for n in (1, 10, 100, 5)})
    study = invented.study_of(scale)
    prompt = render(study, study.items["q"], None, Layout(), model.template)
    (unit,) = units({"p": prompt}, model)
    (found,) = score([unit], model).values()
    expected = []
    for _, answer in prompt.options:
        text = prompt.text + answer + end_of_answer(model)
        before, whole = len(model.tokenize(prompt.text)), model.tokenize(text)
        tokens = whole[: before + len(model.tokenize_on(answer)) + 1]
        (nodes,) = model.score([TokenTree.build([(tokens[:1], [tokens[1:]])])])
        expected.append(nodes[before:].sum())
    assert difference(np.array(found.log_probs), np.array(expected)) < TOLERANCE
    tokens = model.tokenize(prompt.text)
    (ones,) = model.score([TokenTree.build([(tokens, [model.tokenize_on("1")])])])
    begun = [p for (_, a), p in zip(prompt.options, found.log_probs, strict=True) if a[0] == "1"]
    assert len(begun) == 3 and np.logaddexp.reduce(begun) <= ones[len(tokens)] + TOLERANCE
