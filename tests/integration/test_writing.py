"""Having models write: through LiteLLM's own machinery, with speakers whose words are scripted."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dspy
import pytest
from dspy.utils.exceptions import AdapterParseError

from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.completions import CompletionStore
from geppetto.answers.generated_texts import GeneratedTextStore
from geppetto.experiment.persona_generation import program, write, writer_of
from geppetto.experiment.persona_writers import Writers
from geppetto.experiment.strategies import open_strategy
from geppetto.models.base import Model
from geppetto.models.budget import BudgetTracker
from geppetto.models.endpoint.dspy_adapter import WholeCompletion
from geppetto.models.endpoint.litellm_provider import drawing_for, request, serving
from geppetto.models.identity import ModelIdentity
from geppetto.models.requests import Completion, Request
from geppetto.models.spec import ModelSpec
from geppetto.personas.arms import Average, Knockout, NoPersona, Own, Shuffled
from geppetto.personas.base import Persona
from geppetto.personas.chosen import chosen
from geppetto.personas.compiled import with_training
from geppetto.personas.generated import (
    GeneratedStrategy,
    GeneratedText,
    GenerationRequest,
    NotGeneratedError,
)
from geppetto.personas.visibility import blocks, persona, view
from geppetto.planning.build import make_plan
from geppetto.planning.config import Experiment
from geppetto.planning.elicited import by_likelihood
from geppetto.planning.plan import Plan, Strategy
from geppetto.prompts.chat import Turn
from geppetto.prompts.survey import Layout
from geppetto.studies import Study
from mutation import mutated
from speaking import ScriptedModel, told

SCRIPTED = [ModelSpec(name="scripted", model="openai/scripted")]
AGREEING = {"gender": "Female", "age": "21", "highest level of education": "Some college"}


def says(name: str, turns: Sequence[Turn]) -> str:
    """Tells facts one by one, finds them again in a story, and else says what it was asked for."""
    match name:
        case "story":
            return " ".join(f"My {fact}." for fact in json.loads(told(turns, "facts")))
        case "answer":
            story, asked = told(turns, "story"), told(turns, "asked")
            after = story.partition(f"My {asked}: ")[2]
            return after.partition(".")[0] or "not said"
        case "revised":
            return " ".join(f"My {fact}." for fact in json.loads(told(turns, "facts")))
        case "expert":
            return "demographer"
    return f"the {name}"


def rule_of(name: str, workspace: Path, **given: object) -> GeneratedStrategy:
    rule = open_strategy(name, {"writer": "scripted", **given}, workspace, SCRIPTED)
    assert isinstance(rule, GeneratedStrategy)
    return rule


def experiment(**given: object) -> Experiment:
    """One whose writer is behind an interface."""
    content: dict[str, object] = {
        "name": "e",
        "question": "?",
        "study": "bfi",
        "models": SCRIPTED,
        "strategies": [{"written_profile": {"writer": "scripted"}}],
        "arms": ["own"],
    }
    return Experiment.model_validate(content | given)


def of(rule: GeneratedStrategy, study: Study, number: int = 0) -> Persona | None:
    """The persona of one participant in a block."""
    block = blocks(rule, study, list(study.items))[number]
    seen = view(rule, study.participant("61623"), study, block)
    return persona(rule, seen, study, block)


def missing(
    rule: GeneratedStrategy, study: Study, number: int = 0
) -> tuple[GenerationRequest, ...]:
    with pytest.raises(NotGeneratedError) as error:
        of(rule, study, number)
    return error.value.generations


def had_written(
    rule: GeneratedStrategy, study: Study, text_model: ScriptedModel, workspace: Path
) -> list[GeneratedText]:
    generations = missing(rule, study)
    store = written(generations, text_model, workspace)
    return [found for each in generations if (found := store.find(each.id))]


def written(
    generations: Sequence[GenerationRequest],
    text_model: Model,
    workspace: Path,
    tracker: BudgetTracker | None = None,
) -> GeneratedTextStore:
    store, completions = (
        GeneratedTextStore.of_workspace(workspace),
        CompletionStore.of_workspace(workspace),
    )
    write(generations, {"scripted": text_model}, store, completions, tracker or BudgetTracker())
    return store


def test_a_life_story_is_written_once_and_then_read(bfi: Study, workspace: Path) -> None:
    rule, text_model = rule_of("life_story", workspace), ScriptedModel(says)
    (writing,) = had_written(rule, bfi, text_model, workspace)
    own = of(rule, bfi)
    assert own is not None
    assert own.text == "My gender: Female. My highest level of education: Some college. My age: 21."
    assert len(text_model.requests) == 1 + len(AGREEING)
    assert (writing.cost, writing.prompt_tokens) == (0.25 * 4, 10 * 4)
    assert {each.temperature for each in text_model.requests} == {0.7}
    block = blocks(rule, bfi, list(bfi.items))[0]
    again = rule.generations(view(rule, bfi.participant("61623"), bfi, block), bfi)
    store = written(list(again.values()), text_model, workspace)
    assert len(text_model.requests) == 1 + len(AGREEING)
    (generator,) = store.generators("LifeStory")
    assert generator.identity == text_model.identity.of_completions and generator.longest == 1024
    assert rule.wording in json.loads(generator.state)["tell"]["signature"]["instructions"]


@pytest.mark.parametrize(("revisions", "told_at_last"), [(0, False), (1, True)])
def test_a_story_is_revised_as_often_as_it_may_be(
    bfi: Study, workspace: Path, revisions: int, told_at_last: bool
) -> None:
    def forgets(name: str, turns: Sequence[Turn]) -> str:
        if name == "story":
            return "My gender: Female. My highest level of education: Some college. My age: 54."
        if name == "revised":
            assert json.loads(told(turns, "facts")) == ["age: 21"]
            return "My gender: Female. My highest level of education: Some college. My age: 21."
        return says(name, turns)

    rule = rule_of("life_story", workspace, revisions=revisions)
    text_model = ScriptedModel(forgets)
    (writing,) = had_written(rule, bfi, text_model, workspace)
    assert writing.failed == ("" if told_at_last else "whose story does not agree with their age")
    assert (of(rule, bfi) is not None) == told_at_last
    readings = (1 + revisions) * len(AGREEING)
    assert len(text_model.requests) == 1 + readings + revisions


def test_a_profile_is_told_every_answer_it_may_know(bfi: Study, workspace: Path) -> None:
    rule, text_model = rule_of("written_profile", workspace), ScriptedModel(says)
    had_written(rule, bfi, text_model, workspace)
    asked = told(text_model.requests[0].turns, "answers")
    predicted = blocks(rule, bfi, list(bfi.items))[0].predicted
    for name, item in bfi.items.items():
        assert (item.text in asked) == (name not in predicted)
    assert of(rule, bfi) == Persona("the profile")


def test_reasons_stand_beside_the_answers_they_explain(bfi: Study, workspace: Path) -> None:
    rule, text_model = rule_of("reasons", workspace, k=3, scaffold="values"), ScriptedModel(says)
    had_written(rule, bfi, text_model, workspace)
    own = of(rule, bfi)
    assert own is not None and own.text.count("Your reason: the reason") == 3
    for each in text_model.requests:
        question, answer = told(each.turns, "question"), told(each.turns, "answer")
        assert f"You were asked: {question}\nYou answered: {answer}\n" in own.text
        assert "Schwartz" in told(each.turns, "terms")


def test_notes_are_written_once_and_each_question_is_routed(bfi: Study, workspace: Path) -> None:
    rule, text_model = rule_of("expert_notes", workspace), ScriptedModel(says)
    assert len(had_written(rule, bfi, text_model, workspace)) == 5
    own = of(rule, bfi)
    assert own is not None and own.text.endswith("What a demographer noted of you:\nthe notes")
    modules = [each.module for each in missing(rule, bfi, number=1)]
    assert modules == ["route"]  # the same half of the items, so the notes are there


def test_a_plan_is_made_once_all_that_its_arms_need_is_written(
    small_study: Study, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unlike(name: str, turns: Sequence[Turn]) -> str:
        """Nobody of 30 is told of as such."""
        return says(name, turns).replace("30", "31")

    rule, text_model = rule_of("life_story", workspace, revisions=0), ScriptedModel(unlike)
    people = [person for person in small_study.people.values() if len(person.traits) == 2]
    arms = [NoPersona(), Average(), Shuffled(), Knockout(traits=("sex",)), Own()]
    strategies = [Strategy("life_story", "life_story", rule)]
    rounds: list[str] = []

    def prepare() -> Plan:
        rounds.append("a round")
        items, model = list(small_study.items), FakeModel()
        return make_plan(
            small_study, people, items, strategies, arms, Layout(), [by_likelihood(model)]
        )

    monkeypatch.setattr(Writers, "_open", lambda *_: text_model)
    writers = Writers(experiment(), workspace, BudgetTracker())
    (plan,) = writers.complete(lambda: [prepare()])
    assert len(rounds) == 3  # the average of those who are left is known after the first
    assert set(plan.dropped) == {"b"}
    texts = plan.read("fake", plan.scored("fake"))
    own = {a.participant: texts[a.request] for a in plan.answers if a.arm == "own"}
    assert "My age: 20." in own["a"] and "My sex: Male." in own["a"]
    for planned in plan.answers:
        if planned.arm == "shuffled":
            age = small_study.people[planned.donor].traits["age"]
            assert f"My age: {age:g}." in texts[planned.request]
        if planned.arm == "without sex":
            assert "sex" not in texts[planned.request]
    asked = len(text_model.requests)
    assert writers.complete(lambda: [prepare()])[0].sha256 == plan.sha256
    assert len(text_model.requests) == asked


def test_text_that_was_cut_off_filtered_or_malformed_is_an_outcome(
    bfi: Study, workspace: Path
) -> None:
    @dataclass
    class Rambling(ScriptedModel):
        async def completion(self, request: Request) -> Completion:
            return (await super().completion(request)).model_copy(update={"text": " "})

    outcomes = {
        "cut off": ScriptedModel(says, finish="length"),
        "filtered": ScriptedModel(says, finish="filter"),
        "in the form": Rambling(says),
    }
    for number, (reason, text_model) in enumerate(outcomes.items()):
        rule = rule_of("written_profile", workspace, longest=100 + number)
        (writing,) = had_written(rule, bfi, text_model, workspace)
        assert reason in writing.failed
        assert of(rule, bfi) is None
        assert len(text_model.requests) == 1  # no second try in another form


@pytest.mark.parametrize(
    "thinks",
    [
        "<think>I make it up.</think>{}",
        "I make it up.\n</think>\n\n{}",
        "<|channel|>analysis<|message|>I make it up.<|end|><|start|>assistant<|channel|>final"
        "<|message|>{}",
    ],
)
def test_what_a_writer_thinks_is_no_persona(bfi: Study, workspace: Path, thinks: str) -> None:
    def thinking(name: str, turns: Sequence[Turn]) -> str:
        return thinks.format(says(name, turns))

    rule = rule_of("written_profile", workspace)
    had_written(rule, bfi, ScriptedModel(thinking), workspace)
    assert of(rule, bfi) == Persona("the profile")


def test_a_writer_whose_thinking_is_cut_has_written_nothing(bfi: Study, workspace: Path) -> None:
    thinking = ScriptedModel(lambda *_: "<think>I make it", finish="length")
    rule = rule_of("written_profile", workspace)
    (writing,) = had_written(rule, bfi, thinking, workspace)
    assert "the limit ended the writer's thinking" in writing.failed


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("So.</think>\n\nA profile", ("A profile", "")),
        ("<think>So.", ("", "of whom an empty persona was written")),
        (" A profile", (" A profile", "")),
    ],
)
def test_a_text_that_was_stored_with_its_writers_thoughts_is_read_without_them(
    bfi: Study, workspace: Path, monkeypatch: pytest.MonkeyPatch, text: str, read: tuple[str, str]
) -> None:
    rule, kept = rule_of("written_profile", workspace), GeneratedText((text,))
    monkeypatch.setattr(GeneratedTextStore, "find", lambda *_: kept)
    block = blocks(rule, bfi, list(bfi.items))[0]
    seen = view(rule, bfi.participant("61623"), bfi, block)
    assert (rule.write(seen, bfi), rule.refused(seen, bfi)) == read


def test_what_got_no_reply_stays_unwritten_and_the_rest_is_kept(
    bfi: Study, workspace: Path
) -> None:
    @dataclass
    class Failing(ScriptedModel):
        async def completion(self, request: Request) -> Completion:
            said = await super().completion(request)
            if said.text == "demographer":
                return Completion(finish="error", error="the line is dead")
            return said

    rule = rule_of("expert_notes", workspace)
    with pytest.raises(GeppettoError, match=r"1 of 5 texts got no reply \(the line is dead\)"):
        had_written(rule, bfi, Failing(says), workspace)
    assert [each.module for each in missing(rule, bfi)] == ["route"]


def test_a_speaker_that_cannot_answer_anything_ends_the_writing(
    bfi: Study, workspace: Path
) -> None:
    @dataclass
    class Refusing(ScriptedModel):
        async def completion(self, request: Request) -> Completion:
            raise GeppettoError("the key is refused; set another")

    with pytest.raises(GeppettoError, match="the key is refused; set another"):
        had_written(rule_of("written_profile", workspace), bfi, Refusing(says), workspace)


def test_a_model_that_reads_plain_text_cannot_write(bfi: Study, workspace: Path) -> None:
    class Base(ScriptedModel):
        @property
        def identity(self) -> ModelIdentity:
            return super().identity.model_copy(update={"kind": "base"})

    with pytest.raises(GeppettoError, match="let a chat model write"):
        had_written(rule_of("written_profile", workspace), bfi, Base(says), workspace)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"max_tokens": 5, "top_p": 0.5}, "top_p cannot be passed on"),
        ({"max_tokens": 5, "n": 2}, "n cannot be passed on"),
        ({"max_tokens": 5, "stop": ["x"]}, "stop cannot be passed on"),
        ({"temperature": 1.0}, "max_tokens"),
    ],
)
def test_parameters_that_a_speaker_does_not_take_are_refused(
    parameters: dict[str, object], message: str
) -> None:
    with pytest.raises(GeppettoError, match=message):
        request([{"role": "user", "content": "Hello"}], parameters)


def test_sampling_parameters_are_passed_on() -> None:
    asked = request([{"role": "user", "content": "Hi"}], {"max_tokens": 5, "temperature": 0.3})
    assert asked == Request(turns=(Turn(role="user", content="Hi"),), temperature=0.3, max_tokens=5)


def test_a_compiled_program_speaks_in_its_own_instruction(bfi: Study, workspace: Path) -> None:
    compiled = program(rule_of("written_profile", workspace))
    (predictor,) = compiled.predictors()
    predictor.signature = predictor.signature.with_instructions("Describe them as a tree.")
    predictor.demos = [dspy.Example(facts=["f"], answers=["a"], profile="An oak.")]
    compiled.save(file := workspace / "tree.json")
    file.write_text(with_training(file.read_text("utf-8"), ()), "utf-8")
    rule, text_model = (
        rule_of("written_profile", workspace, program="tree.json"),
        ScriptedModel(says),
    )
    had_written(rule, bfi, text_model, workspace)
    (asked,) = text_model.requests
    assert "Describe them as a tree." in asked.turns[0].content
    assert any("An oak." in turn.content for turn in asked.turns)


def saved(workspace: Path, name: str, **changed: object) -> Path:
    """The file of a strategy's own program, made from nobody's answers, with one part changed."""
    program(rule_of(name, workspace)).save(file := workspace / "program.json")
    state = json.loads(with_training(file.read_text("utf-8"), ()))
    for predictor in state.keys() - {"metadata"}:
        state[predictor] |= changed
    file.write_text(json.dumps(state))
    return file


def test_who_writes_is_said_by_the_strategy_and_by_no_program(bfi: Study, workspace: Path) -> None:
    other = {"model": "openai/somebody-else", "api_base": "http://127.0.0.1:9", "api_key": "x"}
    saved(workspace, "written_profile", lm=other, train=[{"a": 1}], forward="no method")
    rule = rule_of("written_profile", workspace, program="program.json")
    (predictor,) = program(rule).predictors()
    assert predictor.lm is None and not predictor.train and callable(predictor.forward)
    had_written(rule, bfi, scripted := ScriptedModel(says), workspace)
    assert len(scripted.requests) == 1


@pytest.mark.parametrize(
    "part",
    [
        {"demos": 5},
        {"demos": [3]},
        {"signature": None},
        {"signature": {"instructions": 1, "fields": []}},
        {"signature": {"instructions": "", "fields": [{"prefix": None, "description": ""}]}},
    ],
)
def test_a_program_that_is_none_is_refused_where_it_is_read(
    workspace: Path, part: dict[str, object]
) -> None:
    saved(workspace, "written_profile", **part)
    with pytest.raises(GeppettoError, match=r"program\.json is no program.*: "):
        rule_of("written_profile", workspace, program="program.json")


@pytest.mark.parametrize(
    "text", ["", "[]", "[" * 100_000, '{"metadata": {"taught_by": []}, "a": "\\ud800"}']
)
def test_what_is_no_program_is_refused(workspace: Path, text: str) -> None:
    (workspace / "program.json").write_text(text)
    with pytest.raises(GeppettoError, match=r"is no program|does not say"):
        rule_of("written_profile", workspace, program="program.json")


def test_whatever_lies_in_a_program(bfi: Study, workspace: Path) -> None:
    """200 files that are nearly right (FUZZ: as many as it says) are refused, or write."""
    demonstration = {"facts": "You are 30.", "profile": "An oak.", "augmented": True}
    file = saved(workspace, "written_profile", demos=[demonstration, {"profile": "An elm."}])
    good, wrote = file.read_bytes(), 0
    for number in range(int(os.environ.get("FUZZ", "200"))):
        data = mutated(good, random.Random(f"{os.environ.get('FUZZ_SEED', '0')} program {number}"))
        file.write_bytes(data)
        try:
            rule = rule_of("written_profile", workspace, program="program.json")
            program(rule)
            if number % 10 == 0:
                (own := workspace / str(number)).mkdir()
                had_written(rule, bfi, ScriptedModel(says), own)
                wrote += 1
        except (GeppettoError, NotGeneratedError) as error:
            str(error).encode()
        except Exception as error:
            pytest.fail(f"program {number}: {type(error).__name__}: {error}; {data!r}")
    assert wrote


def test_a_program_with_fewer_fields_is_of_another_strategy(workspace: Path) -> None:
    saved(workspace, "written_profile", signature={"instructions": "", "fields": []})
    rule = rule_of("written_profile", workspace, program="program.json")
    with pytest.raises(GeppettoError, match=r"is not one of WrittenProfile, which has .* fields"):
        program(rule)


def test_a_program_of_another_strategy_is_refused(bfi: Study, workspace: Path) -> None:
    program(rule_of("written_profile", workspace)).save(file := workspace / "profile.json")
    with pytest.raises(GeppettoError, match="does not say whose answers"):
        rule_of("reasons", workspace, program="profile.json")
    file.write_text(with_training(file.read_text("utf-8"), ()), "utf-8")
    rule = rule_of("reasons", workspace, program="profile.json")
    with pytest.raises(GeppettoError, match="is not one of Reasons"):
        program(rule)


def test_the_writer_is_asked_again_for_the_same(bfi: Study, workspace: Path) -> None:
    rule, text_model = rule_of("written_profile", workspace), ScriptedModel(says)
    with serving({"scripted": text_model.completion}), writer_of(rule):
        for _ in range(2):
            with drawing_for("somebody"):
                for _ in range(2):
                    dspy.Predict("question -> reply")(question="How are you?")
    first, second, *again = text_model.requests
    assert again == [first, second] and (first.sample, second.sample) == (0, 1)
    assert {each.drawn_for for each in text_model.requests} == {"somebody"}
    assert len({each.id(text_model.identity) for each in text_model.requests}) == 2


def test_one_text_is_the_whole_reply_and_several_have_dspys_form() -> None:
    adapter = WholeCompletion()
    one, two = dspy.Signature("facts -> story"), dspy.Signature("facts -> story, moral")
    system, user = adapter.format(one, [], {"facts": ["a: 1", "b: 2"]})
    assert user["content"] == "Facts:\n- a: 1\n- b: 2\n\nReply with the story alone."
    assert "##" not in system["content"]
    assert adapter.parse(one, " Once [[ ## upon ## ]]\n\na time. ") == {
        "story": "Once [[ ## upon ## ]]\n\na time."
    }
    assert "[[ ## moral ## ]]" in adapter.format(two, [], {"facts": []})[-1]["content"]
    with pytest.raises(AdapterParseError):
        adapter.parse(two, "Once upon a time.")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Female", "female"),
        ("She is female.", "female"),
        ("I had some college.", "some college"),
        ("She is not female.", None),
        ("male or female", None),
        ("not said", None),
        ("collegefemale", None),
        ("", None),
    ],
)
def test_a_choice_is_what_an_answer_names_alone(said: str, meant: str | None) -> None:
    assert chosen(said, ["male", "female", "college", "some college"]) == meant
