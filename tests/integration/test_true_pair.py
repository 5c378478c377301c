"""A base model and the one that was post-trained from it, here, as an experiment on a pair runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import geppetto
from geppetto.experiment.prepare import prepare
from geppetto.planning.config import Experiment
from geppetto.planning.prepared import Prepared
from workspaces import ROOT, tracked

torch = pytest.importorskip("torch", reason="needs: pip install 'geppetto[torch]'")
pytest.importorskip("transformers", reason="needs: pip install 'geppetto[torch]'")

from tiny_models import CHATML, tiny, tokenizer  # noqa: E402  after what skips

COMMITS = {"Qwen2.5-0.5B": "b" * 40, "Qwen2.5-0.5B-Instruct": "1" * 40}
FILE = ROOT / "experiments" / "qwen2.5_pair.yaml"


def post_trained(base: Path, folder: Path, steps: int = 30) -> Path:
    """A copy of a model that was tuned to answer "4" or "5" in the turns of a chat."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    reads = AutoTokenizer.from_pretrained(base)
    model = AutoModelForCausalLM.from_pretrained(base)
    texts = [f"<|im_start|>assistant\nAnswer: {answer}<|im_end|>" for answer in (4, 5)]
    tokens = torch.tensor(reads(texts).input_ids)
    losses: list[float] = []
    for _ in range(steps):
        loss = model(input_ids=tokens, labels=tokens).loss
        model.zero_grad()
        loss.backward()
        with torch.no_grad():
            for weights in model.parameters():
                weights -= 3e-3 * weights.grad.sign()
        losses.append(float(loss.detach()))
    assert losses[-1] < losses[0] / 2, "it has learned something"
    model.save_pretrained(folder)
    return tokenizer(folder, CHATML)


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A local cache of the hub in which both are, under the names of the example file."""
    at = tmp_path_factory.mktemp("hub")
    folders = {}
    for name, commit in COMMITS.items():
        repository = at / f"models--Qwen--{name}"
        (repository / "refs").mkdir(parents=True)
        (repository / "refs" / "main").write_text(commit)
        folders[name] = repository / "snapshots" / commit
    more: dict[str, Any] = {"max_position_embeddings": 4096, "use_sliding_window": False}
    base, post = folders.values()
    tokenizer(tiny(base, "qwen2", layer_types=None, initializer_range=0.1, **more))
    post_trained(base, post)
    return at


@pytest.fixture(autouse=True)
def in_hub(hub: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(hub))


def small(workspace: Path) -> Path:
    """The example file with fewer people and items."""
    text = FILE.read_text("utf-8").replace("sample: 200", "sample: 6")
    text = text.replace(
        "strategies: [interview, {known_answers: {k: 5}}]", "strategies: [interview]"
    )
    path = workspace / "experiments" / "pair.yaml"
    path.write_text(text + "items: [A2, C3]\n")
    return path


def test_the_example_is_planned_from_what_is_in_the_cache(ready: Path) -> None:
    prepared: Prepared = prepare(Experiment.from_file(small(ready)), ready)
    assert {m.identity.name: m.identity.revision for m in prepared.scorers} == COMMITS
    assert [m.identity.kind for m in prepared.scorers] == ["base", "chat"]


@pytest.mark.usefixtures("few_folds", "no_figures")
def test_what_post_training_costs_and_personas_win_back_is_found(ready: Path) -> None:
    found = geppetto.run(small(ready))
    (gap,) = found.gaps().to_dict("records")
    nll = found.metrics().query("arm == 'none'").set_index("model")["nll"]
    assert gap["nats"] == pytest.approx(nll["Qwen2.5-0.5B-Instruct"] - nll["Qwen2.5-0.5B"])
    assert abs(gap["nats"]) > 0.01, "the two are not the same model"
    assert set(found.recoveries()["post"]) == {"Qwen2.5-0.5B-Instruct"}
    _, parent, children = tracked(ready, "pair")
    assert parent.data.metrics["gap/Qwen2.5-0.5B-Instruct"] == pytest.approx(gap["nats"])
    params = {child.data.params["model"]: child.data.params for child in children}
    for name, commit in COMMITS.items():
        assert params[name]["model_revision"] == commit
        assert params[name]["model_engine"].startswith("transformers ")
