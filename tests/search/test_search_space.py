"""The search space: derived from types, narrowed by the user, drawn by Optuna."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Annotated, Any, Literal

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.trial import FixedTrial
from pydantic import BaseModel, ConfigDict, Field

from geppetto._util.errors import GeppettoError
from geppetto._util.named import Named
from geppetto.personas.library import load_strategy
from geppetto.planning.search_config import DIRECTIONS, Search
from geppetto.search.build import of_model, space
from geppetto.search.samplers import shuffled
from geppetto.search.space import (
    Branches,
    Choice,
    Fixed,
    Integer,
    Node,
    Real,
    Record,
    Space,
    Subset,
)
from geppetto.studies import Study
from workspaces import ROOT


class Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class Scores(Strict):
    style: Literal["number", "band"] = "number"
    bands: int = Field(3, ge=2, le=5)


class Story(Strict):
    length: int = Field(10, gt=0, lt=100, multiple_of=10)


class Everything(Strict):
    voice: Literal["first", "third"] = "first"
    only: Literal["one"] = "one"
    loud: bool = False
    tone: Literal["warm"] | None = None
    count: int = Field(3, ge=1, lt=8)
    warmth: float = Field(0.5, ge=0, le=1)
    step: float = Field(0.5, ge=0, le=1, multiple_of=0.25)
    nested: Annotated[int, Field(ge=1, le=2)] = 1
    scores: Scores | None = None
    told: Scores | Story = Scores()
    inner: Story = Story()
    seed: int = 0
    half: int = Field(1, ge=0)
    name: str = "x"
    traits: tuple[str, ...] | None = Field(None, strict=False)
    maybe: int | None = Field(None, ge=1, le=3)


def derived(given: dict[str, Any] | None = None, schema: type[BaseModel] = Everything) -> Record:
    return of_model(schema, given or {}, "here")


def refusal(given: dict[str, Any], schema: type[BaseModel] = Everything) -> str:
    with pytest.raises(GeppettoError) as error:
        derived(given, schema)
    return str(error.value)


def test_types_are_the_search_space() -> None:
    scores = Record((("style", Choice(("number", "band"))), ("bands", Integer(2, 5))))
    story = Record((("length", Integer(10, 90, 10)),))
    assert dict(derived().fields) == {
        "voice": Choice(("first", "third")),
        "only": Fixed("one"),
        "loud": Choice((False, True)),
        "tone": Choice((None, "warm")),
        "count": Integer(1, 7),
        "warmth": Real(0, 1),
        "step": Choice((0, 0.25, 0.5, 0.75, 1)),
        "nested": Integer(1, 2),
        "scores": Branches((("none", Fixed(None)), ("Scores", scores))),
        "told": Branches((("Scores", scores), ("Story", story))),
        "inner": story,
    }


@pytest.mark.parametrize(
    ("given", "node"),
    [
        ({"count": 4}, Fixed(4)),
        ({"count": {"low": 2, "high": 6}}, Integer(2, 6)),
        ({"count": {"low": 2, "high": 6, "log": True}}, Integer(2, 6, log=True)),
        ({"count": {"choices": [2, 5]}}, Choice((2, 5))),
        ({"count": {"choices": [2]}}, Fixed(2)),
        ({"warmth": {"low": 0.1, "high": 1, "log": True}}, Real(0.1, 1.0, log=True)),
        ({"seed": {"low": -5, "high": 5}}, Integer(-5, 5)),
        ({"half": {"low": 0, "high": 5}}, Integer(0, 5)),
        ({"maybe": {"low": 1, "high": 3}}, Integer(1, 3)),
        ({"name": {"choices": ["x", "y"]}}, Choice(("x", "y"))),
        ({"traits": {"subset": ["age", "sex"]}}, Subset(("age", "sex"))),
        ({"traits": ["age"]}, Fixed(["age"])),
        ({"traits": {"choices": [["age"], None]}}, Choice((["age"], None))),
        ({"scores": None}, Fixed(None)),
        (
            {"scores": {"bands": 4}},
            Record((("style", Choice(("number", "band"))), ("bands", Fixed(4)))),
        ),
        (
            {"inner": {"length": {"low": 20, "high": 40}}},
            Record((("length", Integer(20, 40, 10)),)),
        ),
    ],
)
def test_what_the_user_gives_narrows_it(given: dict[str, Any], node: Node) -> None:
    ((name, _),) = given.items()
    assert dict(derived(given).fields)[name] == node


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"count": {"low": 0, "high": 5}}, ["count: low is 0", "greater than or equal to 1"]),
        ({"count": {"low": 1, "high": 8}}, ["count: high is 8", "less than 8"]),
        ({"count": {"low": 2.5, "high": 5}}, ["count: low is 2.5", "integer"]),
        ({"count": {"low": 5, "high": 5}}, ["count", "below"]),
        ({"count": {"low": 2}}, ["count", "{low: 1, high: 9}"]),
        ({"count": {"low": 2, "high": 3, "log": 1}}, ["log"]),
        ({"half": {"low": 0, "high": 3, "log": True}}, ["half", "above 0"]),
        ({"inner": {"length": {"low": 15, "high": 40}}}, ["inner: length: low is 15", "multiple"]),
        ({"voice": "second"}, ["voice is 'second'", "'first' or 'third'"]),
        ({"voice": {"choices": ["first", "second"]}}, ["voice is 'second'"]),
        ({"voice": {"choices": ["first", "first"]}}, ["voice", "twice"]),
        ({"voice": {"low": 1, "high": 2}}, ["voice", "no number"]),
        ({"voice": {"subset": ["first"]}}, ["voice is ['first']"]),
        ({"traits": {"subset": ["age", "age"]}}, ["traits", "twice"]),
        ({"traits": {"subset": []}}, ["traits", "subset"]),
        ({"vioce": "first"}, ["vioce", "did you mean 'voice'"]),
        ({"scores": {"bnads": 2}}, ["scores", "bnads", "did you mean 'bands'"]),
        ({"told": {"bands": 9}}, ["told"]),
    ],
)
def test_what_a_type_refuses_is_refused_of_the_user(
    given: dict[str, Any], words: list[str]
) -> None:
    message = refusal(given)
    assert message.count("\n") == 0
    for word in ["here", *words]:
        assert word in message


def test_a_field_that_has_no_value_at_all_is_refused() -> None:
    class Needy(Strict):
        what: str

    assert "what: has no default" in refusal({}, Needy)
    assert derived({"what": "this"}, Needy) == Record((("what", Fixed("this")),))


def test_models_that_cannot_be_told_apart_are_refused() -> None:
    class Twin(Scores):
        pass

    class Ambiguous(Strict):
        told: Scores | Twin = Scores()

    assert "are read as" in refusal({}, Ambiguous)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=50)
def test_whatever_is_drawn_fits_the_model_and_is_drawn_again_from_its_parameters(seed: int) -> None:
    node = derived({"traits": {"subset": ["age", "sex"]}})
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=seed))
    trial = study.ask()
    drawn = node.draw(trial, "s")
    Everything.model_validate(drawn)
    assert ("s.scores.bands" in trial.params) == (trial.params["s.scores"] == "Scores")
    assert ("s.told.length" in trial.params) == (trial.params["s.told"] == "Story")
    assert node.draw(FixedTrial(trial.params), "s") == drawn


@given(st.integers(0, 10**9))
@settings(max_examples=50)
def test_a_finite_space_has_each_of_its_points_once(seed: int) -> None:
    rng = random.Random(seed)
    found = Space(
        {name: _some_record(rng, depth=2) for name in ("a", "b", "c")[: rng.randint(1, 3)]},
        _some_record(rng, depth=0),
    )
    assert found.size is not None
    points = [found.at(index) for index in range(found.size)]
    assert len({tuple(sorted(point.items())) for point in points}) == found.size
    for point in rng.sample(points, min(10, len(points))):
        trial = FixedTrial(point)
        found.draw(trial)
        assert trial.params == point  # no parameter that its parent did not choose


def _some_record(rng: random.Random, depth: int) -> Record:
    def node(depth: int) -> Node:
        kinds: list[Node] = [
            Fixed(1),
            Choice(("x", "y")),
            Integer(1, 2),
            Subset(("t",)),
            Integer(2, 8, 3),
        ]
        if depth:
            kinds += [
                Record((("in", node(depth - 1)),)),
                Branches((("none", Fixed(None)), ("some", Record((("in", node(depth - 1)),))))),
            ]
        return rng.choice(kinds)

    return Record(tuple((f"f{n}", node(depth)) for n in range(rng.randint(0, 3))))


@given(st.integers(1, 300), st.integers(0, 10**6))
def test_a_shuffled_order_has_everything_once(size: int, seed: int) -> None:
    assert sorted(shuffled(place, size, seed) for place in range(size)) == list(range(size))


def test_a_space_with_a_real_number_is_infinite() -> None:
    assert derived().size is None
    assert Space({"a": Record(())}, Record(())).size == 1


def candidates(*given: Any) -> list[Named]:
    return [Named.model_validate(each) for each in given]


def test_the_library_and_the_layout_make_one_conditional_space(bfi: Study) -> None:
    found = space(
        candidates({"interview": {"placement": "task"}}, {"known_answers": {"k": 3}}),
        ["answer"],
        bfi,
        ROOT,
    )
    drawn = found.draw(
        FixedTrial(
            {
                "strategy": "interview",
                "interview.question": "label",
                "interview.paraphrase": 2,
                "interview.scores": "none",
                "interview.answers": "Answers",
                "interview.answers.choose": "related",
                "interview.answers.k": 3,
                "interview.answers.answer": "number",
                "layout.answer": "label",
            }
        )
    )
    assert drawn.strategy == "interview"
    assert drawn.parameters == {
        "placement": "task",
        "question": "label",
        "paraphrase": 2,
        "scores": None,
        "answers": {"choose": "related", "k": 3, "answer": "number"},
    }
    assert drawn.layout == {"answer": "label"}
    load_strategy(drawn.strategy, drawn.parameters, ROOT)


def test_paraphrases_are_searched_where_there_are_several(bfi: Study, workspace: Path) -> None:
    for name, wordings in (("many", ("a", "b", "c")), ("single", ("a",))):
        (workspace / "personas" / f"{name}.py").write_text(
            "from typing import ClassVar\n"
            "from pydantic import Field\n"
            "from geppetto.personas import PersonaStrategy\n"
            "class Some(PersonaStrategy):\n"
            f"    paraphrases: ClassVar[tuple[str, ...]] = {wordings!r}\n"
            "    paraphrase: int = Field(0, ge=0)\n"
            "    def write(self, participant, study): return self.paraphrases[self.paraphrase]\n"
        )
    found = space(candidates("many", "single"), [], bfi, workspace)
    assert dict(found.strategies["many"].fields)["paraphrase"] == Choice((0, 1, 2))
    assert "paraphrase" not in dict(found.strategies["single"].fields)
    fixed = space(candidates({"many": {"paraphrase": 1}}), [], bfi, workspace)
    assert dict(fixed.strategies["many"].fields)["paraphrase"] == Fixed(1)


@pytest.mark.parametrize(
    "traits", [["age", "gendr"], {"subset": ["gendr"]}, {"choices": [["age"], ["gendr"]]}]
)
def test_traits_that_the_study_lacks_are_refused(traits: Any, bfi: Study) -> None:
    with pytest.raises(GeppettoError, match="did you mean 'gender'"):
        space(candidates({"interview": {"traits": traits}}), [], bfi, ROOT)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"objective": "speed"}, "unknown name 'speed' in objective"),
        ({"objective": ["nll", "nll"], "prune": None}, "'nll' is listed twice"),
        ({"objective": ["nll", "tokens"]}, "add `prune: null`"),
        ({"layout": ["font"]}, "unknown name 'font' in layout"),
        ({"strategies": ["a", {"a": {"k": 2}}]}, "'a' is listed twice"),
        ({"strategies": ["layout"]}, "rename its file"),
        ({"sampler": "nsga2", "trials": 20}, "give more trials"),
        ({"prune": 0}, "greater than 0"),
        ({"test": 1.0}, "less than 1"),
        ({"trials": 0}, "greater than or equal to 1"),
        ({"batch": 1}, "greater than or equal to 2"),
        ({"seed": -1}, "greater than or equal to 0"),
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Search.model_validate({"strategies": ["a"], "trials": 5} | given)


def test_every_metric_of_a_participant_can_be_the_objective() -> None:
    from geppetto.evaluation.metrics import MEASURES

    assert set(DIRECTIONS) == {*MEASURES, "information", "tokens"}
