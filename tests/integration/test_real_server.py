"""The same questions through a server that others wrote and in process give the same numbers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

import geppetto
from geppetto.answers.probes import ProbeStore
from geppetto.elicitation.base import Question
from geppetto.elicitation.next_token import NextToken
from geppetto.elicitation.samples import Samples
from geppetto.evaluation.results import Results
from geppetto.models.endpoint.client import Endpoint
from geppetto.models.endpoint.probe import PATIENCE
from geppetto.models.local.gguf import PACKAGED
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.requests import Request
from geppetto.models.token_tree import TokenTree
from geppetto.personas import Persona
from geppetto.prompts.survey import Layout, turns
from geppetto.studies import Study
from llama_server import completions, llama_server
from workspaces import folds_of_two, with_store, without_figures

NOISE = 1e-4
"""Nats by which float32 weights in two programs may differ: other batches, other order of sums."""

NAME = "smollm2-135m-instruct"
PERSONAS = ("I am 19 years old.", "I am 74 years old and I have been a nurse all my life.")


@pytest.fixture(scope="module")
def served(smollm2: LlamaCppModel) -> Iterator[str]:
    with llama_server(smollm2, PACKAGED[NAME](), context=512) as api_base:
        yield api_base


@pytest.fixture
def endpoint(served: str, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    return endpoint_at(served, monkeypatch)


def endpoint_at(api_base: str, monkeypatch: pytest.MonkeyPatch) -> Endpoint:
    monkeypatch.setenv("OPENAI_API_KEY", "unused")
    return Endpoint("served", f"openai/{NAME}", api_base=api_base, patience=PATIENCE)


def questions(bfi: Study, items: int, personas: Sequence[str] = PERSONAS) -> list[Question]:
    layout = Layout()
    return [
        Question(
            turns=tuple(turns(bfi, item, Persona(persona, "system"), layout)),
            cue="Answer: ",
            options=tuple(layout.listed(bfi.scale(item)).items()),
            labels=tuple(bfi.scale(item).options.items()),
            kind="chat",
        )
        for persona in personas
        for item in list(bfi.items.values())[:items]
    ]


def first_token_of(request: Request) -> Request:
    """The same request, of which no more is said than what is compared: this server is slow."""
    return request.model_copy(update={"max_tokens": 1})


def in_process(model: LlamaCppModel, request: Request, answers: Sequence[str]) -> np.ndarray:
    """Log-probability of each answer as the first token of the reply, in nats."""
    assert model.template is not None
    prompt = model.tokenize(model.template.render(request.turns))
    options = tuple(model.tokenize_on(answer) for answer in answers)
    assert all(len(tokens) == 1 for tokens in options)
    tree = TokenTree.build([(prompt, options)])
    scores = model.score([tree])[0]
    return np.array([scores[list(nodes)].sum() for nodes in tree.options[0]])


FILE = """
question: Does it matter who computes?
study: bfi
participants: {{sample: 2, seed: 1, complete: true}}
items: [A1, C1]
models: [{name}, {{name: served, model: openai/{name}, api_base: "{base}"}}]
strategies: [interview]
arms: [none, own]
elicitations: [next_token]
"""


@pytest.fixture(scope="module")
def ran(
    served: str, tmp_path_factory: pytest.TempPathFactory, empty_store: Path
) -> tuple[Path, Results]:
    """A workspace, and what an experiment found there with the model in process and served."""
    workspace = with_store(tmp_path_factory.mktemp("served"), empty_store)
    path = workspace / "both.yaml"
    path.write_text(FILE.format(name=NAME, base=served))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OPENAI_API_KEY", "unused")
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("GEPPETTO_ANSWERS", raising=False)
        folds_of_two(patch)
        without_figures(patch)
        return workspace, geppetto.run(path, workspace)


def test_a_probe_sees_what_the_server_gives_and_that_its_echo_is_one_place_off(
    endpoint: Endpoint, ran: tuple[Path, Results]
) -> None:
    found = ProbeStore.of_workspace(ran[0]).get(endpoint.identity)
    assert found is not None
    can = found.capabilities
    assert can.chat and can.completion and can.system_role and can.varies
    assert can.top_logprobs == 20 and not can.reasons and not can.priced
    assert not can.echo
    (echo,) = [each for each in found.findings if each.what == "echoed logprobs"]
    assert "they are of another place in the text" in echo.seen
    assert NextToken().lacks(can, "chat") == "" and Samples().lacks(can, "chat") == ""


def test_next_tokens_through_the_server_are_those_in_process(
    endpoint: Endpoint, smollm2: LlamaCppModel, bfi: Study
) -> None:
    elicitation, asked = NextToken(), questions(bfi, items=2)
    requests = [first_token_of(elicitation.requests(question, ())[0]) for question in asked]
    seen = 0
    for question, request, completion in zip(
        asked, requests, completions(endpoint, requests), strict=True
    ):
        read = np.array(elicitation.read(question, [completion]).log_probs)
        exact = in_process(smollm2, request, question.answers)
        top = [text for text, _ in completion.tokens[0].top]
        known = np.array([answer in top for answer in question.answers])
        seen += known.sum()
        assert np.abs(read - exact)[known].max() < NOISE
        assert np.all(exact[~known] <= read[~known] + NOISE)
        assert np.argmax(read) == np.argmax(exact)
        assert np.array_equal(np.argsort(read[known]), np.argsort(exact[known]))
    assert seen >= 3 * len(asked)


def test_samples_of_the_server_are_drawn_from_its_probabilities(
    endpoint: Endpoint, smollm2: LlamaCppModel, bfi: Study
) -> None:
    """One token a sample, from all tokens: the server's own top-k, top-p and min-p are set off."""
    (question,) = questions(bfi, items=1, personas=PERSONAS[:1])
    request = first_token_of(Samples(k=2).requests(question, ())[0])
    drawn = Endpoint(
        "served",
        endpoint.identity.model,
        api_base=endpoint.identity.api_base,
        parameters={"top_p": 1.0, "extra_body": {"top_k": 0, "min_p": 0.0}},
        patience=PATIENCE,
    )
    count = 80
    said = completions(drawn, [request.model_copy(update={"sample": n}) for n in range(count)])
    exact = np.exp(in_process(smollm2, request, question.answers))
    shares = [
        sum(completion.text == answer for completion in said) / count for answer in question.answers
    ]
    noise = np.sqrt(exact * (1 - exact) / count)
    assert np.all(np.abs(shares - exact) < 4 * noise + 1 / count)


def test_an_experiment_through_the_server_finds_what_it_finds_in_process(
    ran: tuple[Path, Results],
) -> None:
    _, found = ran
    assert set(found.completions["outcome"]) <= {"answered", "low option mass"}
    cell = ["participant", "item", "arm"]
    here, there = (
        found.answers.query("model == @model").set_index(cell).sort_index()
        for model in (NAME, "served")
    )
    assert list(here.index) == list(there.index) and len(here) == 8
    one, other = (np.array(list(rows["option_log_probs"])) for rows in (here, there))
    assert np.abs(one - other).max() < NOISE
    assert np.array_equal(one.argsort(axis=1), other.argsort(axis=1))
    metrics = found.metrics().set_index(["model", "arm"])["accuracy"]
    for arm in ("none", "own"):
        assert metrics[NAME, arm] == metrics["served", arm]
