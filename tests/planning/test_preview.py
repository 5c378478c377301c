"""Starting a strategy and seeing what it makes a model read."""

from __future__ import annotations

import ast
import io
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from typer.testing import CliRunner

from geppetto._util.errors import GeppettoError
from geppetto._util.settings import settings
from geppetto.cli import app
from geppetto.experiment.strategies import open_strategy
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.personas import scaffold as new
from geppetto.personas.library import load_strategy
from geppetto.personas.scaffold import new_strategy
from geppetto.planning.config import Participants
from geppetto.planning.preview import PLACE, Preview, preview
from geppetto.reports import preview as terminal
from geppetto.studies import Study, bundled_studies
from workspaces import ROOT

MODEL = "smollm2-135m-instruct"
PEOPLE = ("61623", "61629", "61634")


def seen(strategy: str, *participants: str, workspace: Path = ROOT, **options: Any) -> Preview:
    parameters, study = options.pop("parameters", {}), options.pop("study", "bfi")
    rule = open_strategy(strategy, parameters, workspace)
    return preview(strategy, rule, study, workspace, participants=participants, **options)


def printed(found: Preview, width: int) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(terminal.preview(found))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def geppetto(*arguments: str) -> str:
    """What a command prints; an error that it ends in is raised."""
    return CliRunner().invoke(app, arguments, catch_exceptions=False).output


def bfi_preview(*arguments: str) -> str:
    return geppetto("personas", "preview", "interview", "--study", "bfi", *arguments)


# A new strategy


@pytest.mark.parametrize("study", sorted(bundled_studies()))
def test_a_new_strategy_runs_as_it_is_on_any_study(study: str, workspace: Path) -> None:
    output = geppetto("personas", "new", "my_idea")
    assert "personas/my_idea.py" in output
    assert "geppetto personas preview my_idea --study bfi" in output
    for who in ("person", "citizen"):
        found = seen("my_idea", workspace=workspace, study=study, parameters={"who": who})
        for reading in found.people.values():
            assert reading is not None
            assert reading.persona.startswith(f"You are a {who} whose ")
    other = seen("my_idea", workspace=workspace, study=study, parameters={"paraphrase": 1})
    assert other.people.keys() == found.people.keys()
    assert all("Imagine" in reading.persona for reading in other.people.values() if reading)


def test_the_starting_point_is_short_and_what_its_comments_offer_runs_too(workspace: Path) -> None:
    text = new_strategy("my_idea", workspace).read_text("utf-8")
    assert "class MyIdea(Format)" in text and "NewPersona" not in text
    code = [line for line in text.splitlines() if line.strip() and not re.match(r" *#", line)]
    assert len(code) < 20
    offered = text[text.index("# from geppetto") :]
    (workspace / "personas" / "written.py").write_text(
        "".join(re.sub("^# ?", "", line) for line in offered.splitlines(keepends=True))
    )
    (reading,) = seen("written", "61623", workspace=workspace).people.values()
    assert reading is not None
    assert "gender: Female" in reading.persona and "Panic easily. " in reading.persona


@pytest.mark.parametrize("name", ["format", "wording", "literal", "class_var", "study", "a1"])
def test_a_new_strategy_may_be_called_like_what_it_imports(name: str, workspace: Path) -> None:
    ast.parse(new_strategy(name, workspace).read_text("utf-8"))
    assert load_strategy(name, {"who": "citizen"}, workspace).paraphrase == 0


@pytest.mark.parametrize(
    "name", ["my-idea", "MyIdea", "1st", "_hidden", "class", "a/b", "", "idée"]
)
def test_a_name_that_cannot_be_a_strategys_is_refused(name: str, workspace: Path) -> None:
    with pytest.raises(GeppettoError, match="small letters, digits and underscores, for example"):
        new_strategy(name, workspace)
    assert not list((workspace / "personas").iterdir())


def test_nothing_is_overwritten_or_hidden(workspace: Path) -> None:
    path = workspace / "personas" / "mine.py"
    path.write_text("my work")
    with pytest.raises(GeppettoError, match=r"mine\.py exists already and is not overwritten"):
        new_strategy("mine", workspace)
    assert path.read_text() == "my work"
    with pytest.raises(GeppettoError, match="would hide the strategy interview that ships with"):
        new_strategy("interview", workspace)
    assert list(path.parent.iterdir()) == [path]


def test_the_folder_of_strategies_is_made_if_it_can_be(tmp_path: Path) -> None:
    assert new_strategy("mine", tmp_path).is_file()
    (tmp_path / "file").mkdir()
    (tmp_path / "file" / "personas").write_text("")
    with pytest.raises(GeppettoError, match="file/personas exists already"):
        new_strategy("mine", tmp_path / "file")


def test_the_template_is_a_file_of_the_package() -> None:
    assert Path(new.__file__).with_name("template.py").is_file()


# A preview of one participant


def golden(strategy: str, form: str) -> str:
    """The golden prompt of a strategy's defaults on bfi, up to the answer."""
    recorded = (ROOT / "tests/golden/bfi" / f"{strategy}.txt").read_text("utf-8")
    _, begun = recorded.split(f"=== defaults, {form}\n")
    return begun.split("\n\n===")[0].removesuffix("1|2|3|4|5|6").strip()


def test_a_preview_is_what_a_model_reads_and_loads_none() -> None:
    output = bfi_preview("--participant", "61623", "--item", "N3")
    assert golden("interview", "plain text") in output
    for title in ("base models: plain text", "system turn", "user turn", "beginning of the answer"):
        assert title in output
    code = textwrap.dedent(
        """
        import sys
        sys.argv = "geppetto personas preview known_answers --study bfi --set k=3".split()
        import geppetto.cli as c
        try:
            c.main()
        except SystemExit as end:
            assert not end.code
        assert not {"jinja2", "llama_cpp", "mlflow", "numpy", "pandas"} & set(sys.modules)
        """
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True)


def test_a_preview_for_a_model_shows_its_own_template(smollm2: LlamaCppModel) -> None:
    (reading,) = seen("portrait", "61623", item_name="N3", model_name=MODEL).people.values()
    assert reading is not None
    (passage,) = reading.passages
    prompt = f"{golden('portrait', 'ChatML')} "
    assert passage.text == prompt
    assert reading.prompt_length.tokens == len(smollm2.tokenize(prompt))
    without = prompt.replace(f"{reading.persona}\n\n", "")
    added = len(smollm2.tokenize(prompt)) - len(smollm2.tokenize(without))
    assert reading.persona_length.tokens == added > 10
    title = f"{MODEL}, {reading.prompt_length.tokens} tokens, {added} of them the persona's"
    assert title == passage.title


def test_settings_of_strategy_and_layout_are_those_of_an_experiment() -> None:
    output = bfi_preview(
        "--participant", "61623", "--layout", "answer=letter", "--set", "traits=[age]"
    )
    assert "A = Very inaccurate" in output and "Interviewee: 21" in output
    assert "gender" not in output
    output = bfi_preview("--participant", "61623", "--layout", "order=reversed")
    assert output.index("6 = Very accurate") < output.index("1 = Very inaccurate")


# A preview of several


def test_three_people_are_drawn_as_an_experiment_draws_them(bfi: Study) -> None:
    found = seen("interview")
    assert list(found.people) == [person.id for person in Participants(sample=3).draw(bfi)]
    assert found.drawn_from == len(bfi.people)
    assert "3 of the 2,552 participants of study bfi, drawn with seed 0" in printed(found, 120)


def test_who_is_named_is_shown_in_that_order() -> None:
    found = seen("interview", *reversed(PEOPLE))
    assert tuple(found.people) == PEOPLE[::-1]
    assert found.drawn_from is None


@pytest.mark.parametrize("placement", ["task", "system"])
@pytest.mark.parametrize("model", [None, MODEL])
def test_what_is_shared_and_the_persona_are_what_each_reads(
    placement: str, model: str | None
) -> None:
    found = seen("direct", *PEOPLE, model_name=model, parameters={"placement": placement})
    assert found.frame.text.count(PLACE) == 1
    for reading in found.people.values():
        assert reading is not None
        assert found.frame.text.replace(PLACE, reading.persona) == reading.passages[0].text


def test_personas_of_several_have_lengths() -> None:
    words = seen("direct", *PEOPLE)
    tokens = seen("direct", *PEOPLE, model_name=MODEL)
    for name in PEOPLE:
        without, counted = words.people[name], tokens.people[name]
        assert without is not None and counted is not None
        assert without.persona == counted.persona
        assert without.persona_length.words == len(without.persona.split())
        assert without.persona_length.tokens is None
        assert f"persona {len(without.persona.split())} words" in printed(words, 120)
        assert f"persona {counted.persona_length.tokens} tokens" in printed(tokens, 120)
        assert f"prompt {counted.prompt_length.tokens} tokens" in printed(tokens, 120)
    assert "--model" in printed(words, 120) and "--model" not in printed(tokens, 120)


@pytest.mark.parametrize(("width", "beside"), [(40, 1), (80, 2), (120, 3), (200, 3)])
def test_columns_stand_side_by_side_as_far_as_there_is_room(width: int, beside: int) -> None:
    lines = printed(seen("direct", *PEOPLE), width).splitlines()
    assert max(map(len, lines)) <= width
    assert sum("Statement: " in line for line in lines) == 1
    heads = [line for line in lines if any(name in line for name in PEOPLE)]
    assert sum(name in heads[0] for name in PEOPLE) == beside
    assert sum(name in line for line in heads for name in PEOPLE) == 3


def test_of_whom_nothing_is_known_is_said_in_their_column(bfi: Study) -> None:
    unknown = next(p.id for p in bfi.people.values() if "education" not in p.traits)
    show = {"parameters": {"traits": ["education"]}}
    found = seen("direct", unknown, "61629", **show)
    assert found.people[unknown] is None and found.people["61629"] is not None
    words = " ".join(printed(found, 160).split())
    assert "nothing is known of them that direct could show" in words
    with pytest.raises(GeppettoError, match=f"nothing is known of participant {unknown} that"):
        seen("direct", unknown, **show)


def test_a_study_without_traits_has_answers_to_show(workspace: Path) -> None:
    (workspace / "codebook.yaml").write_text(
        textwrap.dedent(
            """
            name: bare
            title: A survey that asked nothing about people
            source: {origin: tests, licence: none, citation: none}
            data: bare.csv
            instruction: How true is it?
            participant_column: id
            traits: []
            scales: {two: {options: {'0': Untrue, '1': 'True'}}}
            items:
              - {name: q1, text: It rains., scale: two}
              - {name: q2, text: It snows., scale: two}
            """
        )
    )
    (workspace / "bare.csv").write_text("id,q1,q2\na,0,1\nb,1,0\n")
    new_strategy("mine", workspace)
    options: dict[str, Any] = {"workspace": workspace, "study": "codebook.yaml"}
    with pytest.raises(
        GeppettoError, match=r"participants a, b .*show answers: --set answers=\{\}"
    ):
        seen("mine", **options)
    found = seen("mine", **options, parameters=settings("--set", ["answers={}"], ""))
    assert [reading.persona for reading in found.people.values() if reading] == [
        f'You are a person whose answer to "It snows" is {code}.' for code in "10"
    ]


def test_an_item_is_previewed_with_what_may_be_known_when_it_is_predicted(bfi: Study) -> None:
    """One item at a time: all others may be known, and the ones most related are shown last."""
    shown = {"choose": "all", "answer": "label"}
    (reading,) = seen("known_answers", "61623", item_name="N3", parameters=shown).people.values()
    assert reading is not None
    asked = [item.name for item in bfi.items.values() if item.text in reading.persona]
    assert "N3" not in asked and 10 <= len(asked) <= 13
    related = {"choose": "related", "k": 24}
    (reading,) = seen("known_answers", "61623", item_name="N3", parameters=related).people.values()
    assert reading is not None
    asked = [item.name for item in bfi.items.values() if item.text in reading.persona]
    assert "N3" not in asked and len(asked) == 24
    assert "Get angry easily." in reading.persona.splitlines()[-2]


# What cannot be shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--participant", "1"), "unknown participant '1'"),
        (("--participant", "61623", "--participant", "1"), "unknown participant '1'"),
        (
            ("--participant", "61623", "--participant", "61623"),
            "participant '61623' is given twice; keep one of them",
        ),
        (("--item", "Z1"), "unknown item 'Z1'"),
        (("--set", "k"), "--set k: write it as name=value, for example --set k=5"),
        (("--set", "k=["), "is not a YAML value"),
        (("--set", "k=1", "--set", "k=2"), "--set k=2: 'k' is given twice; keep one of them"),
        (("--set", "paraphase=1"), "strategy 'interview': unknown parameter 'paraphase'; did"),
        (
            ("--layout", "letter"),
            "--layout letter: write it as name=value, for example --layout answer=letter",
        ),
        (("--layout", "anser=letter"), "unknown setting 'anser' in the layout; did you mean 'ans"),
        (("--layout", "answer=word"), "layout: answer is 'word'; input should be 'number', 'labe"),
        (("--model", "smollm2-135m"), "unknown model 'smollm2-135m'; did you mean 'smollm2-135m-"),
    ],
)
def test_what_cannot_be_previewed_is_one_sentence(arguments: tuple[str, ...], message: str) -> None:
    with pytest.raises(GeppettoError, match=re.escape(message)) as error:
        bfi_preview(*arguments)
    assert "\n" not in str(error.value)
