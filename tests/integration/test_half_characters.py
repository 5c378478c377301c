"""Half of a character is refused where it is read, with its place, whatever text it is in."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import BaseModel

from geppetto._util.errors import GeppettoError
from geppetto._util.settings import settings
from geppetto._util.yaml_file import read_yaml
from geppetto.personas.library import load_strategy
from geppetto.personas.visibility import blocks, persona
from geppetto.planning.config import Experiment
from geppetto.studies import Participant, load_study
from geppetto.studies.sessions.file import read_sessions

HALF = "\ud83d"
SAID = r"\\ud83d"


@pytest.mark.parametrize(
    "line",
    [
        {"text": f"You press <<A>>.{HALF}"},
        {"participant": f"p{HALF}"},
        {"gender": f"Fe{HALF}"},
        {"notes": {"more": ["fine", HALF]}},
        {f"gen{HALF}der": "Male"},
    ],
)
def test_in_a_session_it_is_an_error_of_its_line(line: dict[str, object], tmp_path: Path) -> None:
    whole = {"text": "You press <<A>>.", "experiment": "e", "participant": 1, "mood": "\U0001f600"}
    file = tmp_path / "s.jsonl"
    file.write_text("\n".join(json.dumps(each) for each in (whole, whole | line, whole)))
    found = read_sessions("s.jsonl", tmp_path)
    assert [each.number for each in found.lines] == [1, 3]
    ((problem),) = found.problems
    assert (problem.level, problem.row, problem.value) == ("error", 2, "\\ud83d")
    problem.column.encode()
    with pytest.raises(GeppettoError, match="the name is not UTF-8"):
        read_sessions("s\udcff.jsonl", tmp_path)


@pytest.mark.parametrize("written", [r'"half \ud83d"', r'"\U0000d83d"'])
def test_in_a_yaml_file_it_is_refused_with_its_line(written: str, tmp_path: Path) -> None:
    file = tmp_path / "e.yaml"
    file.write_text(f"study: bfi\nquestion: {written}\n")
    with pytest.raises(GeppettoError, match=rf"e.yaml, line 2: not valid YAML: {SAID} is half of"):
        read_yaml(file, Experiment)
    with pytest.raises(GeppettoError, match="e\ufffd\\.yaml: its name is not UTF-8; rename it"):
        read_yaml(tmp_path / "e\udcff.yaml", Experiment)


def test_what_only_looks_like_it_is_read(tmp_path: Path) -> None:
    class Text(BaseModel):
        plain: str
        whole: str

    file = tmp_path / "e.yaml"
    file.write_text("plain: 'as written: \\ud83d'\nwhole: \"\\U0001f600\"\n")
    assert read_yaml(file, Text) == Text(plain="as written: \\ud83d", whole="\U0001f600")


@pytest.mark.parametrize("text", ['name="\\ud83d"', "name=\udcff"])
def test_in_a_setting_it_is_refused(text: str) -> None:
    with pytest.raises(GeppettoError, match="--set name="):
        settings("--set", [text], "k=5")


def test_in_a_persona_it_is_refused_with_whose_it_is(tmp_path: Path) -> None:
    (tmp_path / "personas").mkdir()
    (tmp_path / "personas" / "cut.py").write_text(
        "from geppetto.personas import PersonaStrategy\n"
        "class Cut(PersonaStrategy):\n"
        "    def write(self, participant, study): return 'I am happy \\ud83d'\n"
    )
    study, strategy = load_study("bfi"), load_strategy("cut", {}, tmp_path)
    (block,) = blocks(strategy, study, ["A1"])
    seen = Participant("61618", {}, {})
    with pytest.raises(
        GeppettoError, match=rf"cut.py: write\(\) returned {SAID}, half of .* 61618"
    ):
        persona(strategy, seen, study, block)
