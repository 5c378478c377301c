"""The README is executed: its files are written, its commands run."""

from __future__ import annotations

import re
import runpy
import shlex
from pathlib import Path

import pytest

from command import geppetto
from geppetto.experiment import Experiment
from geppetto.yaml_file import read_yaml

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)
COMMANDS = [line for kind, text in BLOCKS if kind == "sh" for line in text.splitlines()]


def test_the_two_commands_come_first_and_ci_calls_the_second() -> None:
    assert COMMANDS[:2] == ["make demo", "make test"]
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert {"demo", "test"} <= set(targets)
    assert (ROOT / ".ci" / "run").read_text().rstrip().endswith("make test")


def test_files_and_commands_of_the_readme_work(
    workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran = []
    for kind, text in BLOCKS:
        if kind in ("python", "yaml"):
            comment, content = text.split("\n", 1)
            path = workspace / comment.removeprefix("# ")
            assert path.parent.is_dir(), comment
            path.write_text(content)
        for command in text.splitlines() if kind == "sh" else ():
            if command.startswith("geppetto ") and command != "geppetto ui":
                done = geppetto(*shlex.split(command)[1:], cwd=workspace)
                assert done.returncode == 0, f"{command}\n{done.stderr}"
                ran.append(done.stdout)
    written, started, listed, preview, for_model, planned, result, searched = ran
    assert "personas/generation.py" in written
    assert "You are a person whose" in started
    assert "Winner of 5 trials" in searched and "By the NLL of own personas" in searched
    assert "generation" in listed
    assert "You are a young adult." in preview
    assert "You are an older adult." in for_model
    assert "24 participants find a paired difference of d_z" in planned
    with pytest.warns(UserWarning, match="fewer than 10 people, too few to compare"):
        runpy.run_path("notebook.py", run_name="__main__")
    shown = capsys.readouterr().out
    assert "with smollm2-135m-instruct and generation" in shown
    assert (workspace / "effects.pdf").stat().st_size > 0
    assert "generation" in result and "interview(traits=['age'])" in result


def test_every_key_of_an_experiment_is_documented() -> None:
    documented = re.findall(r"^\| `(\w+)`", README, re.MULTILINE)
    assert documented == [name for name in Experiment.model_fields if name != "name"]


def test_the_demo_shown_is_the_one_that_ships() -> None:
    demo = read_yaml(ROOT / "experiments" / "bfi_personas.yaml", Experiment, name="bfi_personas")
    assert {arm.name for arm in demo.arms} >= {"none", "filler", "shuffled", "own"}
    assert {strategy.name for strategy in demo.strategies} == {"interview", "known_answers"}
    assert f"{demo.participants.sample} people" in README
    assert demo.question in README


def test_what_pip_installs_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().split()
    assert all("==" in line for line in lines)
    project = (ROOT / "pyproject.toml").read_text()
    needed = re.findall(r'^    "([A-Za-z0-9-]+)', project.split("[tool.")[0], re.MULTILINE)
    assert {name.lower() for name in needed} <= {line.split("==")[0].lower() for line in lines}


def test_what_the_readme_shows_is_there() -> None:
    assert "<!--" not in README and "@@" not in README
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert len(links) >= 5
    assert all((ROOT / link).exists() for link in links)


def test_every_experiment_of_the_readme_is_one(tmp_path: Path) -> None:
    files = [text for kind, text in BLOCKS if kind == "yaml"]
    assert len(files) >= 3
    for number, text in enumerate(files):
        path = tmp_path / f"{number}.yaml"
        path.write_text(text)
        assert Experiment.from_file(path).each
