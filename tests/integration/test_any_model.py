"""Experiments on a model behind an interface, from the file to what was found."""

from __future__ import annotations

import re
from pathlib import Path

import pandas as pd
import pytest
from mlflow import MlflowClient
from pandas.testing import assert_frame_equal

import geppetto
from command import geppetto as geppetto_command
from fault_server import Script, served
from geppetto._util.errors import GeppettoError
from geppetto.evaluation.results import Results
from geppetto.experiment.prepare import prepare_each
from geppetto.models.budget import BudgetReached
from geppetto.planning.config import Experiment
from scripted import fail_first
from workspaces import tracked, with_store

FILE = """
question: Does it depend on how the answer is read?
study: bfi
participants: {{sample: 5, seed: 1, complete: true}}
items: [A1, C1]
models: [{{name: scripted, model: openai/scripted, api_base: "{base}"}}]
strategies: [interview]
arms: [none, filler, shuffled, own]
elicitations: [next_token, {{samples: {{k: 3}}}}, stated]
budget: {budget}
"""
KEY = "sk-a-canary-of-no-worth"
pytestmark = pytest.mark.usefixtures("few_folds", "no_figures")


@pytest.fixture
def workspace(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    (tmp_path / "experiments").mkdir()
    return with_store(tmp_path, empty_store)


def run(workspace: Path, base: str, budget: str = "{}", file: str = FILE) -> Results:
    path = workspace / "experiments" / "any.yaml"
    path.write_text(file.format(base=base, budget=budget))
    return geppetto.run(path, workspace)


def without_times(completions: pd.DataFrame) -> pd.DataFrame:
    return completions.drop(columns=["seconds", "attempts"])


def test_a_run_that_reached_its_budget_goes_on_to_the_same_result(workspace: Path) -> None:
    script = Script()
    with served(script) as base:
        with pytest.raises(BudgetReached, match=r"the budget of 2,000 tokens is reached.*: \d+ of"):
            run(workspace, base, "{tokens: 2000}")
        asked = script.asked.total()
        found = run(workspace, base)
        of_study = [n for content, n in script.asked.items() if "how accurately" in content]
        distinct = found.completions["completion"].nunique()
        assert sum(of_study) == distinct, "something was paid for twice"
        everything = script.asked.total()
        assert asked < everything
        again = run(workspace, base)
        assert script.asked.total() == everything
    assert_frame_equal(again.answers, found.answers)
    assert_frame_equal(again.completions, found.completions)
    assert found.elicitations == {"scripted": ["next_token", "samples(k=3)", "stated"]}
    assert len(found.completions) == 4 * 10 * (1 + 3 + 1)
    assert set(found.completions.query("elicitation == 'stated'")["outcome"]) == {"unparseable"}
    cells = found.answers.query("model != 'baseline'").groupby(["elicitation", "arm"]).size()
    assert (cells == 10).all() and len(cells) == 3 * 4
    assert len(files(workspace)) > 10 and not with_the_key(workspace)
    client, parent, _ = tracked(workspace, "any")
    assert parent.info.status == "FINISHED"
    shown = artifacts(client, parent.info.run_id)
    assert {"compliance.csv", "by_elicitation.csv"} <= shown


def files(workspace: Path) -> list[Path]:
    return [path for path in workspace.rglob("*") if path.is_file()]


def with_the_key(workspace: Path) -> list[Path]:
    """Files that a secret went to."""
    return [path for path in files(workspace) if KEY.encode() in path.read_bytes()]


def artifacts(client: MlflowClient, run_id: str) -> set[str]:
    return {found.path for found in client.list_artifacts(run_id)}


def test_faults_change_nothing_but_the_number_of_attempts(
    workspace: Path, tmp_path_factory: pytest.TempPathFactory, empty_store: Path
) -> None:
    file = FILE.replace(", {{samples: {{k: 3}}}}, stated", "")
    script = Script()
    with served(script) as base:
        smooth = run(workspace, base, file=file + "sample_traces: 2\n")
    client, parent, _ = tracked(workspace, "any")
    traces = client.search_traces(locations=[parent.info.experiment_id])
    assert len(traces) == 2
    assert all("how accurately" in str(trace.data.request) for trace in traces)
    assert script.last["headers"]["Authorization"] == f"Bearer {KEY}"
    assert not any(KEY in trace.to_json() for trace in traces) and not with_the_key(workspace)
    faults = ("overloaded", "malformed", "no logprobs", "two choices", "another model")
    other = with_store(tmp_path_factory.mktemp("faults"), empty_store)
    (other / "experiments").mkdir()
    with served(Script(faults=0.1, only=faults)) as base:
        rough = run(other, base, file=file)
    assert rough.completions["attempts"].sum() > len(rough.completions)
    columns = ["participant", "item", "strategy", "arm", "log_prob", "option_mass", "status"]
    assert_frame_equal(rough.answers[columns], smooth.answers[columns])


def test_errors_are_outcomes_until_they_are_asked_again(workspace: Path) -> None:
    path = workspace / "experiments" / "any.yaml"
    file = FILE.replace(", {{samples: {{k: 3}}}}, stated", "").replace(
        "}}]\nstr", ", most_at_once: 2}}]\nstr"
    )
    assert "most_at_once" in file
    with served(Script()) as base:
        path.write_text(file.format(base=base, budget="{tokens: 100}"))
        (prepared,) = prepare_each(Experiment.from_file(path), workspace)
        fail_first(prepared, workspace)
        stopped = geppetto_command("run", str(path), cwd=workspace)
        assert stopped.returncode == 3 and "the budget of 100 tokens is reached" in stopped.stdout
        path.write_text(file.format(base=base, budget="{}"))
        done = geppetto_command("run", str(path), cwd=workspace)
        assert done.returncode == 0, done.stderr
        assert re.search(r"\d+ replies are errors; --retry-errors asks them again", done.stdout)
        assert "error" in compliance(workspace) and errors(workspace) > 0
        again = geppetto_command("run", str(path), "--retry-errors", cwd=workspace)
        assert again.returncode == 0, again.stderr
        assert "--retry-errors" not in again.stdout
        assert "error" not in compliance(workspace) and errors(workspace) == 0


def errors(workspace: Path) -> float:
    """How many replies the run says are errors."""
    return tracked(workspace, "any")[1].data.metrics["replies/outcome/error"]


def compliance(workspace: Path) -> set[str]:
    """The outcomes that the logged table counts."""
    client, parent, _ = tracked(workspace, "any")
    table = pd.read_csv(client.download_artifacts(parent.info.run_id, "compliance.csv"))
    return set(table.loc[table["count"] > 0, "outcome"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[next_token", "[likelihood"), "likelihood does not fit scripted"),
        (("samples: {{k: 3}}", "samples: {{k: 0}}"), "elicitation 'samples': k: "),
        (("samples: {{k: 3}}", "sample: {{k: 3}}"), "unknown elicitation 'sample'"),
        (("openai/scripted", "scripted"), "with its provider before a slash"),
        (('"{base}"}}', '"{base}", parameters: {{api_key: x}}}}'), "put keys into the environment"),
    ],
)
def test_what_cannot_be_asked_is_one_sentence_before_anything_is(
    workspace: Path, change: tuple[str, str], message: str
) -> None:
    script = Script()
    assert change[0] in FILE
    with served(script) as base, pytest.raises(GeppettoError, match=message):
        run(workspace, base, file=FILE.replace(*change))
    assert script.asked.total() < 20, "no more than a probe"
