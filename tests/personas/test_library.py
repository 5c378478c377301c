"""The strategies that ship with geppetto, word by word."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import get_args

import pytest
import yaml

from fake_model import CHATML
from geppetto._util.errors import GeppettoError
from geppetto.personas import Fact, Format
from geppetto.personas.library import load_strategy, parameters, strategy_class
from geppetto.personas.visibility import view
from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.survey import Layout, Prompt, render
from workspaces import ROOT
from written import STRATEGIES, TOLD, Parameters, cases, study_of, told, written

GOLDEN = ROOT / "tests" / "golden"


def layout_of(asked: Parameters) -> Layout:
    """The layout that asks for answers in the form in which the persona shows them."""
    form = asked.get("answers", asked).get("answer", "number")
    return Layout(answer=form)


def prompt(name: str, asked: Parameters, study: str, chat: bool) -> Prompt:
    whole = study_of(study)
    template = ChatTemplate(source=CHATML) if chat else None
    item = whole.items[TOLD[study][1]]
    return render(whole, item, told(name, asked, study), layout_of(asked), template)


def options(prompt: Prompt) -> str:
    return "|".join(answer for _, answer in prompt.options)


def in_full(name: str, asked: Parameters, study: str, chat: bool) -> str:
    made = prompt(name, asked, study, chat)
    assert made.text.startswith(made.stem) and made.stem.startswith(made.head)
    return f"{made.text}{options(made)}"


def persona_only(name: str, asked: Parameters, study: str) -> str:
    own = told(name, asked, study)
    text = "(no persona)" if own is None else own.text
    return f"{text}\n(options: {options(prompt(name, asked, study, chat=False)).strip()})"


def recorded(name: str, study: str) -> str:
    """All that a strategy can write of one person, each part under its parameters."""
    participant, item = TOLD[study]
    parts = [f"{name} on {study}: participant {participant}, item {item}"]

    def part(title: str, text: str) -> None:
        parts.append(f"=== {title}\n{text}")

    part("defaults, plain text", in_full(name, {}, study, chat=False))
    part("defaults, ChatML", in_full(name, {}, study, chat=True))
    for asked in cases(name, study):
        title = yaml.safe_dump(asked, default_flow_style=True, sort_keys=False, width=1000)
        try:
            if "placement" in asked:
                text = in_full(name, asked, study, chat=True)
            else:
                text = persona_only(name, asked, study)
        except GeppettoError as error:
            text = f"(refused: {error})"
        part(title.strip()[1:-1], text)
    return "\n\n".join(parts) + "\n"


@pytest.mark.parametrize("study", TOLD)
@pytest.mark.parametrize("name", STRATEGIES)
def test_personas_are_the_golden_ones(name: str, study: str) -> None:
    """Delete a golden file and run the tests to record it anew; then read it."""
    try:
        text = recorded(name, study)
    except GeppettoError as error:  # the defaults say nothing of this study
        text = f"{name} on {study}\n\n(refused: {error})\n"
    golden = GOLDEN / study / f"{name}.txt"
    if not golden.exists():
        golden.parent.mkdir(parents=True, exist_ok=True)
        golden.write_text(text, "utf-8")
        pytest.fail(f"{study}/{golden.name} was missing and has been recorded; read it, run again")
    assert text == golden.read_text("utf-8")


@pytest.mark.parametrize("study", TOLD)
def test_every_strategy_has_a_golden_file_and_no_other_has_one(study: str) -> None:
    assert {path.stem for path in (GOLDEN / study).iterdir()} == set(STRATEGIES)


def chosen(asked: Parameters, name: str) -> set[str]:
    """The value of a parameter in one case, if it has one there: of `answers.choose`."""
    first, _, rest = name.partition(".")
    if first not in asked:
        return set()
    return chosen(asked[first], rest) if rest else {str(asked[first])}


@pytest.mark.parametrize("name", STRATEGIES)
def test_golden_files_hold_every_choice_a_strategy_offers(name: str) -> None:
    for parameter, field in parameters(strategy_class(name, ROOT)).items():
        if field.annotation is type(None) or parameter == "answers.seed":
            continue  # known_answers has a case for the seed
        found = set().union(*(chosen(asked, parameter) for asked in cases(name, "bfi")))
        assert found, f"no golden case sets {parameter}"
        values = get_args(field.annotation)
        is_choice = values and all(isinstance(value, str) for value in values)
        if is_choice and not (name in ("known_answers", "scores") and "." in parameter):
            assert found | {field.default} == set(values), parameter


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_strategy_says_in_its_file_where_it_comes_from(name: str) -> None:
    first = (ROOT / "personas" / f"{name}.py").read_text("utf-8").splitlines()[0]
    assert first.startswith('"""') and ("et al." in first or "&" in first)
    assert strategy_class(name, ROOT).__doc__


@pytest.mark.parametrize("study", TOLD)
@pytest.mark.parametrize("name", STRATEGIES)
def test_paraphrases_say_the_same_in_other_words(name: str, study: str) -> None:
    whole = study_of(study)
    participant, item = TOLD[study]
    person = whole.participant(participant)
    texts = []
    for n in range(len(strategy_class(name, ROOT).paraphrases)):
        strategy = load_strategy(name, {"paraphrase": n}, ROOT)
        try:
            own, block = written(strategy, person, whole, item)
        except GeppettoError:
            assert (name, study) == ("scores", "gss_spending")
            return
        assert own is not None
        texts.append(own.text)
        if isinstance(strategy, Format):
            for fact in strategy.facts(view(strategy, person, whole, block), whole.without_people):
                assert fact.value.lower() in own.text.lower()
        else:
            assert (
                "Ms. " in own.text and own.text.split("Ms. ")[1].split()[0].strip(".") in texts[0]
            )
    assert len(set(texts)) == len(texts) >= 3


def test_every_wording_of_a_format_has_words_of_its_own_for_facts() -> None:
    for name in STRATEGIES:
        if name not in ("categories", "direct", "third_person"):  # one sentence: its verb differs
            wordings = strategy_class(name, ROOT).paraphrases
            says = [getattr(wording, "fact", wording) for wording in wordings]
            assert len(set(says)) == len(says), name


@pytest.mark.parametrize(
    ("name", "asked"), [("scores", {}), ("interview", {"scores": {"shown_as": "band"}})]
)
def test_scores_of_a_study_without_constructs_are_refused(name: str, asked: Parameters) -> None:
    message = (
        r"study gss_spending has no scores: its items declare no `measures`, and no trait that is "
        r"shown has a `norm`; add them to its codebook, or show no scores"
    )
    with pytest.raises(GeppettoError, match=message):
        told(name, asked, "gss_spending")


def test_random_order_is_a_persons_own_and_its_seeds() -> None:
    shuffled = {
        str(told("portrait", {"order": "random", "seed": seed}, "gss_spending")) for seed in (0, 1)
    }
    assert len(shuffled) == 2
    study = study_of("bfi")
    strategy = load_strategy("portrait", {"order": "random"}, ROOT)
    first = set()
    for person in list(study.people.values())[:40]:
        own, _ = written(strategy, person, study, "A1")
        assert own is not None
        first.add(own.text.splitlines()[1].split(":")[0])
    assert first == {"Gender", "Highest level of education", "Age"}


def test_a_name_tells_a_group_and_nothing_of_the_person() -> None:
    study = study_of("gss_spending")
    strategy = load_strategy("name_cue", {"surnames": "typical"}, ROOT)
    other = next(p for p in study.people.values() if p.traits.get("race") == "Other")
    assert written(strategy, other, study, "natsci")[0] is None
    with pytest.raises(GeppettoError, match="name_cue needs a trait called race or ethnicity"):
        told("name_cue", {"surnames": "typical"}, "bfi")


def test_a_question_with_more_options_than_letters_is_answered_in_words() -> None:
    strategy = load_strategy("questionnaire", {}, ROOT)
    assert isinstance(strategy, Format)
    many = tuple(f"Place {n}" for n in range(27))
    fact = Fact("place", "place", "Where do you live?", "Place 26", many)
    assert strategy.say(fact) == "Question: Where do you live?\nAnswer: Place 26"
    fewer = Fact("place", "place", "Where do you live?", "Place 25", many[:26])
    assert strategy.say(fewer).endswith("(Z) Place 25\nAnswer: (Z) Place 25")


def test_a_file_is_run_once_and_again_when_it_changes(tmp_path: Path) -> None:
    text = (
        "from geppetto.personas import PersonaStrategy\n\n\n"
        "class Mine(PersonaStrategy):\n"
        "    def write(self, participant, study):\n"
        "        return 'first'\n"
    )
    one, other = tmp_path / "one", tmp_path / "other"
    for workspace in (one, other):
        (workspace / "personas").mkdir(parents=True)
        (workspace / "personas" / "mine.py").write_text(text)
    first = strategy_class("mine", one)
    elsewhere = strategy_class("mine", other)
    assert strategy_class("mine", one) is first is not elsewhere
    assert Path(inspect.getfile(first)).parents[1] == one
    (one / "personas" / "mine.py").write_text(text.replace("first", "second"))
    assert strategy_class("mine", one) is not first
