"""A preview of what models read of sessions."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from geppetto._util.errors import GeppettoError
from geppetto.cli import app
from geppetto.experiment.strategies import open_strategy
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.planning.preview import PLACE, Preview, preview
from geppetto.reports import preview as terminal
from geppetto.studies import load_study
from invented_sessions import bandit, sessions_file
from workspaces import ROOT

MODEL = "smollm2-135m-instruct"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("previewed")
    sessions_file(made / "x.zip", bandit(5, 12))
    (made / "personas").symlink_to(ROOT / "personas")
    return made


def seen(folder: Path, *participants: str, model: str | None = None) -> Preview:
    return preview(
        "interview",
        open_strategy("interview", {}, folder),
        "x.zip",
        folder,
        participants=participants,
        model_name=model,
    )


def printed(found: Preview) -> str:
    console = Console(file=io.StringIO(), width=120)
    console.print(terminal.preview(found))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_session_is_shown_from_its_persona_to_the_last_response_of_a_few_trials(
    folder: Path,
) -> None:
    found = seen(folder, "2")
    session = load_study("x.zip", folder).people["2"].session
    (reading,) = found.people.values()
    assert reading is not None and session is not None
    (passage,) = reading.passages
    begun = session.text[: session.spans[2].end]
    assert passage.text == f"{reading.persona}\n\n{begun}"
    assert passage.title == "any model, plain text, 3 of the 12 trials of 2"
    whole = f"{reading.persona}\n\n{session.text[: session.spans[-1].end]}"
    assert reading.prompt_length.characters == len(whole)
    assert passage.title in printed(found)


def test_a_chat_model_reads_it_in_its_turns_too(folder: Path, smollm2: LlamaCppModel) -> None:
    (reading,) = seen(folder, "2", model=MODEL).people.values()
    assert reading is not None
    text, turns = reading.passages
    assert turns.text.startswith("<|im_start|>system\nYou are in a casino")
    assert turns.text.count("<|im_start|>assistant\n") == 3
    assert "<|im_start|>" not in text.text and text.text.count("<<") == 3
    for passage in reading.passages:
        (tokens,) = re.findall(r", (\d+) tokens$", passage.title)
        assert abs(int(tokens) - len(smollm2.tokenize(passage.text))) <= 2 * 3
    assert reading.persona_length.tokens == len(smollm2.tokenize_on(reading.persona))


def test_of_several_people_the_first_session_begins_and_personas_stand_beside_each_other(
    folder: Path,
) -> None:
    found = seen(folder)
    first = next(reading for reading in found.people.values() if reading)
    assert found.frame.text.replace(PLACE, first.persona) == first.passages[-1].text
    output = printed(found)
    assert "3 of the 5 participants of study x, drawn with seed 0" in output
    assert "item" not in output and output.count("session ") == 3


@pytest.mark.parametrize(("option", "value"), [("--item", "1"), ("--layout", "answer=letter")])
def test_settings_of_items_are_refused(
    option: str, value: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder)
    command = ["personas", "preview", "interview", "--study", "x.zip", option, value]
    with pytest.raises(GeppettoError, match=f"{option}: x has sessions, which share no items"):
        CliRunner().invoke(app, command, catch_exceptions=False)
