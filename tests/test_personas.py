"""Strategies, what they may know, and how they are found."""

import textwrap
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import CHATML
from geppetto.errors import GeppettoError
from geppetto.personas.arms import derangements
from geppetto.personas.filler import filler
from geppetto.personas.known import blocks, persona, view
from geppetto.personas.library import load_strategy, strategy_class, strategy_files
from geppetto.personas.strategy import PersonaStrategy
from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.layout import Layout, render
from geppetto.studies import Study, load_study

ROOT = Path(__file__).parents[1]
GOLDEN = ROOT / "tests" / "golden"
CASES = {
    "interview": ("interview", {}),
    "interview_paraphrase": ("interview", {"paraphrase": 1}),
    "interview_codebook": ("interview", {"question": "codebook", "traits": ("age", "gender")}),
    "biography": ("biography", {}),
    "biography_second": ("biography", {"voice": "second"}),
    "biography_third": ("biography", {"voice": "third"}),
    "portrait": ("portrait", {}),
    "portrait_random_system": ("portrait", {"order": "random", "placement": "system"}),
    "known_answers": ("known_answers", {}),
    "known_answers_label": ("known_answers", {"k": 3, "answer": "label"}),
}


@pytest.mark.parametrize("form", ["plain", "chat"])
@pytest.mark.parametrize("case", CASES)
def test_prompts_are_the_golden_ones(case: str, form: str, bfi: Study) -> None:
    """Delete a golden file and run the tests to record it anew; then read it."""
    name, parameters = CASES[case]
    strategy = load_strategy(name, parameters, ROOT)
    person = bfi.participant("61623")
    item = bfi.items["N3"]
    (block,) = [b for b in blocks(strategy, bfi, list(bfi.items)) if item.name in b.predicted]
    own = persona(strategy, view(strategy, person, bfi, block), bfi, block)
    layout = Layout(answer="label" if case.endswith("label") else "number")
    template = ChatTemplate(source=CHATML) if form == "chat" else None
    prompt = render(bfi, item, own, layout, template)
    text = f"{prompt.text}{'|'.join(answer for _, answer in prompt.options)}\n"
    golden = GOLDEN / f"{case}.{form}.txt"
    if not golden.exists():
        golden.parent.mkdir(exist_ok=True)
        golden.write_text(text, "utf-8")
        pytest.fail(f"{golden.name} was missing and has been recorded; read it and run again")
    assert text == golden.read_text("utf-8")
    assert prompt.text.startswith(prompt.stem) and prompt.stem.startswith(prompt.head)


def test_every_strategy_of_the_library_has_golden_prompts() -> None:
    assert set(strategy_files(ROOT)) == {name for name, _ in CASES.values()}


@given(st.integers(0, 2551), st.integers(1, 24), st.integers(0, 5))
def test_known_answers_never_show_what_is_predicted(position: int, k: int, seed: int) -> None:
    study = load_study("bfi")
    person = list(study.people.values())[position]
    strategy = load_strategy("known_answers", {"k": k, "seed": seed}, ROOT)
    split = blocks(strategy, study, list(study.items))
    assert sorted(item for block in split for item in block.predicted) == sorted(study.items)
    for block in split:
        seen = view(strategy, person, study, block)
        assert not set(seen.responses) & set(block.predicted)
        text = persona(strategy, seen, study, block)
        if text is not None:
            for item in block.predicted:
                assert study.items[item].text not in text.text


def test_strategies_that_read_no_responses_are_given_none(bfi: Study) -> None:
    strategy = load_strategy("interview", {"traits": ("age",)}, ROOT)
    (block,) = blocks(strategy, bfi, list(bfi.items))
    assert block.predicted == tuple(bfi.items)
    assert view(strategy, bfi.participant("61623"), bfi, block).known == {"age"}


def test_known_answers_shows_the_same_items_of_everyone(bfi: Study) -> None:
    strategy = load_strategy("known_answers", {"k": 5}, ROOT)
    block = blocks(strategy, bfi, list(bfi.items))[0]
    complete = [p for p in bfi.people.values() if len(p.responses) == 25][:50]
    shown = set()
    for person in complete:
        text = persona(strategy, view(strategy, person, bfi, block), bfi, block)
        assert text is not None
        shown.add(tuple(line for line in text.text.splitlines() if line.startswith("Statement")))
    assert len(shown) == 1


def test_a_participant_of_whom_nothing_is_known_has_no_persona(small_study: Study) -> None:
    strategy = load_strategy("portrait", {"traits": ("sex",)}, ROOT)
    (block,) = blocks(strategy, small_study, list(small_study.items))
    seen = view(strategy, small_study.participant("e"), small_study, block)
    assert persona(strategy, seen, small_study, block) is None


groups = st.dictionaries(
    st.text("abcdefgh", min_size=1, max_size=4),
    st.sampled_from([frozenset({"age"}), frozenset({"age", "sex"})]),
    max_size=30,
)


@given(groups, st.integers(1, 4), st.integers(0, 99))
def test_donors_are_strangers_of_whom_the_same_is_known(
    known: dict[str, frozenset[str]], donors: int, seed: int
) -> None:
    drawn = derangements(known, donors, seed)
    served: dict[str, int] = {}
    for participant, chosen in drawn.items():
        assert len(set(chosen)) == donors
        assert participant not in chosen
        for donor in chosen:
            assert known[donor] == known[participant]
            served[donor] = served.get(donor, 0) + 1
    assert all(count == donors for count in served.values())
    for participant in set(known) - set(drawn):
        assert sum(names == known[participant] for names in known.values()) <= donors


@given(groups, st.integers(0, 99))
def test_donors_do_not_depend_on_the_order_of_participants(
    known: dict[str, frozenset[str]], seed: int
) -> None:
    backwards = dict(reversed(list(known.items())))
    assert derangements(known, 1, seed) == derangements(backwards, 1, seed)


def test_every_stranger_is_equally_likely_to_be_a_donor() -> None:
    known = {name: frozenset({"age"}) for name in "abcde"}
    donors = [derangements(known, 1, seed)["a"][0] for seed in range(2000)]
    for stranger in "bcde":
        assert donors.count(stranger) == pytest.approx(500, abs=90)


@pytest.mark.parametrize("model", ["smollm2", "gemma"])
def test_filler_has_exactly_the_tokens_asked_for(
    model: str, bfi: Study, request: pytest.FixtureRequest
) -> None:
    tokenizer = request.getfixturevalue(model)

    def count(text: str) -> int:
        return len(tokenizer.tokenize(f"Rate yourself.\n\n{text}\n\nStatement: x\nAnswer: "))

    for words in [*range(6, 60), 300, 900]:
        persona_text = " ".join(["I am 34 years old, and female."] * words)[: 6 * words]
        text = filler(persona_text, count)
        assert count(text) == count(persona_text)
        assert "you" not in text.lower().split()
    with pytest.raises(GeppettoError, match="as many tokens as '' was found; leave out the arm"):
        filler("", count)


def write(workspace: Path, name: str, body: str) -> None:
    (workspace / "personas" / f"{name}.py").write_text(textwrap.dedent(body))


MINE = """
from geppetto.personas import PersonaStrategy

class Mine(PersonaStrategy):
    loud: bool = False

    def write(self, participant, study):
        return "HELLO" if self.loud else "hello"
"""


def test_a_file_in_the_workspace_is_a_strategy(workspace: Path) -> None:
    write(workspace, "mine", MINE)
    strategy = load_strategy("mine", {"loud": True}, workspace)
    assert strategy.model_dump() == {"traits": None, "placement": "task", "loud": True}


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
    strategy = load_strategy("mine", {}, workspace)
    person = small_study.participant("a")
    with pytest.raises(GeppettoError, match=message):
        persona(strategy, person, small_study)


def test_a_strategy_cannot_look_its_participant_up(workspace: Path, small_study: Study) -> None:
    write(workspace, "mine", MINE.replace('"HELLO" if', "str(study.people[participant.id]) if"))
    strategy = load_strategy("mine", {"loud": True}, workspace)
    with pytest.raises(GeppettoError, match=r"mine\.py, line 8: KeyError: 'a'"):
        persona(strategy, small_study.participant("a"), small_study)


def test_helpers_of_the_workspace_are_no_strategies(workspace: Path) -> None:
    write(workspace, "_helpers", "x = 1")
    assert "_helpers" not in strategy_files(workspace)


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("intervew", {}, "unknown strategy 'intervew'; did you mean 'interview'"),
        ("biography", {"voise": "first"}, "unknown parameter 'voise' in strategy 'biography'"),
        ("biography", {"voice": "fourth"}, "'biography': voice is 'fourth'"),
        ("known_answers", {"k": 0}, "'known_answers': k is 0"),
        ("known_answers", {"k": True}, "'known_answers': k is True"),
        ("known_answers", {"traits": ["age"]}, "'known_answers': traits is"),
    ],
)
def test_wrong_names_and_values_are_explained(
    name: str, parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(GeppettoError, match=message):
        load_strategy(name, parameters, ROOT)


def test_the_contract_of_a_strategy_is_enforced() -> None:
    with pytest.raises(TypeError, match="abstract"):
        PersonaStrategy()  # type: ignore[abstract] # which is what is tested
