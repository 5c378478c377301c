"""The page on endpoints is executed: its command is run, its elicitations are read."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import get_args

import pytest
import yaml

from command import geppetto
from geppetto._util.named import Named
from geppetto.elicitation.base import Outcome
from geppetto.elicitation.registry import ELICITATIONS
from geppetto.models.spec import ModelSpec, open_model
from ignoring_server import ignoring_server
from workspaces import ROOT

PAGE = (ROOT / "docs" / "endpoints.md").read_text("utf-8")
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)


def test_the_commands_work_and_say_what_a_server_does_not_give(
    workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTED_VLLM_API_KEY", "unused")
    ((_, commands),) = [block for block in BLOCKS if block[0] == "sh"]
    assert commands.count("\n") == 2
    with ignoring_server() as api_base:
        listed, probed = [
            geppetto(
                *shlex.split(command.replace("http://127.0.0.1:8000/v1", api_base))[1:],
                cwd=workspace,
            )
            for command in commands.splitlines()
        ]
    assert listed.returncode == probed.returncode == 0, listed.stderr + probed.stderr
    assert "gemma-3-270m" in listed.stdout and "8,192" in listed.stdout
    assert "echoed logprobs" in probed.stdout and "price not known" in probed.stdout
    assert (workspace / "mlruns" / "answers.db").exists()


def test_a_model_that_is_not_there_is_one_sentence(workspace: Path) -> None:
    misspelt = geppetto("models", "probe", "smollm2-135m", cwd=workspace)
    assert misspelt.returncode == 2 and "did you mean 'smollm2-135m-instruct'" in misspelt.stderr
    missing = geppetto("models", "probe", "not_here.gguf", cwd=workspace)
    assert missing.returncode == 2 and "model file not_here.gguf does not exist" in missing.stderr


def test_every_elicitation_is_documented_as_it_can_be_written() -> None:
    _, text, _ = [text for language, text in BLOCKS if language == "yaml"]
    written = [
        Named.model_validate(each).one_of(ELICITATIONS, "elicitation")
        for each in yaml.safe_load(text)["elicitations"]
    ]
    assert [each.name for each in written] == list(ELICITATIONS)
    rows = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)
    assert rows == list(ELICITATIONS)


def test_limits_are_documented_as_they_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_BASE_URL", raising=False)
    thinking, _, limited = [text for language, text in BLOCKS if language == "yaml"]
    found = []
    for text in (thinking, limited):
        (spec,) = [ModelSpec.model_validate(each) for each in yaml.safe_load(text)["models"]]
        identity = open_model(spec).identity
        found.append((identity.thinking_tokens, identity.parameters))
    assert found == [(4000, '{"reasoning_effort": "low"}'), (0, "{}")]


def test_the_outcomes_are_all_documented() -> None:
    flat = " ".join(PAGE.split())
    assert all(outcome in flat for outcome in get_args(Outcome))
