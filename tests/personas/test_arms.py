"""Arms: what each one shows of whom, who stands in for whom, and what is refused."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.experiment.prepare import prepare
from geppetto.personas.arms import (
    ARMS,
    HUMAN,
    Arm,
    Average,
    Filler,
    Human,
    Knockout,
    Matched,
    NoPersona,
    Own,
    Shuffled,
)
from geppetto.personas.average import average, averaged
from geppetto.personas.base import PersonaStrategy
from geppetto.planning.build import make_plan
from geppetto.planning.config import Experiment
from geppetto.planning.elicited import by_likelihood
from geppetto.planning.plan import Plan, PlannedAnswer, Strategy
from geppetto.prompts.survey import Layout
from geppetto.studies import Participant, Study, load_study
from invented_arms import Everything, plan, prompts, strategy


def of_arm(planned: Plan, arm: str) -> list[PlannedAnswer]:
    return [answer for answer in planned.answers if answer.arm == arm]


WHOLE_LADDER = (
    NoPersona(),
    Filler(),
    Human(),
    Average(),
    Shuffled(donors=2),
    Matched(donors=2, caliper={"age": 60.0}),
    Own(),
    Knockout(),
)


# The whole ladder


def test_the_ladder_has_these_arms() -> None:
    assert list(ARMS) == [arm.name for arm in WHOLE_LADDER]


def test_every_condition_of_the_whole_ladder_has_the_same_cells(scored_study: Study) -> None:
    planned = plan(scored_study, Everything(), WHOLE_LADDER)
    conditions = [condition.arm for condition in planned.conditions]
    assert conditions == [
        *("none", "filler", "human", "average", "shuffled", "matched", "own"),
        *("without age", "without sex", "without worry"),
    ]
    cells = {arm: {(a.participant, a.item) for a in of_arm(planned, arm)} for arm in conditions}
    assert all(found == cells["none"] for found in cells.values())
    assert len(cells["none"]) == planned.cells == 32
    for arm in conditions:
        donors = 2 if arm in ("shuffled", "matched") else 1
        assert len(of_arm(planned, arm)) == 32 * donors
        assert all(bool(a.donor) == (donors == 2) for a in of_arm(planned, arm))


def test_a_plan_does_not_depend_on_the_order_of_participants(scored_study: Study) -> None:
    one = plan(scored_study, Everything(), WHOLE_LADDER, "abcdefgh")
    other = plan(scored_study, Everything(), WHOLE_LADDER, "hcbgafde")
    assert one.sha256 == other.sha256 and one.matches == other.matches


def test_strangers_come_from_the_pool_of_those_of_whom_the_same_is_known(
    small_study: Study,
) -> None:
    planned = plan(small_study, strategy("interview"), (*WHOLE_LADDER[:3], Shuffled()), "abcdef")
    pools = {a.participant: a.pool for a in planned.answers if a.strategy == "s"}
    assert len({pools[name] for name in "abcd"}) == len({pools[name] for name in "ef"}) == 1
    assert len(set(pools.values())) == 2
    for answer in of_arm(planned, "shuffled"):
        assert pools[answer.donor] == answer.pool == pools[answer.participant]


def test_strangers_add_no_prompts_when_everybody_answered_everything(bfi: Study) -> None:
    everything = len(bfi.traits) + len(bfi.items)
    people = [p for p in bfi.people.values() if len(p.known) == everything][:60]
    planned = make_plan(
        bfi,
        people,
        ["A1", "N4", "O5"],
        [Strategy("known_answers", "known_answers", strategy("known_answers", k=5))],
        [Shuffled(donors=3), Own()],
        Layout(),
        [by_likelihood(FakeModel())],
    )
    own = {answer.request for answer in of_arm(planned, "own")}
    assert {answer.request for answer in of_arm(planned, "shuffled")} <= own


# Human


@pytest.mark.parametrize("placement", ["task", "system"])
def test_human_is_one_text_for_all_where_personas_stand(small_study: Study, placement: str) -> None:
    rule = strategy("interview", placement=placement)
    planned = plan(small_study, rule, [Human(), Own()], "abcd")
    read = prompts(planned, "human")
    assert len(read) == 16 and len(set(read.values())) == 4
    assert read["a", "q1"] == (
        "How true is it? Answer with a number:\n1 = No\n2 = Somewhat\n3 = Yes\n\n"
        "You are an ordinary person who takes part in a study, not an AI model.\n\n"
        "Statement: Very true.\nAnswer: "
    )
    assert HUMAN in read["a", "q1"]


# Average


def test_the_average_of_a_small_sample_is_the_one_counted_by_hand(small_study: Study) -> None:
    """The even ages have mean 35, there are two of each sex, and medians are the lower ones."""
    mean = average([small_study.people[name] for name in "abcd"], small_study)
    assert mean.traits == {"age": 35.0, "sex": "Male"}
    assert mean.responses == {"q1": "1", "q2": "1", "q3": "2", "q4": "2"}


def test_the_average_shows_what_is_known_of_the_participant(small_study: Study) -> None:
    planned = plan(small_study, strategy("interview"), [Average(), Own()], "abcdefg")
    read = prompts(planned, "average")
    whole = (
        "How true is it? Answer with a number:\n1 = No\n2 = Somewhat\n3 = Yes\n\n"
        "Interviewer: What is your age?\nInterviewee: 44\n\n"
        "Interviewer: What is your sex?\nInterviewee: Female\n\n"
        "Statement: Very true.\nAnswer: "
    )
    assert {read[name, "q1"] for name in "abcd"} == {whole}
    without_sex, without_age = (read[name, "q1"] for name in "eg")
    assert "Interviewee: 44" in without_sex and "sex" not in without_sex
    assert "Interviewee: Female" in without_age and "age" not in without_age
    assert len(set(read.values())) == 3 * 4


def test_the_average_tells_no_response_that_is_predicted(scored_study: Study) -> None:
    planned = plan(scored_study, Everything(), [Average()])
    for (_, item), text in prompts(planned, "average").items():
        shown = {line[:2] for line in text.splitlines() if line.startswith("q")}
        assert item not in shown and len(shown) == 2


def test_the_average_of_the_study_agrees_with_pandas(bfi: Study) -> None:
    people = list(bfi.people.values())
    mean = average(people, bfi)
    traits = pd.DataFrame([dict(p.traits) for p in people])
    assert mean.traits == {
        "gender": traits["gender"].mode()[0],
        "education": traits["education"].mode()[0],
        "age": round(traits["age"].mean()),
    }
    responses = pd.DataFrame([dict(p.responses) for p in people]).astype(float)
    medians = responses.quantile(interpolation="lower")
    assert mean.responses == {item: f"{median:g}" for item, median in medians.items()}
    assert average(people[::-1], bfi) == mean


def test_a_mean_has_the_decimals_of_the_data(scored_study: Study) -> None:
    scored = [scored_study.people[name] for name in "abd"]
    assert average(scored, scored_study).traits["worry"] == 2.8  # 8.5 / 3


def test_an_item_without_an_order_has_its_most_frequent_response(small_study: Study) -> None:
    codebook = small_study.codebook.model_copy(deep=True)
    nominal = codebook.scales["three"].model_copy(update={"ordinal": False})
    codebook = codebook.model_copy(update={"scales": {"three": nominal}})
    study = Study(codebook, small_study.people, {})
    mean = average([small_study.people[name] for name in "abcd"], study)
    assert mean.responses == {"q1": "1", "q2": "1", "q3": "3", "q4": "2"}


def test_a_strategy_that_orders_by_id_orders_the_average_alike(small_study: Study) -> None:
    rule = strategy("portrait", order="random")
    planned = plan(small_study, rule, [Average(), Own()], "abcd")
    for cell, text in prompts(planned, "own").items():
        mine, typical = (
            [line.split(":")[0] for line in read.splitlines()]
            for read in (text, prompts(planned, "average")[cell])
        )
        assert mine == typical


def test_nothing_but_the_average_of_what_is_known_is_shown(small_study: Study) -> None:
    person = small_study.people["f"]
    stand_in = averaged(person, average(list(small_study.people.values()), small_study))
    assert stand_in.known == person.known and stand_in.id == "f"
    assert (stand_in.retest, stand_in.cluster) == ({}, None)


def test_who_has_no_average_persona_is_left_out_of_every_arm(small_study: Study) -> None:
    """The mean age is 35, which nobody has."""

    class Undecided(PersonaStrategy):
        def write(self, participant: Participant, study: Study) -> str:
            return "" if participant.traits["age"] == 35 else "You."

    reason = "0 participants are left .* 4 for whom s writes nothing of their average"
    with pytest.raises(GeppettoError, match=reason):
        plan(small_study, Undecided(), [Average(), Own()], "abcd")


# Knock-outs


def test_a_knock_out_tells_everything_but_one_trait(scored_study: Study) -> None:
    planned = plan(scored_study, Everything(), [Own(), Knockout()])
    own = prompts(planned, "own")
    for trait in ("age", "sex", "worry"):
        without = prompts(planned, f"without {trait}")
        for cell, text in own.items():
            told = [line for line in text.splitlines() if not line.startswith(f"{trait}=")]
            assert without[cell].splitlines() == told != text.splitlines()


@given(st.integers(0, 2500))
def test_a_knocked_out_trait_is_nowhere_in_the_prompt(position: int) -> None:
    study = load_study("bfi")
    people = [person for person in study.people.values() if "A1" in person.responses]
    planned = make_plan(
        study,
        [people[position], people[position - 1]],
        ["A1"],
        [Strategy("biography", "biography", strategy("biography"))],
        [Knockout()],
        Layout(),
        [by_likelihood(FakeModel())],
    )
    words = {trait.name: trait.label for trait in study.codebook.traits}
    for trait, label in words.items():
        for text in prompts(planned, f"without {trait}").values():
            assert f"My {label} is" not in text
            assert all(f"My {words[other]} is" in text for other in {"age", "gender"} - {trait})


def test_chosen_traits_are_knocked_out_in_their_order(scored_study: Study) -> None:
    planned = plan(scored_study, strategy("interview"), [Knockout(traits=("worry", "age"))])
    assert [condition.arm for condition in planned.conditions] == ["without worry", "without age"]


def test_who_lacks_a_trait_is_asked_the_same_without_it(small_study: Study) -> None:
    planned = plan(small_study, strategy("interview"), [Own(), Knockout(traits=("sex",))], "abcdef")
    own, without = prompts(planned, "own"), prompts(planned, "without sex")
    assert {name for (name, _), text in own.items() if without[name, "q1"] == own[name, "q1"]} == {
        "e",
        "f",
    }


def test_of_whom_only_the_trait_is_known_is_left_out_of_every_arm(small_study: Study) -> None:
    planned = plan(small_study, strategy("interview"), [NoPersona(), Own(), Knockout()], "abeg")
    assert planned.participants == ["a", "b"]
    assert planned.dropped == {
        "e": "without anything but age that s shows",
        "g": "without anything but sex that s shows",
    }


# What is refused


@pytest.mark.parametrize(
    ("name", "parameters", "arm", "message"),
    [
        (
            "interview",
            {},
            Matched(),
            "arm 'matched': mine shows nothing but demographics, which a matched stranger shares; "
            "use a strategy that reads responses, or remove the arm",
        ),
        (
            "known_answers",
            {},
            Matched(caliper={"gender": 1.0}),
            "arm 'matched': caliper: gender is no number, and matched strangers always have the "
            "same; take it out of the caliper",
        ),
        (
            "known_answers",
            {},
            Knockout(),
            "arm 'knockout': mine shows no trait that could be left out; remove the arm, or the "
            "strategy",
        ),
        (
            "interview",
            {"traits": ("age",)},
            Knockout(),
            "arm 'knockout': mine shows nothing but age, without which no persona would be left; "
            "let it show another trait, or remove the arm",
        ),
        (
            "interview",
            {"traits": ("age", "gender")},
            Knockout(traits=("education",)),
            "arm 'knockout': mine does not show education; let it show that trait, or take it out "
            "of the arm's traits (it shows age, gender)",
        ),
        (
            "interview",
            {},
            Knockout(traits=("agee",)),
            "unknown trait 'agee' in study bfi; did you mean 'age'?",
        ),
    ],
)
def test_arms_that_would_mean_nothing_are_refused(
    name: str, parameters: dict[str, Any], arm: Arm, message: str, bfi: Study
) -> None:
    with pytest.raises(GeppettoError) as refused:
        plan(bfi, strategy(name, **parameters), [arm], [], label="mine")
    assert str(refused.value) == message


def test_matched_needs_a_demographic_and_something_else(scored_study: Study) -> None:
    with pytest.raises(GeppettoError) as refused:
        plan(scored_study, strategy("interview", traits=("age",)), [Matched()])
    assert str(refused.value) == (
        "arm 'matched': s shows nothing but demographics, which a matched stranger shares; let it "
        "show a trait that is none (worry), use a strategy that reads responses, or remove the arm"
    )
    traits = tuple(
        trait.model_copy(update={"demographic": False}) for trait in scored_study.codebook.traits
    )
    codebook = scored_study.codebook.model_copy(update={"traits": traits})
    with pytest.raises(GeppettoError) as refused:
        plan(Study(codebook, scored_study.people, {}), Everything(), [Matched()])
    assert str(refused.value) == (
        "arm 'matched': study small has no trait that is a demographic, so there is nothing to "
        "match strangers on; remove the arm"
    )


def experiment(arms: object, strategies: object) -> Experiment:
    return Experiment.model_validate(
        {
            "name": "e",
            "question": "?",
            "study": "bfi",
            "participants": {"sample": 8, "complete": True},
            "items": ["A1"],
            "models": ["smollm2-135m-instruct"],
            "strategies": strategies,
            "arms": arms,
        }
    )


@pytest.mark.parametrize(
    ("arm", "message"),
    [
        ({"knockout": {"traits": ["age", "age"]}}, "'age' is listed twice; keep one of them"),
        ({"knockout": {"traits": []}}, "arm 'knockout': traits: "),
        ({"knockout": {"trait": ["age"]}}, "unknown parameter 'trait' in arm 'knockout'"),
        ({"matched": {"donors": 0}}, "arm 'matched': donors: "),
        ({"matched": {"caliper": {"age": 0}}}, "arm 'matched': caliper: age: "),
        ("averge", "unknown arm 'averge'; did you mean 'average'"),
    ],
)
def test_parameters_of_arms_are_explained(arm: object, message: str, workspace: Path) -> None:
    with pytest.raises(GeppettoError, match=message):
        prepare(experiment([arm], ["interview"]), workspace)


def test_arms_of_an_experiment_file_are_part_of_its_identity(workspace: Path) -> None:
    prepared = [
        prepare(experiment(["own", arm], ["interview"]), workspace)
        for arm in (
            "knockout",
            {"knockout": {"traits": ["age", "gender"]}},
            {"knockout": {"traits": ["gender", "education", "age"]}},
        )
    ]
    assert [len(one.plan.conditions) for one in prepared] == [4, 3, 4]
    assert prepared[0].plan.sha256 == prepared[2].plan.sha256
    assert all(a.sha256 != b.sha256 for a, b in itertools.combinations(prepared, 2))
