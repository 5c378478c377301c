"""Experiments with pairs of models, from their file to MLflow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

import geppetto
from fake_model import CHATML, FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.local import answer, unanswered
from geppetto.answers.store import AnswerStore
from geppetto.experiment.prepare import prepare
from geppetto.experiment.results import evaluate
from geppetto.models.spec import ModelSpec
from geppetto.planning.config import Experiment
from geppetto.prompts.chat import ChatTemplate
from geppetto.reports import terminal
from geppetto.reports.planned import overview
from invented_sessions import bandit, sessions_file
from workspaces import tracked

BASE = "family: Pine, generation: '2', released: 2025-04-28"
POST = f"{{name: chat, lineage: {{{BASE}, parameters: 8B, training: post-trained, base: pine}}}}"
PINE = f"{{name: pine, lineage: {{{BASE}, parameters: 8B, training: base}}}}"
FILE = f"""
question: What did post-training lose?
study: bfi
participants: {{sample: 6, seed: 3, complete: true}}
items: [A2, C3]
models:
  - {POST}
  - {PINE}
  - other
strategies: [interview]
arms: [none, shuffled, own]
"""


@pytest.fixture
def fakes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Models that only differ in what they read: "chat" has a template."""

    def opened(spec: ModelSpec, *_: object) -> FakeModel:
        return FakeModel(
            spec.name, template=ChatTemplate(source=CHATML) if "chat" in spec.name else None
        )

    monkeypatch.setattr("geppetto.planning.elicited.open_model", opened)


def written(workspace: Path, text: str) -> Path:
    path = workspace / "experiments" / "pairs.yaml"
    path.write_text(text)
    return path


def planned(workspace: Path, text: str) -> str:
    """What the terminal shows of a plan."""
    experiment = Experiment.from_file(written(workspace, text))
    console = Console(width=200)
    with console.capture() as capture:
        console.print(overview(prepare(experiment, workspace), {}))
    return " ".join(capture.get().split())


@pytest.mark.usefixtures("few_folds", "no_figures")
def test_an_experiment_with_a_pair_is_run_and_logged(ready: Path, fakes: None) -> None:
    found = geppetto.run(written(ready, FILE.replace("  - other\n", "")))
    (row,) = found.gaps().to_dict("records")
    metrics = found.metrics().query("arm == 'none'").set_index("model")["nll"]
    assert row["nats"] == pytest.approx(metrics["chat"] - metrics["pine"])
    assert (
        row["note"] == "chat and pine differ in what they read (its chat template, plain text) too"
    )
    client, parent, children = tracked(ready, "pairs")
    run = parent.info.run_id
    assert parent.data.metrics["gap/chat"] == pytest.approx(row["nats"])
    assert parent.data.tags["gap.chat"] == row["outcome"] == "undecided"
    assert "6 people are too few" in parent.data.tags["mlflow.note.content"].split("- chat is")[1]
    files = {item.path for item in client.list_artifacts(run)}
    for name in ("gaps", "gaps_by_generation", "recoveries", "persona_effects"):
        assert f"{name}.png" in files
    gaps, recoveries = (
        pd.read_csv(client.download_artifacts(run, f"{name}.csv"))
        for name in ("gaps", "recoveries")
    )
    assert gaps.query("measure == 'nll'")["nats"].tolist() == [pytest.approx(row["nats"])]
    assert set(recoveries["post"]) == {"chat"} and recoveries["participants"].eq(6).all()
    params = {child.data.params["model"]: child.data.params for child in children}
    assert params["chat"]["model_base"] == "pine" and params["pine"]["model_training"] == "base"
    assert params["pine"]["model_family"] == "Pine" and params["chat"]["model_parameters"] == "8B"
    assert params["chat"]["model_released"] == "2025-04-28"
    assert not {"model_family", "model_base"} & set(params["baseline"])


@pytest.mark.usefixtures("few_folds")
def test_models_can_be_compared_without_any_persona(ready: Path, fakes: None) -> None:
    text = FILE.replace("strategies: [interview]\n", "").replace("none, shuffled, own", "none")
    text = text.replace("[A2, C3]", "[A2]")
    found = geppetto.run(written(ready, text))
    assert len(found.gaps()) == 1 and found.recoveries().empty and found.effects().empty
    console = Console(width=140)
    with console.capture() as capture:
        console.print(terminal.result(found))
    assert "chat − pine" in capture.get()
    client, parent, _ = tracked(ready, "pairs")
    files = {item.path for item in client.list_artifacts(parent.info.run_id)}
    assert "gaps.png" in files and not {"recoveries.png", "persona_effects.png"} & files


def test_gaps_of_sessions_are_compared_by_the_category_of_their_task(
    workspace: Path, fakes: None
) -> None:
    text = FILE.replace("items: [A2, C3]\n", "").replace("  - other\n", "")
    text = text.replace("study: bfi", "study: [one.yaml, two.yaml]").replace(", complete: true", "")
    text = text.replace("strategies: [interview]\n", "").replace("none, shuffled, own", "none")
    for seed, name in enumerate(("one", "two")):
        rows = bandit(people=8, trials=3, seed=seed)
        sessions_file(workspace / f"{name}.jsonl", rows)
        book = f"name: {name}\nlayout: sessions\ndata: {name}.jsonl\ncategory: bandits\n"
        (workspace / f"{name}.yaml").write_text(book)
    found = []
    store = AnswerStore.of_workspace(workspace)
    for each in Experiment.from_file(written(workspace, text)).each:
        prepared = prepare(each, workspace)
        missing = unanswered(prepared, store)
        for model in prepared.scorers:
            assert len(list(answer(model, missing[model.identity.name], store)))
        found.append(evaluate(prepared, store))
    pooled = geppetto.pool_gaps(found)
    (everywhere,), (bandits,) = pooled.everywhere, pooled.by_category
    mean = np.mean([one.gaps()["nats"].iloc[0] for one in found])
    assert everywhere.nats.value == bandits.nats.value == pytest.approx(mean)
    assert bandits.among == "bandits" and everywhere.verdict.effect.participants == 12
    metrics = found[0].metrics().set_index("model")[found[0].measure]
    assert found[0].gaps()["nats"].iloc[0] == pytest.approx(metrics["chat"] - metrics["pine"])
    assert "what they read (its chat template, plain text)" in bandits.sentence


def test_the_plan_names_pairs_and_what_else_their_gaps_are_of(workspace: Path, fakes: None) -> None:
    said = planned(workspace, FILE)
    assert "pair: chat was post-trained from pine" in said
    assert "differ in what they read (its chat template, plain text) too, so their gap is" in said
    assert "not measured" not in said
    alike = planned(workspace, FILE.replace("chat", "tuned").replace("'2', r", "'2.5', r", 1))
    assert "tuned and pine differ in generation (Pine 2.5, Pine 2) too, so" in alike
    without = planned(workspace, FILE.replace("none, ", ""))
    assert "the gap of chat and pine is not measured: add the arm none" in without
    assert "pair" not in planned(workspace, FILE.replace(", base: pine", ""))


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        (("base: pine", "base: pin"), "unknown base 'pin' in the lineage of chat; did you mean"),
        (("base: pine", "base: other"), "unknown base 'other' in the lineage of chat; known: pine"),
        (("training: base", "training: post-trained"), "its base pine is post-trained"),
        (("parameters: 8B", "parameters: 14B"), "other_size: true"),
        (("base: pine", "base: pine, other_size: true"), "remove other_size"),
        (("parameters: 8B, training: base", "training: base"), "line 8: models.1.lineage.param"),
        (("parameters: 8B, training: base", "parameters: 8 B, training: base"), "line 8"),
        (("training: base", "training: base, base: chat"), "a base model has no base"),
        (("training: base", "training: basic"), "Input should be 'base' or 'post-trained'"),
        (("released: 2025-04-28", "relased: 2025-04-28"), "unknown key 'relased' in "),
        (("released: 2025-04-28", "released: last year"), "models.0.lineage.released"),
        (("strategies: [interview]\n", ""), "strategies: name at least one"),
    ],
)
def test_what_does_not_fit_reads_as_a_sentence(
    workspace: Path, changed: tuple[str, str], reason: str
) -> None:
    with pytest.raises(GeppettoError) as refused:
        Experiment.from_file(written(workspace, FILE.replace(*changed, 1)))
    assert reason in str(refused.value)
    assert "pairs.yaml" in str(refused.value) and "\n" not in str(refused.value)


LOCAL = """
question: Are two models of different families a pair?
study: bfi
participants: {sample: 4, seed: 3, complete: true}
items: [A2]
models:
  - name: smollm2-135m-instruct
    lineage:
      {family: SmolLM, generation: '2', parameters: 135M, released: 2024-11-01,
       training: post-trained, base: gemma-3-270m}
  - name: gemma-3-270m
    lineage: {family: Gemma, generation: '3', parameters: 270M, released: 2025-08-14,
              training: base}
arms: [none]
"""


def test_the_local_models_are_no_pair_unless_it_is_said_how_they_differ(workspace: Path) -> None:
    with pytest.raises(GeppettoError) as refused:
        Experiment.from_file(written(workspace, LOCAL))
    assert str(refused.value).endswith(
        "models: the lineage of smollm2-135m-instruct: smollm2-135m-instruct has 135M parameters "
        "and its base gemma-3-270m has 270M, so their difference is not one of post-training "
        "alone; name another base, or say other_size: true"
    )
    said = planned(workspace, LOCAL.replace("base: gemma", "other_size: true, base: gemma"))
    assert (
        "smollm2-135m-instruct and gemma-3-270m differ in size (135M, 270M) and family (SmolLM 2, "
        "Gemma 3) and what they read (its chat template, plain text) too, so their gap is not one "
        "of post-training alone"
    ) in said
