"""Personas that a language model writes: looked up, missing, refused, and reused by every arm."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest
import sqlalchemy as sql
from pydantic import ValidationError

from geppetto._util.errors import GeppettoError
from geppetto.answers.generated_texts import GeneratedTextStore, Generator
from geppetto.answers.store import AnswerStore
from geppetto.experiment.strategies import open_strategy
from geppetto.models.identity import ModelIdentity
from geppetto.models.spec import ModelSpec
from geppetto.personas.arms import Arm, Average, Knockout, NoPersona, Own, Shuffled
from geppetto.personas.generated import (
    GeneratedStrategy,
    GeneratedText,
    GenerationRequest,
    Inputs,
    NotGeneratedError,
)
from geppetto.personas.leaked import leaked
from geppetto.personas.visibility import blocks, persona, view, visible_study
from geppetto.planning.assignment import PersonaCache, Sample, assignments
from geppetto.planning.plan import Strategy
from geppetto.studies import Participant, Study

if TYPE_CHECKING:
    import dspy

IDENTITY = ModelIdentity(name="typist", model="m").of_completions
GENERATOR = Generator(
    strategy="Told",
    writer="typist",
    identity=IDENTITY,
    module="M",
    state="{}",
    demos="0",
    temperature=0.7,
    longest=99,
)


class ToldTraits(GeneratedStrategy):
    """Told the traits, and nothing is ever really written."""

    paraphrases: ClassVar = ("Write.", "Do write.")

    def inputs(self, participant: Participant, study: Study) -> dict[str, dict[str, Inputs]]:
        facts = [f"{trait.label}: {value}" for trait, value in study.known_traits(participant)]
        return {"text": {"facts": facts}} if facts else {}

    def modules(self) -> dict[str, dspy.Module]:
        raise AssertionError("planning must not write")


class ToldAnswers(ToldTraits):
    """Told the answers to the items that are not predicted."""

    reads_responses: ClassVar[bool] = True

    def inputs(self, participant: Participant, study: Study) -> dict[str, dict[str, Inputs]]:
        return {
            "text": {"said": [f"{i.name} {code}" for i, code in study.known_responses(participant)]}
        }


class Shelf:
    """A library in memory: what is written of each commission, by a function of what was told."""

    def __init__(self) -> None:
        self.written: dict[str, GeneratedText] = {}

    def find(self, generation: str) -> GeneratedText | None:
        return self.written.get(generation)

    def fill(self, generations: Sequence[GenerationRequest], failed: str = "") -> None:
        for each in generations:
            self.written[each.id] = GeneratedText((f"OnDemand of {each.inputs}",), failed)


def draft(
    rule: GeneratedStrategy, study: Study, arms: Sequence[Arm]
) -> tuple[PersonaCache, dict[tuple[str, str, str], str]]:
    """A strategy's writer, and the texts by participant, arm and donor."""
    people = [person for person in study.people.values() if person.known >= set(study.traits)]
    writer = PersonaCache(study, Strategy("told", "told", rule), list(study.items), [rule])
    for person in people:
        assert writer.describes(person)
        for arm in arms:
            for trait in writer.left_out(arm) if isinstance(arm, Knockout) else ():
                assert writer.describes(person, trait)
    sample = Sample.of(study, people, [writer], arms)
    texts = {
        (each.person.id, each.arm, each.donor): each.persona.text
        for each in assignments(sample, [writer], arms, list(study.items))
        if each.persona
    }
    return writer, texts


def written_by(rule: GeneratedStrategy, study: Study, arms: Sequence[Arm]) -> tuple[Shelf, Texts]:
    shelf = Shelf()
    reading = rule.reading(shelf, IDENTITY)
    cache, _ = draft(reading, study, arms)
    shelf.fill({each.id: each for each in cache.pending}.values())
    return shelf, draft(reading, study, arms)[1]


Texts = dict[tuple[str, str, str], str]


def test_everything_that_arms_need_is_found_missing_in_one_go(small_study: Study) -> None:
    arms = [NoPersona(), Average(), Shuffled(), Knockout(), Own()]
    shelf, texts = written_by(ToldTraits(writer="typist"), small_study, arms)
    labels = {arm for _, arm, _ in texts}
    assert labels == {"average", "shuffled", "without age", "without sex", "own"}
    assert len(shelf.written) == len(set(texts.values()))


def test_the_shuffled_arm_gives_the_donors_own_text(small_study: Study) -> None:
    _, texts = written_by(ToldTraits(writer="typist"), small_study, [Shuffled(), Own()])
    for (_, arm, donor), text in texts.items():
        if arm == "shuffled":
            assert text == texts[donor, "own", ""]


def test_a_knockout_is_written_anew_without_the_trait(small_study: Study) -> None:
    _, texts = written_by(ToldTraits(writer="typist"), small_study, [Knockout(), Own()])
    for (person, arm, _), text in texts.items():
        if arm == "without age":
            assert "age:" not in text and text != texts[person, "own", ""]


def test_answers_to_predicted_items_are_not_told_to_the_writer(small_study: Study) -> None:
    rule = ToldAnswers(writer="typist").reading(Shelf(), IDENTITY)
    for block in blocks(rule, small_study, list(small_study.items)):
        for person in small_study.people.values():
            seen = view(rule, person, small_study, block)
            with pytest.raises(NotGeneratedError, match="are not written yet"):
                persona(rule, seen, small_study, block)
            (generation,) = rule.pending(seen, visible_study(small_study, block))
            assert not any(item in generation.inputs for item in block.predicted)


def test_a_failed_writing_leaves_a_participant_out_with_its_reason(small_study: Study) -> None:
    shelf = Shelf()
    rule = ToldTraits(writer="typist").reading(shelf, IDENTITY)
    person = small_study.people["a"]
    block = blocks(rule, small_study, list(small_study.items))[0]
    seen, told = view(rule, person, small_study, block), visible_study(small_study, block)
    shelf.fill(rule.generations(seen, told).values(), failed="whose story is wrong")
    writer = PersonaCache(
        small_study, Strategy("told", "told", rule), list(small_study.items), [rule]
    )
    assert not writer.describes(person)
    assert writer.refused(person) == "whose story is wrong"
    assert writer.describes(small_study.people["b"])  # not written yet, so not refused


def test_somebody_of_whom_nothing_is_known_needs_no_writing(small_study: Study) -> None:
    rule = ToldTraits(writer="typist", traits=()).reading(Shelf(), IDENTITY)
    block = blocks(rule, small_study, list(small_study.items))[0]
    seen = view(rule, small_study.people["a"], small_study, block)
    assert persona(rule, seen, small_study, block) is None


@pytest.mark.parametrize(
    "text", ["Very true. Yes!", "I read 'VERY  TRUE' and said: somewhat", "Very true: 2"]
)
def test_an_item_with_an_answer_to_it_is_a_leak(small_study: Study, text: str) -> None:
    study = visible_study(small_study, blocks(None, small_study, ["q1"])[0])
    assert leaked(text, study) == "q1"


@pytest.mark.parametrize(
    "text",
    ["I say yes to much.", "Very true.", f"Very true. {'and ' * 12} yes", "Very truestory: yes"],
)
def test_an_answer_or_an_item_alone_is_none(small_study: Study, text: str) -> None:
    study = visible_study(small_study, blocks(None, small_study, ["q1"])[0])
    assert leaked(text, study) is None


def test_only_what_changes_a_text_changes_its_commission(small_study: Study) -> None:
    def requested(
        person: str = "a",
        compiled: str | None = None,
        by: dict[str, str] = IDENTITY,
        **given: object,
    ) -> str:
        rule = ToldTraits.model_validate({"writer": "typist", **given})
        rule = rule.reading(Shelf(), by, compiled)
        block = blocks(rule, small_study, list(small_study.items))[0]
        seen = view(rule, small_study.people[person], small_study, block)
        return rule.generations(seen, visible_study(small_study, block))["text"].id

    base = requested()
    assert requested() == requested(placement="system") == base
    assert requested(traits=("age", "sex")) == base
    assert requested(by=IDENTITY | {"engine": "newer"}) == base
    others = [
        requested("b"),
        requested(writer="other"),
        requested(by=IDENTITY | {"model": "other"}),
        requested(by=IDENTITY | {"parameters": '{"seed": 1}'}),
        requested(temperature=0.1),
        requested(longest=100),
        requested(paraphrase=1),
        requested(traits=("age",)),
        requested(compiled="{}"),
    ]
    assert len({base, *others}) == 1 + len(others)


def test_a_wording_that_is_chosen_later_is_another_commission(small_study: Study) -> None:
    rule = ToldTraits(writer="typist").reading(Shelf(), IDENTITY)
    assert rule.model_copy(update={"paraphrase": 1}).made_of != rule.made_of


def test_a_program_and_a_paraphrase_exclude_each_other() -> None:
    with pytest.raises(ValidationError, match="has instructions of its own"):
        ToldTraits(writer="typist", program="mine.json", paraphrase=1)


def test_a_program_that_cannot_be_read_is_named(workspace: Path) -> None:
    with pytest.raises(GeppettoError, match=r"missing\.json cannot be read"):
        open_strategy(
            "life_story", {"writer": "openai/typist", "program": "missing.json"}, workspace
        )


def test_a_strategy_without_a_writer_says_so(workspace: Path) -> None:
    with pytest.raises(GeppettoError, match="writer has no default"):
        open_strategy("life_story", {}, workspace)


def test_a_writing_is_kept_once_with_its_generator(store_url: str) -> None:
    store = GeneratedTextStore(store_url)
    assert store.find("c") is None and store.generators("Told") == []
    first = GeneratedText(("a text", "another"), "whose reason", 3, 4, 0.5, 1.5, 2)
    store.put("c", "told", GENERATOR, first)
    store.put("c", "told", GENERATOR, GeneratedText(("too late",)))
    again = GeneratedTextStore(store_url)
    assert again.find("c") == first and again.find("d") is None
    assert again.generators("Told") == [GENERATOR] and again.generators("Other") == []


def test_a_store_of_an_older_geppetto_gets_the_table(tmp_path: Path) -> None:
    path = tmp_path / "answers.db"
    AnswerStore.at(path).put("m", {})
    with sql.create_engine(f"sqlite:///{path}").begin() as connection:
        connection.execute(sql.text("DROP TABLE writings"))
    store = GeneratedTextStore(f"sqlite:///{path}")
    assert store.find("c") is None
    store.put("c", "told", GENERATOR, GeneratedText(("text",)))
    assert store.find("c") == GeneratedText(("text",))


def test_a_text_of_another_model_under_the_same_name_is_not_taken(workspace: Path) -> None:
    def made_of(model: str) -> str:
        models = [ModelSpec.model_validate({"name": "typist", "model": model})]
        rule = open_strategy("life_story", {"writer": "typist"}, workspace, models)
        assert isinstance(rule, GeneratedStrategy)
        return rule.made_of

    assert made_of("openai/a") == made_of("openai/a") != made_of("openai/b")
    with pytest.raises(GeppettoError, match="unknown model 'typist'"):
        open_strategy("life_story", {"writer": "typist"}, workspace)
