"""Plans: every condition has the same cells, and who is left out is said."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fake_model import CHATML, FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.experiment.prepare import prepare_on, strategies_of
from geppetto.personas.arms import Arm, Filler, NoPersona, Own, Shuffled
from geppetto.personas.library import load_strategy
from geppetto.planning.assignment import Assignment
from geppetto.planning.build import make_plan
from geppetto.planning.config import Experiment
from geppetto.planning.elicited import by_likelihood
from geppetto.planning.plan import Plan, Strategy
from geppetto.planning.survey_prompts import SurveyPromptBuilder
from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.survey import Layout
from geppetto.studies import Codebook, Study
from workspaces import ROOT

LADDER = (NoPersona(), Filler(), Shuffled(), Own())


def plan(
    study: Study,
    strategies: tuple[str, ...] = ("interview",),
    arms: tuple[Arm, ...] = LADDER,
    people: str = "abcd",
    model: FakeModel | None = None,
    **parameters: object,
) -> Plan:
    return make_plan(
        study,
        [study.people[name] for name in people],
        list(study.items),
        [Strategy(name, name, load_strategy(name, parameters, ROOT)) for name in strategies],
        arms,
        Layout(),
        [by_likelihood(model or FakeModel())],
    )


def test_a_trait_that_was_computed_from_a_predicted_item_is_not_shown_for_it(
    small_study: Study,
) -> None:
    codebook = small_study.codebook
    age, *others = codebook.traits
    leaky = age.model_copy(update={"computed_from": ("q2",)})
    study = replace(small_study, codebook=codebook.model_copy(update={"traits": (leaky, *others)}))
    planned = plan(study, arms=(NoPersona(), Own()))
    (prompts,) = planned.prompts.values()
    for answer in planned.answers:
        if answer.arm == Own.name:
            shown = "What is your age?" in prompts[answer.request].text
            assert shown == (answer.item != "q2")
    assert planned.withheld == {("interview", "age"): ("q2",)}
    with pytest.raises(GeppettoError, match="without anything that interview could show"):
        plan(study, traits=["age"], arms=(NoPersona(), Own()))


def cells(planned: Plan) -> dict[tuple[str, str, str], list[tuple[str, str]]]:
    found: dict[tuple[str, str, str], list[tuple[str, str]]] = {}
    for answer in planned.answers:
        found.setdefault(answer.condition, []).append((answer.participant, answer.item))
    return found


def test_every_condition_has_the_same_cells(small_study: Study) -> None:
    planned = plan(small_study, ("interview", "known_answers"))
    every = cells(planned)
    assert [condition[2] for condition in every] == [
        *("none", "filler", "shuffled", "own"),
        *("filler", "shuffled", "own"),
    ]
    first = sorted(next(iter(every.values())))
    assert len(first) == planned.cells == 16
    assert all(sorted(own) == first for own in every.values())


def test_unanswered_items_are_no_cells(small_study: Study) -> None:
    planned = plan(small_study, arms=(NoPersona(), Own()), people="ef")
    assert planned.cells == 7
    assert ("f", "q2") not in cells(planned)["fake", "none", "none"]


def test_a_person_without_a_donor_is_left_out_of_every_arm(small_study: Study) -> None:
    planned = plan(small_study, people="abcdg")
    assert planned.participants == ["a", "b", "c", "d"]
    assert planned.dropped == {"g": "without 1 donor(s) of whom the same is known (interview)"}


def test_a_person_without_a_persona_is_left_out_of_every_arm(small_study: Study) -> None:
    planned = plan(small_study, people="abcde", traits=("sex",))
    assert planned.dropped == {"e": "without anything that interview could show"}
    assert all("e" not in dict(own) for own in cells(planned).values())


def test_leaving_one_person_out_can_cost_another_the_donor(small_study: Study) -> None:
    """For known_answers f is alone; without f, e has no donor for the interview either."""
    planned = plan(small_study, ("interview", "known_answers"), people="abcdef")
    assert set(planned.dropped) == {"e", "f"}
    assert planned.participants == ["a", "b", "c", "d"]


def test_a_person_who_answered_none_of_the_items_is_left_out(small_study: Study) -> None:
    planned = make_plan(
        small_study,
        list(small_study.people.values()),
        ["q2"],
        [Strategy("interview", "interview", load_strategy("interview", {}, ROOT))],
        [NoPersona(), Own()],
        Layout(),
        [by_likelihood(FakeModel())],
    )
    assert planned.dropped == {"f": "without a response to any of the items"}
    assert planned.cells == 6


def test_a_plan_for_nobody_stops(small_study: Study) -> None:
    with pytest.raises(GeppettoError, match=r"0 participants are left .* at least two: 1 without"):
        plan(small_study, people="g")


def test_strangers_prompts_are_the_owners_prompts(small_study: Study) -> None:
    """So the shuffled arm, with however many donors, asks nothing that own does not ask."""
    planned = plan(small_study, ("known_answers",), (Shuffled(donors=3), Own()))
    requests = {
        arm: {a.request for a in planned.answers if a.arm == arm} for arm in ("shuffled", "own")
    }
    assert requests["shuffled"] == requests["own"]
    own = {(a.participant, a.item): a.request for a in planned.answers if a.arm == "own"}
    for answer in planned.answers:
        if answer.arm == "shuffled":
            assert answer.donor != answer.participant
            assert answer.request == own[answer.donor, answer.item]


def test_without_a_persona_everybody_is_asked_the_same(small_study: Study) -> None:
    planned = plan(small_study, arms=(NoPersona(),))
    assert len(planned.prompts["fake"]) == 4


def test_filler_makes_prompts_as_long_as_the_persona_does(small_study: Study) -> None:
    model = FakeModel()
    planned = plan(small_study, ("interview", "known_answers"), model=model)
    length = {
        (a.strategy, a.participant, a.item, a.arm): len(
            model.tokenize(planned.prompts["fake"][a.request].text)
        )
        for a in planned.answers
    }
    fillers = [key for key in length if key[3] == "filler"]
    assert len(fillers) == 32
    for *cell, _ in fillers:
        assert length[*cell, "filler"] == length[*cell, "own"]


def test_strangers_with_the_participants_own_persona_are_counted(small_study: Study) -> None:
    """Among two men and two women, one seed gives some of them a donor of their own sex."""
    shares = {
        plan(small_study, arms=(Shuffled(seed=seed), Own()), traits=("sex",)).identical_strangers[
            "interview", "shuffled"
        ]
        for seed in range(12)
    }
    assert shares == {0.0, 1.0} or shares == {0.0, 0.5, 1.0} or shares == {0.0, 0.5}
    assert plan(small_study).identical_strangers == {("interview", "shuffled"): 0.0}


def test_strangers_who_are_all_like_oneself_are_refused(small_study: Study) -> None:
    """Two men of whom nothing but their sex is told: own and stranger are the same prompt."""
    men = [small_study.people["a"], small_study.people["c"]]
    asked = Experiment(
        name="x",
        question="?",
        study="small",
        models=[{"name": "fake"}],
        strategies=[{"interview": {"traits": ["sex"]}}],
        arms=["shuffled", "own"],
    )
    strategies = strategies_of(asked, Path())
    with pytest.raises(GeppettoError, match="stranger's persona in the arm shuffled is the part"):
        prepare_on(men, asked, small_study, strategies, [by_likelihood(FakeModel())])


def test_a_persona_with_control_tokens_is_refused(small_study: Study, workspace: Path) -> None:
    (workspace / "personas" / "sly.py").write_text(
        "from geppetto.personas import PersonaStrategy\n\n\n"
        "class Sly(PersonaStrategy):\n"
        "    def write(self, participant, study):\n"
        "        return 'Me.<|im_end|>'\n"
    )
    chat = FakeModel(template=ChatTemplate(source=CHATML))
    arguments = (
        small_study,
        [small_study.people[name] for name in "ab"],
        list(small_study.items),
        [Strategy("sly", "sly", load_strategy("sly", {}, workspace))],
        [Own()],
        Layout(),
    )
    with pytest.raises(GeppettoError, match="control token: 'Me"):
        make_plan(*arguments, [by_likelihood(chat)])
    assert make_plan(*arguments, [by_likelihood(FakeModel())]).cells == 8


@pytest.mark.parametrize(
    ("where", "said"),
    [
        ({"instruction": "How true?<|im_end|>"}, "item q1 is asked with text .*'How true"),
        ({"scales": {"three": {"options": {"1": "No<|end|>", "2": "Yes"}}}}, r"'1 = No<\|end\|>'"),
        ({"items": [{"name": "q1", "text": "True.<|end|>", "scale": "three"}]}, "'Statement: True"),
    ],
)
def test_items_with_control_tokens_are_refused(
    small_study: Study, where: dict[str, Any], said: str
) -> None:
    changed = Codebook.model_validate(small_study.codebook.model_dump(exclude_unset=True) | where)
    study = replace(small_study, codebook=changed)
    somebody = Assignment(study.people["a"], ("q1",), None)
    chat = FakeModel(template=ChatTemplate(source=CHATML))
    with pytest.raises(GeppettoError, match=said):
        SurveyPromptBuilder(study, Layout(), chat, "likelihood").answers(somebody)
    SurveyPromptBuilder(study, Layout(), FakeModel(), "likelihood").answers(somebody)


def test_the_plan_hash_follows_its_content(small_study: Study) -> None:
    one = plan(small_study).sha256
    assert plan(small_study).sha256 == one
    assert plan(small_study, arms=(NoPersona(), Own())).sha256 != one
    assert plan(small_study, arms=(*LADDER[:2], Shuffled(seed=1), Own())).sha256 != one
    assert plan(small_study, question="codebook").sha256 != one
