"""How strategies are found, and what is said of one that does not work."""

import ast
import textwrap
from pathlib import Path
from typing import Any

import pytest

from geppetto._util.errors import GeppettoError
from geppetto.personas.base import Persona, PersonaStrategy
from geppetto.personas.generated import GeneratedStrategy
from geppetto.personas.library import choices, load_strategy, strategy_class, strategy_files
from geppetto.personas.moved import NOW, code
from geppetto.personas.visibility import blocks, persona, view
from geppetto.studies import Study
from workspaces import ROOT


def write(workspace: Path, name: str, body: str) -> None:
    (workspace / "personas" / f"{name}.py").write_text(textwrap.dedent(body))


MINE = """
from geppetto.personas import PersonaStrategy

class Mine(PersonaStrategy):
    loud: bool = False

    def write(self, participant, study):
        return "HELLO" if self.loud else "hello"
"""


def written(name: str, workspace: Path, study: Study) -> Persona | None:
    strategy = load_strategy(name, {}, workspace)
    block = blocks(strategy, study, list(study.items))[0]
    return persona(strategy, view(strategy, study.participant("a"), study, block), study, block)


def test_a_file_in_the_workspace_is_a_strategy(workspace: Path) -> None:
    write(workspace, "mine", MINE)
    strategy = load_strategy("mine", {"loud": True}, workspace)
    inherited = {"traits": None, "placement": "task", "paraphrase": 0}
    assert strategy.model_dump() == {**inherited, "loud": True}


def test_a_file_of_the_workspace_goes_before_a_shipped_one(workspace: Path) -> None:
    write(workspace, "interview", MINE)
    assert strategy_class("interview", workspace).__name__ == "Mine"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("x = (\n", r"mine\.py, line 1: '\(' was never closed"),
        ("import nothing_like_this\n", r"mine\.py, line 1: ModuleNotFoundError"),
        ("x = 1\n", r"exactly one subclass of PersonaStrategy, but defines none"),
        (MINE + MINE.replace("Mine", "Yours"), "but defines Mine, Yours"),
    ],
)
def test_a_file_that_is_no_strategy_is_named(workspace: Path, body: str, message: str) -> None:
    write(workspace, "mine", body)
    with pytest.raises(GeppettoError, match=message):
        load_strategy("mine", {}, workspace)


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ("participant.traits['shoe size']", r"mine\.py, line 8: KeyError: 'shoe size'"),
        ("None", r"mine\.py: write\(\) must return a text, but returned NoneType"),
    ],
)
def test_a_strategy_that_fails_names_its_line(
    workspace: Path, small_study: Study, returned: str, message: str
) -> None:
    write(workspace, "mine", MINE.replace('"HELLO" if self.loud else "hello"', returned))
    with pytest.raises(GeppettoError, match=message):
        written("mine", workspace, small_study)


def test_a_strategy_cannot_look_its_participant_up(workspace: Path, small_study: Study) -> None:
    write(
        workspace,
        "mine",
        MINE.replace('"HELLO" if self.loud', "study.people[participant.id] if self"),
    )
    with pytest.raises(GeppettoError, match=r"mine\.py, line 8: KeyError: 'a'"):
        written("mine", workspace, small_study)


def test_helpers_of_the_workspace_are_no_strategies(workspace: Path) -> None:
    write(workspace, "_helpers", "x = 1")
    assert "_helpers" not in strategy_files(workspace)


FORMAT = """
from typing import ClassVar
from geppetto.personas import Answers, Format, Wording

class Mine(Format):
    paraphrases: ClassVar = (Wording("{label}"),)
"""


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            "k: int = 'x'",
            "strategy 'mine': k is 'x'; input should be a valid integer (FILE, line 7)",
        ),
        ("k: int", "strategy 'mine': k has no default; give it a value (FILE, line 7)"),
        ("k: Unknown = 3", "FILE, line 7: NameError: name 'Unknown' is not defined"),
        ("k: 'Unknown' = 3", "FILE: PydanticUserError: `Mine` is not fully defined"),
        ("k: object() = 3", "FILE, line 5: PydanticSchemaGenerationError: Unable to generate"),
        (
            "answers: Answers = Answers(k=0)",
            "FILE, line 7: ValidationError: Answers: k: Input should be greater than or equal to 1",
        ),
        (
            "paraphrases: ClassVar = ('{label}',)",
            "FILE, line 5: TypeError: the paraphrases of Mine must be a tuple of Wording(...)",
        ),
        (
            "paraphrases: ClassVar = (Wording('{foo}'),)",
            "FILE: ValueError: cannot fill the wording '{foo}' ('foo'); names that it may have: "
            "{label}, {Label}, {question}, {value}, {Value}; write {{ and }} for braces",
        ),
        (
            "paraphrases: ClassVar = (Wording('{label}', 'As {who}: '),)",
            "FILE: ValueError: cannot fill the wording 'As {who}: ' ('who'); names that it may "
            "have: none",
        ),
        ("def say(self, fact): return self.filled", "FILE, line 7: AttributeError: 'Mine' object"),
        (
            "def facts(self, who, study): return super().facts(who, None)",
            "FILE, line 7: AttributeError: 'NoneType' object has no attribute 'known_traits'",
        ),
        (
            "def facts(self, who, study): return [study.trait('agee')]",
            "FILE, line 7: unknown trait 'agee' in study small; did you mean 'age'?",
        ),
    ],
)
def test_what_is_wrong_in_a_file_is_told_with_its_line(
    workspace: Path, small_study: Study, line: str, message: str
) -> None:
    write(workspace, "mine", f"{FORMAT}    {line}\n")
    with pytest.raises(GeppettoError) as raised:
        written("mine", Path(), small_study)
    file = workspace / "personas" / "mine.py"
    assert str(raised.value).startswith(message.replace("FILE", str(file)))


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("intervew", {}, "unknown strategy 'intervew'; did you mean 'interview'?"),
        (
            "biography",
            {"voise": "first"},
            "strategy 'biography': unknown parameter 'voise'; did you mean 'voice'?",
        ),
        (
            "biography",
            {"voice": "fourth"},
            "strategy 'biography': voice is 'fourth'; input should be 'first', 'second' or 'third'",
        ),
        (
            "biography",
            {"paraphrase": 3},
            "strategy 'biography': paraphrase 3 does not exist; this strategy has 3 wording(s), "
            "numbered from 0",
        ),
        (
            "biography",
            {"paraphrase": -1},
            "strategy 'biography': paraphrase is -1; input should be greater than or equal to 0",
        ),
        (
            "interview",
            {"answers": {"kk": 3}},
            "strategy 'interview': unknown parameter 'answers.kk'; did you mean 'answers.k'?",
        ),
        (
            "interview",
            {"answers": {"k": 0}},
            "strategy 'interview': answers.k is 0; input should be greater than or equal to 1",
        ),
        (
            "interview",
            {"scores": {"shown_as": "words"}},
            "strategy 'interview': scores.shown_as is 'words'; input should be 'number', "
            "'percentile', 'band' or 'adjective'",
        ),
        (
            "interview",
            {"traits": ["age", 3]},
            "strategy 'interview': traits.1 is 3; input should be a valid string",
        ),
        (
            "known_answers",
            {"k": True},
            "strategy 'known_answers': k is True; input should be a valid integer",
        ),
        (
            "known_answers",
            {"answers": {"k": 3}},
            "strategy 'known_answers': answers is {'k': 3}; input should be None",
        ),
    ],
)
def test_wrong_names_and_values_are_explained(
    name: str, parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(GeppettoError) as raised:
        load_strategy(name, parameters, ROOT)
    assert str(raised.value) == message


def test_known_answers_and_scores_show_traits_only_when_told_to() -> None:
    for name in ("known_answers", "scores"):
        assert load_strategy(name, {}, ROOT).traits == ()
        assert load_strategy(name, {"traits": ["age"]}, ROOT).traits == ("age",)


def test_the_contract_of_a_strategy_is_enforced() -> None:
    with pytest.raises(TypeError, match="abstract"):
        PersonaStrategy()  # type: ignore[abstract] # which is what is tested


def test_parameters_are_listed_with_what_they_may_be(workspace: Path) -> None:
    write(
        workspace,
        "mine",
        FORMAT
        + "    tone: Literal['dry', 'warm'] = 'warm'\n    n: int\n    m: int | None = None\n",
    )
    with pytest.raises(GeppettoError, match="line 7: NameError: name 'Literal'"):
        strategy_class("mine", workspace)
    path = workspace / "personas" / "mine.py"
    path.write_text(f"from typing import Literal\n{path.read_text()}")
    mine = strategy_class("mine", workspace)
    assert choices(mine, ["tone", "n", "m"]) == ["tone: warm, dry", "n: to be given", "m: none"]
    assert choices(mine, ["traits", "scores"]) == [
        "traits: all",
        "scores.shown_as: number, percentile, band, adjective",
    ]


BEFORE = """
from geppetto.errors import GeppettoError
from geppetto.personas.known import view
from geppetto.personas.strategy import Placement
from geppetto.personas.written import Told, WrittenStrategy
from geppetto.personas import PersonaStrategy

class Mine(PersonaStrategy):
    def write(self, participant, study):
        return "hello"
"""


def test_a_file_of_an_earlier_version_is_still_a_strategy(workspace: Path) -> None:
    write(workspace, "mine", BEFORE)
    assert load_strategy("mine", {}, workspace).write(None, None) == "hello"


GENERATED_BEFORE = """
from geppetto.personas.written import Told, WrittenStrategy

class Mine(WrittenStrategy):
    def told(self, participant, study) -> dict[str, dict[str, Told]]:
        return {"one": {"sex": "male"}}

    def modules(self):
        return {}
"""


def test_a_generated_strategy_of_an_earlier_version_is_still_one(workspace: Path) -> None:
    write(workspace, "mine", GENERATED_BEFORE)
    rule = load_strategy("mine", {"writer": "m"}, workspace)
    assert isinstance(rule, GeneratedStrategy)
    (request,) = rule.generations(None, None).values()
    assert request.arguments == {"sex": "male"}
    now = GENERATED_BEFORE.replace("personas.written", "personas.generated")
    now = now.replace("Told, WrittenStrategy", "GeneratedStrategy, Inputs")
    now = now.replace("def told", "def inputs").replace("Told]", "Inputs]")
    now = now.replace("(WrittenStrategy", "(GeneratedStrategy")
    assert code(now) == code(GENERATED_BEFORE)
    inner = GENERATED_BEFORE + "inputs = 1"  # a name of their own, which is not what is meant
    assert code(inner) == ast.dump(ast.parse(inner))


def test_code_is_the_same_whatever_its_modules_are_called_now() -> None:
    now = BEFORE
    for before, after in NOW.items():
        now = now.replace(f"from {before} ", f"from {after} ")
    assert now != BEFORE and code(now) == code(BEFORE) != code(BEFORE + "x = 1\n")
