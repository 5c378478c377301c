"""The command line, from a user's chair: what it prints, what it refuses, and with which words."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import version
from pathlib import Path

import pytest

from command import geppetto, refused
from geppetto.personas.library import strategy_files
from geppetto.planning.config import Experiment
from small_experiment import SMALL, experiment
from workspaces import ROOT


def test_the_version_is_said() -> None:
    said = geppetto("--version")
    assert said.returncode == 0 and said.stdout == f"geppetto {version('geppetto')}\n"
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert version("geppetto") == project["version"]


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


def test_everything_that_is_wrong_with_a_file_is_said_at_once(workspace: Path) -> None:
    text = SMALL.replace("sample: 6", "sample: -6, sed: 1") + "budgt: {}\nparaphrases: many\n"
    done = geppetto("plan", experiment(workspace, text), cwd=workspace)
    assert done.returncode == 2
    first, *lines = done.stderr.splitlines()
    assert first == "error: experiments/small.yaml has 4 errors:"
    for line, words in zip(
        lines, ("'seed'?", "'budget'?", "participants.sample: ", "paraphrases: "), strict=True
    ):
        assert line.startswith("  ") and words in line and re.search(r"line \d", line)


def test_without_arms_a_file_has_the_usual_ones(workspace: Path) -> None:
    written = re.sub("arms: .*\n", "", SMALL)
    read = Experiment.from_file(workspace / experiment(workspace, written))
    assert [arm.name for arm in read.arms] == ["none", "filler", "shuffled", "own"]
    said = SMALL.replace(re.findall("arms: .*", SMALL)[0], "arms: [none, filler, shuffled, own]")
    assert Experiment.from_file(workspace / experiment(workspace, said)).arms == read.arms


def test_help_is_short_too_and_a_beginning_is_a_near_name(workspace: Path) -> None:
    assert geppetto("-h").stdout == geppetto("--help").stdout
    text = SMALL.replace("smollm2-135m-instruct", "smollm2")
    said = refused(geppetto("plan", experiment(workspace, text), cwd=workspace))
    assert "unknown model 'smollm2'; did you mean 'smollm2-135m-instruct'?" in said


def test_a_broken_strategy_is_a_warning_among_the_others(workspace: Path) -> None:
    (workspace / "personas" / "broken.py").write_text("x = (")
    done = geppetto("personas", cwd=workspace)
    assert done.returncode == 0 and " interview " in done.stdout
    assert "strategy broken failed: " in done.stdout and "line 1" in done.stdout


def test_strangers_who_are_told_the_same_are_counted(workspace: Path) -> None:
    text = SMALL.replace("interview, {known_answers: {k: 4}}", "{interview: {traits: [gender]}}")
    done = geppetto("plan", experiment(workspace, text), cwd=workspace)
    assert re.search(
        r"\d+% of the strangers' interview.* personas are the participant's", done.stdout
    )


def test_the_ui_of_an_empty_workspace_says_what_to_do(workspace: Path) -> None:
    assert "nothing has been run here yet" in refused(geppetto("ui", cwd=workspace))


def test_a_broken_store_is_named(workspace: Path) -> None:
    (workspace / "mlruns").mkdir()
    (workspace / "mlruns" / "answers.db").write_text("not a database " * 100)
    message = refused(geppetto("run", experiment(workspace, SMALL), cwd=workspace))
    assert "answers.db cannot be used as a store of answers: file is not a database" in message


@pytest.mark.parametrize("command", ["run", "plan"])
def test_another_store_can_be_named(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.setenv("GEPPETTO_ANSWERS", "mysql://me:secret@host/answers")
    message = refused(geppetto(command, experiment(workspace, SMALL), cwd=workspace))
    assert "answers cannot be kept in mysql" in message and "secret" not in message
