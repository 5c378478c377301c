"""The command line, from a user's chair: what it prints, what it refuses, and with which words."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient

from command import geppetto
from conftest import tracked
from geppetto.personas.library import strategy_files

ROOT = Path(__file__).parents[1]
SMALL = """
question: Does it run?
study: bfi
participants: {sample: 6, seed: 3, complete: true}
items: [A2, C3, E4, N3]
models: [smollm2-135m-instruct]
strategies: [interview, {known_answers: {k: 4}}]
arms: [none, filler, {shuffled: {donors: 2}}, own]
"""


SMALLER = SMALL.replace("[interview, {known_answers: {k: 4}}]", "[interview]").replace(
    "[A2, C3, E4, N3]", "[A2, C3]"
)


def started(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    """What the command does as a process, with all that libraries write to its stderr."""
    command = [sys.executable, "-m", "geppetto", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


def experiment(workspace: Path, text: str) -> str:
    (workspace / "experiments" / "small.yaml").write_text(text)
    return "experiments/small.yaml"


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The one sentence on stderr of a command that was refused."""
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert result.stderr.startswith("error: ")
    return result.stderr.removeprefix("error: ").strip()


def test_help_is_instant_and_imports_nothing_heavy() -> None:
    code = (
        "import sys, geppetto.cli; "
        "print([m for m in ('mlflow', 'pandas', 'scipy', 'llama_cpp', 'matplotlib') "
        "if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
    assert "studies" in started("--help").stdout


def test_studies_are_listed_and_described() -> None:
    assert "2,552" in geppetto("studies").stdout
    shown = geppetto("studies", "show", "bfi").stdout
    for words in ("public", "Panic easily.", "Graduate degree", "6 Very accurate", "GPL"):
        assert words in shown


def test_strategies_are_listed() -> None:
    listed = geppetto("personas", cwd=ROOT).stdout
    for name in strategy_files(ROOT):
        assert re.search(rf"^ {name} ", listed, re.MULTILINE)
    assert max(map(len, listed.splitlines())) <= 120
    for words in (
        "voice: first, second, third",
        "surnames: common, typical",
        r"every strategy takes +traits: all *\n +placement: task, system",
        "all but expert_notes, .*name_cue, .* +scores.shown_as: number, percentile, band",
    ):
        assert re.search(words, listed)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("study: bfi", "study: bif"), "unknown study 'bif'; did you mean 'bfi'?"),
        (("[interview,", "[intervew,"), "unknown strategy 'intervew'; did you mean 'interview'?"),
        (
            ("{k: 4}", "{kk: 4}"),
            "experiments/small.yaml: strategy 'known_answers': unknown parameter 'kk'; did you "
            "mean 'k'?",
        ),
        (
            ("{k: 4}", "{size: 4}"),
            "strategy 'known_answers': unknown parameter 'size'; known: answer, answers,",
        ),
        (
            ("{k: 4}", "{k: none}"),
            "strategy 'known_answers': k is 'none'; input should be a valid integer",
        ),
        (
            ("[interview,", "[{interview: {traits: [agee]}},"),
            "unknown trait 'agee' in study bfi; did you mean 'age'?",
        ),
        (("A2,", "A9,"), "unknown item 'A9' in study bfi; known: A1, A2, A3"),
        (("own]", "owner]"), "unknown arm 'owner'; did you mean 'own'?"),
        (("donors: 2", "donor: 2"), "unknown parameter 'donor' in arm 'shuffled'"),
        (("donors: 2", "donors: 0"), "arm 'shuffled': donors"),
        (
            ("smollm2-135m-instruct", "smollm2-135m"),
            "unknown model 'smollm2-135m'; did you mean 'smollm2-135m-instruct'?",
        ),
        (("smollm2-135m-instruct", "no/such.gguf"), "model file no/such.gguf does not exist"),
        (
            ("sample: 6", "sample: 6000"),
            "participants: a sample of 6,000 was asked for, but study bfi has 2,185 complete",
        ),
        (
            ("sample: 6", "sample: six"),
            "experiments/small.yaml, line 4: participants.sample: Input should be a valid integer",
        ),
        (("items:", "itens:"), "unknown key 'itens' in experiments/small.yaml, line 5; did you"),
        (("study: bfi", "study: [bfi"), "experiments/small.yaml, line 4: not valid YAML"),
        (("study: bfi", "study: bfi\nstudy: bfi"), "line 4: 'study' is given twice"),
        (("question: Does it run?", ""), "question: Field required"),
        (
            ("[interview,", "[interview, interview,"),
            "strategies: 'interview' is listed twice; keep one of them",
        ),
        (("A2, C3", "A2, A2"), "items: 'A2' is listed twice; keep one of them"),
        (("[A2, C3, E4, N3]", "[]"), "line 5: items: "),
        (
            ("sample: 6", "sampel: 6"),
            "unknown key 'sampel' in experiments/small.yaml, line 4; did you mean 'sample'?",
        ),
        (("sample: 6", "sample: 6.0"), "line 4: participants.sample: Input should be a valid int"),
        (("complete: true", "complete: yess"), "line 4: participants.complete: Input should be"),
        (("[smollm2-135m-instruct]", "[{path: 5}]"), "line 6: models.0: give the model a name"),
        (("[smollm2-135m-instruct]", "[{path: x.gguf, knd: base}]"), "did you mean 'kind'?"),
        (
            ("question: Does it", "name: a/b\nquestion: Does it"),
            "line 2: name: String should match",
        ),
        (("question: Does it", "question: \x01 it"), "not valid YAML"),
        (
            ("[interview,", "[interview, {interview: {question: label}},"),
            "strategies interview and interview(question=label) are the same; keep one of them",
        ),
        (("[interview,", "[[interview],"), "line 7: strategies.0: write a name, or one name"),
    ],
)
def test_what_cannot_run_is_one_sentence_and_writes_nothing(
    workspace: Path, change: tuple[str, str], message: str
) -> None:
    assert change[0] in SMALL
    result = geppetto("run", experiment(workspace, SMALL.replace(*change)), cwd=workspace)
    assert message in refused(result)
    assert not (workspace / "mlruns").exists()


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
    assert "nothing.yaml does not exist" in refused(started("run", "nothing.yaml"))


def test_a_run_from_file_to_mlflow_and_again_for_free(workspace: Path) -> None:
    path = experiment(workspace, SMALL)
    first = started("run", path, cwd=workspace)
    assert first.returncode == 0, first.stderr
    assert "6 participants, 24 cells, each under 7 conditions" in first.stdout
    assert "248 people under 18 years" in first.stdout
    assert "smollm2-135m-instruct: chat (its file carries a chat template)" in first.stdout
    assert re.search(r"smollm2-135m-instruct +(\d+) of \1 ", first.stdout)
    assert "information" in first.stdout and "of 6 people improved" in first.stdout
    assert re.search(r"d_z +improved +worst tenth +p +verdict", first.stdout)

    second = geppetto("run", path, cwd=workspace)
    assert "nothing" in second.stdout and "(logged before)" in second.stdout
    told = [
        done.stdout[done.stdout.index("model, strategy") : done.stdout.index("MLflow run")]
        for done in (first, second)
    ]
    assert told[0] == told[1]

    client, parent, children = tracked(workspace, "small")
    assert len(children) == 7 + 8
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
    assert len(answers) == 24 * (1 + 2 * 4) + 8 * 24
    assert list(answers["donor"].unique()[:1]) == [""]


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


def test_prompts_stay_in_the_workspace_when_told_so(ready: Path) -> None:
    text = SMALLER.replace("filler, {shuffled: {donors: 2}}, ", "") + "sample_prompts: 0\n"
    done = geppetto("run", experiment(ready, text), cwd=ready)
    assert done.returncode == 0, done.stderr
    client, parent, children = tracked(ready, "small")
    for run in (parent, *children):
        assert "prompts" not in {item.path for item in client.list_artifacts(run.info.run_id)}


def test_own_personas_alone_are_compared_with_what_knows_nothing(ready: Path) -> None:
    text = SMALLER.replace("[none, filler, {shuffled: {donors: 2}}, own]", "[own]")
    done = geppetto("run", experiment(ready, text), cwd=ready)
    assert done.returncode == 0, done.stderr
    assert "benefit (uninformed − own)" in done.stdout and "6 people are too few" in done.stdout


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


def test_strangers_who_are_told_the_same_are_counted(ready: Path) -> None:
    text = SMALL.replace("interview, {known_answers: {k: 4}}", "{interview: {traits: [gender]}}")
    done = geppetto("plan", experiment(ready, text), cwd=ready)
    assert re.search(
        r"\d+% of the strangers' interview.* personas are the participant's", done.stdout
    )


def test_an_unusable_tracking_server_is_named(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "foo://bar")
    message = refused(started("run", experiment(workspace, SMALL), cwd=workspace))
    assert message.startswith("the MLflow store cannot be used: ")
    assert message.endswith("check MLFLOW_TRACKING_URI")
    assert not (workspace / "mlruns" / "mlflow.db").exists()


def test_the_ui_of_an_empty_workspace_says_what_to_do(workspace: Path) -> None:
    assert "nothing has been run here yet" in refused(geppetto("ui", cwd=workspace))


def test_a_broken_store_is_named(workspace: Path) -> None:
    (workspace / "mlruns").mkdir()
    (workspace / "mlruns" / "answers.db").write_text("not a database " * 100)
    message = refused(geppetto("run", experiment(workspace, SMALL), cwd=workspace))
    assert "answers.db cannot be read as a store of answers: file is not a database" in message


@pytest.mark.parametrize("command", ["run", "plan"])
def test_another_store_can_be_named(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("GEPPETTO_ANSWERS", "mysql://me:secret@host/answers")
    message = refused(geppetto(command, experiment(workspace, SMALL), cwd=workspace))
    assert "answers cannot be kept in mysql" in message and "secret" not in message


def test_a_configured_tracking_server_is_used(
    workspace: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(empty_store, workspace / "elsewhere.db")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{workspace}/elsewhere.db")
    text = SMALLER.replace("filler, {shuffled: {donors: 2}}, ", "")
    done = geppetto("run", experiment(workspace, text), cwd=workspace)
    assert done.returncode == 0, done.stderr
    elsewhere = MlflowClient(f"sqlite:///{workspace}/elsewhere.db")
    assert elsewhere.get_experiment_by_name("small") is not None
    assert not (workspace / "mlruns" / "mlflow.db").exists()
