"""What MLflow is told of who was asked, how, and with which words."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from geppetto.experiment.prepare import prepare
from geppetto.models.requests import Capabilities
from geppetto.planning.config import Experiment
from geppetto.planning.plan import Condition
from geppetto.planning.prepared import Prepared
from geppetto.reports import reading
from geppetto.tracking import conditions, params

LOCAL, FAR = "smollm2-135m-instruct", "far"
EXPERIMENT = {
    "name": "params",
    "question": "Who was asked?",
    "study": "bfi",
    "participants": {"sample": 3, "seed": 1, "complete": True},
    "items": ["A1"],
    "models": [
        {
            "name": FAR,
            "model": "openai/gpt-4o-mini",
            "api_base": "http://127.0.0.1:9/v1",
            "parameters": {"top_p": 0.9},
        },
        LOCAL,
    ],
    "strategies": ["interview"],
    "arms": ["none", "own"],
    "elicitations": ["next_token", {"samples": {"k": 3}}, "stated"],
    "sample_prompts": 2,
}
SAMPLES = "samples(k=3)"


@pytest.fixture(scope="module")
def prepared() -> Prepared:
    return prepare(Experiment.model_validate(EXPERIMENT), Path())


def of(prepared: Prepared, model: str, elicitation: str) -> dict[str, object]:
    return params.of_condition(prepared, Condition(model, "interview", "own"), elicitation)


def test_an_endpoint_is_told_by_its_name_its_address_its_parameters_and_what_it_gives(
    prepared: Prepared,
) -> None:
    asked = {elicited.key: elicited for elicited in prepared.by_requests}
    text_model = asked[FAR, SAMPLES].model
    text_model.capabilities = Capabilities(chat=True, varies=True)
    found = of(prepared, FAR, SAMPLES)
    assert found["model"] == FAR and found["model_litellm_name"] == "openai/gpt-4o-mini"
    assert found["model_api_base"] == "http://127.0.0.1:9/v1" and found["model_kind"] == "chat"
    assert json.loads(str(found["model_parameters"])) == {"top_p": 0.9}
    assert (found["elicitation"], found["elicitation_k"]) == (SAMPLES, 3)
    assert found["capability_varies"] and not found["capability_echo"]
    assert "model_sha256" not in found and "model_engine" not in found


def test_a_file_that_is_asked_by_requests_is_told_by_its_hash_and_how_it_is_computed(
    prepared: Prepared,
) -> None:
    found = of(prepared, LOCAL, "next_token")
    assert len(str(found["model_sha256"])) == 64
    assert "llama" in str(found["model_engine"]) and found["capability_echo"]
    exact = prepare(
        Experiment.model_validate(
            EXPERIMENT | {"models": [LOCAL], "elicitations": ["likelihood", "next_token"]}
        ),
        Path(),
    )
    scored = of(exact, LOCAL, "likelihood")
    assert scored["model_sha256"] == found["model_sha256"] and scored["model_weights"] == "f32"
    assert scored["elicitation"] == "likelihood"
    assert [(one["name"], one["elicitation"]) for one in params.model_params(exact)] == [
        (LOCAL, "likelihood"),
        (LOCAL, "next_token"),
    ]


def test_the_plan_names_every_model_in_every_elicitation(prepared: Prepared) -> None:
    told = params.of_plan(prepared)
    assert told["models"] == f"{FAR}, {LOCAL}"
    assert told["elicitations"] == f"next_token, {SAMPLES}, stated"
    asked = json.loads(json.dumps(params.model_params(prepared)))
    assert [(one["name"], one["elicitation"]) for one in asked] == list(
        product((FAR, LOCAL), ("next_token", SAMPLES, "stated"))
    )
    assert asked[1]["litellm_name"] == "openai/gpt-4o-mini"
    assert asked[1]["elicitation_parameters"]["k"] == 3 and "chat" in asked[1]["capabilities"]
    assert {"litellm", "dspy", "llama-cpp-python"} <= params.versions().keys()


def test_a_baseline_has_nothing_of_a_model(prepared: Prepared) -> None:
    found = params.of_condition(prepared, Condition("baseline", "uniform", "none"), "")
    assert not [name for name in found if name.startswith(("model_", "elicitation", "capab"))]


def test_sampled_prompts_are_what_is_sent_in_each_elicitation(prepared: Prepared) -> None:
    texts = dict(conditions._sample_prompts(prepared, Condition(FAR, "interview", "own")))
    people = prepared.plan.participants[:2]
    assert list(texts) == [
        f"{person}_A1_{label}"
        for label, person in product(("next_token", "samples_k_3", "stated"), people)
    ]
    for name, text in texts.items():
        system, user = text.removeprefix("[system]\n").split("\n\n[user]\n")
        assert "Interviewee:" in user and system
        assert ("per cent" in text.lower() or "percentage" in text.lower()) == ("stated" in name)
        assert text.endswith("Reply with your answer only.") == ("stated" not in name)
    assert len({text for name, text in texts.items() if people[0] in name}) == 2


def test_pairs_that_are_asked_by_requests_are_told_before_anything_is_asked() -> None:
    of = {"family": "S", "generation": "2", "parameters": "135M", "released": "2024-11-01"}
    post = {"name": "post", "model": "openai/post", "api_base": "http://127.0.0.1:9/v1"}
    base = post | {"name": "raw", "model": "openai/raw", "kind": "base"}
    models = [
        post | {"lineage": of | {"training": "post-trained", "base": "raw"}},
        base | {"lineage": of | {"training": "base"}},
    ]
    asked = {"models": models, "elicitations": [{"samples": {"k": 2}}]}
    found = prepare(Experiment.model_validate(EXPERIMENT | asked), Path())
    told = list(reading.pairs_of(found))
    assert told[0] == "pair: post was post-trained from raw"
    assert "differ in what they read (its chat template, plain text)" in told[1]


def test_a_layout_is_logged_as_it_was_given() -> None:
    for layout in ({}, {"order": "reversed"}, {"answer": "letter"}):
        experiment = Experiment.model_validate(EXPERIMENT | {"layout": layout})
        assert params.settings(experiment)["layout"] == layout
