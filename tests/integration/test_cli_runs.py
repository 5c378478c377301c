"""The command line from a user's chair: whole runs, and processes of its own."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path
from subprocess import CompletedProcess

import pandas as pd
import pytest
from mlflow import MlflowClient

from command import geppetto, refused, started
from fake_model import invent_scores
from small_experiment import SMALL, SMALLER, experiment
from workspaces import folds_of_two, tracked, without_figures


def test_help_is_instant_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, geppetto.cli; "
        "print([m for m in ('mlflow', 'pandas', 'scipy', 'llama_cpp', 'matplotlib') "
        "if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    assert "studies" in started("--help").stdout


def test_a_prompt_longer_than_the_context_stops_before_anything_is_asked(workspace: Path) -> None:
    (workspace / "personas" / "novel.py").write_text(
        "from geppetto.personas import PersonaStrategy\n\n\n"
        "class Novel(PersonaStrategy):\n"
        "    def write(self, participant, study):\n"
        "        return f'{participant.id} was born. ' + 'Once upon a time. ' * 3000\n"
    )
    text = SMALL.replace("interview, {known_answers: {k: 4}}", "novel").replace("filler, ", "")
    result = started("run", experiment(workspace, text), cwd=workspace)
    message = refused(result)
    assert "but the model's context holds 8,192" in message
    assert "shorten the persona" in message
    assert not (workspace / "mlruns").exists()


def test_unknown_names_on_the_command_line_are_refused_too() -> None:
    assert "unknown study" in refused(geppetto("studies", "show", "nothing"))
    assert "nothing.yaml does not exist" in refused(geppetto("run", "nothing.yaml"))


def test_a_run_from_file_to_mlflow_and_again_for_free(ready: Path) -> None:
    workspace = ready
    path = experiment(workspace, SMALLER)
    first = started("run", path, "--full", cwd=workspace)
    assert first.returncode == 0, first.stderr
    assert "6 participants, 12 cells, each under 4 conditions" in first.stdout
    assert "248 people under 18 years" in first.stdout
    assert "smollm2-135m-instruct: chat (its file carries a chat template)" in first.stdout
    assert re.search(r"smollm2-135m-instruct +(\d+) of \1 ", first.stdout)
    assert "information" in first.stdout and "of 6 people improved" in first.stdout
    assert re.search(r"d_z +improved +tenth +p +verdict", first.stdout)

    second = geppetto("run", path, "--full", cwd=workspace)
    assert "nothing" in second.stdout and "(logged before)" in second.stdout
    told = [
        done.stdout[done.stdout.index("model, strategy") : done.stdout.index("MLflow run")].strip()
        for done in (first, second)
    ]
    assert told[0] == told[1] == geppetto("show", path, "--full", cwd=workspace).stdout.strip()

    short = geppetto("run", path, cwd=workspace).stdout
    answers = short[short.index("nats saved a response") : short.index("MLflow run")]
    assert f"all tables: geppetto show {path} --full" in short
    assert re.search(r"\n  information +\S+ \[\S+ \S+\] +\d+% +\S+  undecided\n", answers)
    assert "d_z" not in answers and answers.strip().endswith("60 are needed.")
    assert geppetto("show", path, cwd=workspace).stdout.strip() == answers.strip()
    effects = geppetto("show", path, "--table", "effects", "--rows", "2", cwd=workspace).stdout
    assert "  total " in effects and "more rows: --rows" in effects
    assert "did you mean 'effects'" in refused(
        geppetto("show", path, "--table", "effect", cwd=workspace)
    )

    client, parent, children = tracked(workspace, "small")
    assert len(children) == 4 + 5
    assert {run.info.status for run in (parent, *children)} == {"FINISHED"}
    (own,) = [
        run
        for run in children
        if (run.data.params["arm"], run.data.params["strategy"]) == ("own", "interview")
    ]
    metrics, params = own.data.metrics, own.data.params
    for name in ("accuracy", "nll", "nll_full", "option_mass", "pseudo_r2"):
        assert metrics[f"{name}_low"] <= metrics[name] <= metrics[f"{name}_high"]
    assert metrics["saved/information_low"] <= metrics["saved/information"]
    assert (params["model_weights"], params["strategy_question"]) == ("f32", "label")
    (shuffled,) = [
        run
        for run in children
        if (run.data.params["arm"], run.data.params["strategy"]) == ("shuffled", "interview")
    ]
    assert (shuffled.data.params["with_donors"], shuffled.data.params["with_seed"]) == ("2", "0")

    curve = client.get_metric_history(own.info.run_id, "participants/nll_by_rank")
    assert [point.step for point in curve] == [1, 2, 3, 4, 5, 6]
    assert sorted(point.value for point in curve) == [point.value for point in curve]
    files = {item.path for item in client.list_artifacts(parent.info.run_id)}
    assert files >= {"answers.parquet", "effects.png", "participants.png", "experiment.yaml"}
    plan = json.loads(Path(client.download_artifacts(parent.info.run_id, "plan.json")).read_text())
    assert plan["plan_sha256"] == parent.data.tags["geppetto.plan"]
    assert plan["arms"]["shuffled"] == {"donors": 2, "seed": 0}
    assert plan["versions"]["llama-cpp-python"] in plan["models"][0]["engine"]
    assert [data.dataset.name for data in parent.inputs.dataset_inputs] == ["bfi"]
    (prompt,) = client.list_artifacts(own.info.run_id, "prompts")
    text = Path(client.download_artifacts(own.info.run_id, prompt.path)).read_text()
    assert text.startswith("<|im_start|>system\nIndicate") and "Interviewee:" in text
    answers = pd.read_parquet(client.download_artifacts(parent.info.run_id, "answers.parquet"))
    assert len(answers) == 12 * (1 + 4) + 5 * 12
    assert list(answers["donor"].unique()[:1]) == [""]


@pytest.mark.usefixtures("few_folds", "no_figures", "no_decoding")
def test_logging_that_was_interrupted_is_replaced_and_not_repeated(ready: Path) -> None:
    path = experiment(ready, SMALLER.replace("filler, {shuffled: {donors: 2}}", "shuffled"))
    assert geppetto("run", path, cwd=ready).returncode == 0
    client, parent, before = tracked(ready, "small")
    client.update_run(parent.info.run_id, status="RUNNING")
    again = geppetto("run", path, cwd=ready)
    assert again.returncode == 0 and "(logged before)" not in again.stdout
    client, parent, children = tracked(ready, "small")
    assert parent.info.status == "FINISHED"
    assert len(children) == len(before) == 3 + 5
    for file, rows in (("conditions.csv", 3 + 5), ("effects.csv", 4 * 4)):
        table = pd.read_csv(client.download_artifacts(parent.info.run_id, file))
        assert len(table) == rows
        assert not table.duplicated().any()


@pytest.fixture(scope="module")
def elsewhere(
    tmp_path_factory: pytest.TempPathFactory, empty_store: Path
) -> tuple[Path, CompletedProcess[str]]:
    """A workspace with a run of own personas, logged to another server without prompts."""
    workspace = tmp_path_factory.mktemp("workspace")
    (workspace / "experiments").mkdir()
    shutil.copy(empty_store, workspace / "elsewhere.db")
    text = SMALLER.replace("[none, filler, {shuffled: {donors: 2}}, own]", "[own]")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("GEPPETTO_ANSWERS", raising=False)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace}/elsewhere.db")
        folds_of_two(patch)
        without_figures(patch)
        invent_scores(patch)
        path = experiment(workspace, text + "sample_prompts: 0\n")
        done = geppetto("run", path, cwd=workspace)
    assert done.returncode == 0, done.stderr
    return workspace, done


def test_a_configured_tracking_server_is_used(
    elsewhere: tuple[Path, CompletedProcess[str]],
) -> None:
    workspace, _ = elsewhere
    client = MlflowClient(f"sqlite:///{workspace}/elsewhere.db")
    assert client.get_experiment_by_name("small") is not None
    assert not (workspace / "mlruns" / "mlflow.db").exists()


def test_prompts_stay_in_the_workspace_when_told_so(
    elsewhere: tuple[Path, CompletedProcess[str]],
) -> None:
    client = MlflowClient(f"sqlite:///{elsewhere[0]}/elsewhere.db")
    found = client.get_experiment_by_name("small")
    assert found is not None
    runs = client.search_runs([found.experiment_id])
    assert "own" in {run.data.params.get("arm") for run in runs}
    for run in runs:
        assert "prompts" not in {item.path for item in client.list_artifacts(run.info.run_id)}


def test_own_personas_alone_are_compared_with_what_knows_nothing(
    elsewhere: tuple[Path, CompletedProcess[str]],
) -> None:
    _, done = elsewhere
    assert re.search(r"\n  benefit +[-+]", done.stdout) and "6 people are too few" in done.stdout


@pytest.mark.usefixtures("few_folds", "no_figures", "no_decoding")
def test_length_averaged_scores_keep_the_full_likelihood(ready: Path) -> None:
    """The likelihood over everything cannot exceed that over the legal options."""
    text = SMALLER.replace("[none, filler, {shuffled: {donors: 2}}, own]", "[none]")
    text += "layout: {answer: label}\nnormalisation: "
    full = {}
    for normalisation in ("sum", "mean"):
        done = geppetto("run", experiment(ready, text + normalisation), cwd=ready)
        assert done.returncode == 0, done.stderr
        row = next(line for line in done.stdout.splitlines() if line.startswith("  none"))
        full[normalisation] = row.split()[-4:-2]
        assert "nothing" in done.stdout or normalisation == "sum"
    assert full["sum"] == full["mean"]


def test_no_file_of_a_workspace_stands_in_for_a_library(workspace: Path) -> None:
    for name in ("typer", "mlflow"):
        (workspace / f"{name}.py").write_text("raise SystemExit(3)")
    said = started("ui", cwd=workspace)
    assert "nothing has been run here yet" in refused(said)


def test_an_unusable_tracking_server_is_named(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "foo://bar")
    message = refused(geppetto("run", experiment(workspace, SMALL), cwd=workspace))
    assert message.startswith("the MLflow store foo://bar cannot be used: ")
    assert message.endswith("check MLFLOW_TRACKING_URI")
    assert not (workspace / "mlruns" / "mlflow.db").exists()
