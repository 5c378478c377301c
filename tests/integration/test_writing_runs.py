"""Experiments whose personas a model writes: from the file to what was found, and its traces."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.entities import Trace

import geppetto
from fault_server import Script, served
from geppetto.answers.generated_texts import GeneratedTextStore
from geppetto.experiment.prepare import prepare
from geppetto.personas.leaked import leaked
from geppetto.planning.config import Experiment
from geppetto.studies import Study
from workspaces import tracked, with_store

LOCAL = """
question: Do reasons that a small model makes up tell a person from others?
study: bfi
participants: {sample: 3, seed: 1, complete: true}
items: [N3]
models: [smollm2-135m-instruct]
strategies: [{reasons: {writer: smollm2-135m-instruct, k: 1, longest: 512}}]
arms: [shuffled, own]
precision: fast
analysis: {draws: 200}
"""
HOSTED = """
question: "?"
study: bfi
participants: {{sample: 3, seed: 1, complete: true}}
items: [A1]
models: [{{name: scripted, model: openai/scripted, api_base: "{base}"}}]
strategies: [{{written_profile: {{writer: scripted}}}}]
arms: [shuffled, own]
elicitations: [next_token]
analysis: {{draws: 200}}
sample_traces: {traces}
"""
KEY = "sk-a-canary-of-no-worth"
pytestmark = pytest.mark.usefixtures("few_folds", "no_figures")


def test_a_small_model_writes_personas_that_people_are_predicted_from(
    bfi: Study, workspace: Path, empty_store: Path
) -> None:
    with_store(workspace, empty_store)
    path = workspace / "experiments" / "small.yaml"
    path.write_text(LOCAL)
    found = geppetto.run(path, workspace)
    prepared = prepare(Experiment.from_file(path), workspace)
    store = GeneratedTextStore.of_workspace(workspace)
    generated_texts = store.get(prepared.plan.generations)
    assert len(generated_texts) == 3 and prepared.plan.dropped == {}
    texts = {text for writing in generated_texts.values() for text in writing.texts}
    assert len(texts) == 3 and all(len(text.split()) > 5 for text in texts)
    for prompt in prepared.plan.prompts["smollm2-135m-instruct"].values():
        (reason,) = [text for text in texts if text in prompt.text]
        assert f"Your reason: {reason}" in prompt.text
        assert leaked(reason, bfi) is None
    scored = found.answers.query("model != 'baseline'")
    assert set(scored["status"]) == {"scored"} and len(scored) == 2 * 3
    _, parent, _ = tracked(workspace, "small")
    metrics = parent.data.metrics
    assert metrics["personas/texts"] == metrics["personas/requests"] == 3
    assert metrics["personas/completion_tokens"] == sum(
        each.completion_tokens for each in generated_texts.values()
    )
    assert metrics["personas/unusable"] == metrics["personas/cost"] == 0
    assert metrics["personas/seconds"] > 0


def run(workspace: Path, traces: int) -> tuple[list[Trace], Script]:
    """The traces of an experiment that has no run, and the server that it asked."""
    (workspace / "experiments").mkdir(exist_ok=True)
    path, script = workspace / "experiments" / "hosted.yaml", Script()
    with served(script) as base:
        path.write_text(HOSTED.format(base=base, traces=traces))
        geppetto.run(path, workspace)
    client, parent, _ = tracked(workspace, "hosted")
    every = client.search_traces(locations=[parent.info.experiment_id])
    return [each for each in every if "mlflow.sourceRun" not in each.info.request_metadata], script


def test_writings_are_traced_only_if_that_is_asked_for_and_without_keys(
    tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    for traces in (0, 2):
        workspace = tmp_path / str(traces)
        workspace.mkdir()
        found, script = run(with_store(workspace, empty_store), traces)
        assert KEY in script.last["headers"]["Authorization"]
        assert len(found) == traces
        for each in found:
            assert [span for span in each.data.spans if "Describe" in str(span.inputs)]
        files = [path for path in workspace.rglob("*") if path.is_file()]
        assert files and not [path for path in files if KEY.encode() in path.read_bytes()]
