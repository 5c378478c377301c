"""Matched strangers: who they are, for whom there are none, and what then may be said."""

from __future__ import annotations

import io
from collections import Counter

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.baselines.rows import baseline_answers
from geppetto.evaluation.compliance import Compliance
from geppetto.evaluation.metrics import MEASURES
from geppetto.evaluation.metrics import matched as same_cells
from geppetto.evaluation.results import Results
from geppetto.personas.arms import Arm, Matched, NoPersona, Own, Shuffled
from geppetto.personas.base import PersonaStrategy
from geppetto.personas.donors import Likeness, MatchQuality, match_quality, matched
from geppetto.planning.analysis_config import Analysis
from geppetto.reports.planned import match
from geppetto.reports.terminal import result
from geppetto.studies import Participant, Study, Trait
from invented import as_table, two_types
from invented_arms import Everything, plan, prompts, strategy
from invented_replies import replies_of
from invented_results import study_of

LIKE = Likeness(("sex", "town"), {"age": 2.0, "income": 0.2})
somebody = st.fixed_dictionaries(
    {},
    optional={
        "sex": st.sampled_from(["m", "f"]),
        "town": st.sampled_from(["yes", "no"]),
        "age": st.integers(18, 25).map(float),
        "income": st.sampled_from([0.1, 0.2, 0.3, 1.7]),
    },
)
crowd = st.lists(
    st.tuples(
        somebody,
        st.sampled_from(["x", "xy"]),
        st.sampled_from([None, None, "c1", "c2"]),
        st.booleans(),
    ),
    max_size=25,
)
likeness = st.sampled_from(
    [LIKE, Likeness(("sex", "town", "age", "income"), {}), Likeness((), {"age": 2.0})]
)


def are_alike(one: Participant, other: Participant, like: Likeness) -> bool:
    """The definition, one pair at a time."""
    same = all(one.traits.get(name) == other.traits.get(name) for name in like.same)
    near = all(
        one.traits[name] == other.traits[name]
        or round(abs(float(one.traits[name]) - float(other.traits[name])), 9) <= far
        if name in one.traits and name in other.traits
        else name not in one.traits and name not in other.traits
        for name, far in like.within.items()
    )
    return same and near


@given(crowd, likeness, st.integers(1, 3), st.integers(0, 99))
def test_matched_strangers_are_alike_and_who_has_none_has_no_match(
    drawn_people: list[tuple[dict[str, str | float], str, str | None, bool]],
    like: Likeness,
    donors: int,
    seed: int,
) -> None:
    people = {
        f"p{n}": Participant(f"p{n}", traits, {}, cluster=cluster)
        for n, (traits, _, cluster, _) in enumerate(drawn_people)
    }
    known = {f"p{n}": frozenset(names) for n, (_, names, _, _) in enumerate(drawn_people)}
    of = {f"p{n}" for n, (*_, takes_part) in enumerate(drawn_people) if takes_part}
    drawn = matched(people, known, like, donors, seed, of=of)
    backwards = dict(reversed(list(known.items())))
    assert drawn == matched(people, backwards, like, donors, seed, of=of)
    assert drawn.keys() <= of
    serves = Counter(donor for whose in drawn.values() for donor in whose)
    for name in of:
        mine = people[name]
        allowed = {
            other
            for other, person in people.items()
            if other != name
            and known[other] == known[name]
            and (mine.cluster is None or person.cluster != mine.cluster)
            and are_alike(mine, person, like)
        }
        chosen = drawn.get(name, ())
        assert set(chosen) <= allowed and len(set(chosen)) == len(chosen)
        free = {other for other in allowed - set(chosen) if other in of or not serves[other]}
        assert len(chosen) == donors or not free
    assert all(count == 1 for donor, count in serves.items() if donor not in of)
    assert {donor for donor in serves if donor in of} <= drawn.keys()


def test_the_nearest_come_first_and_then_those_who_take_part() -> None:
    ages = {"a": 30.0, "near": 31.0, "x": 33.0, "y": 33.0, "far": 36.0}
    people = {name: Participant(name, {"age": age}, {}) for name, age in ages.items()}
    known = dict.fromkeys(people, frozenset("x"))
    like = Likeness((), {"age": 5.0})
    nearest, *others = matched(people, known, like, 4, 0, of={"a"})["a"]
    assert nearest == "near" and sorted(others) == ["x", "y"]
    for seed in range(9):
        assert matched(people, known, like, 1, seed, of={"x", "far", "a"})["x"] == ("y",)
    equal = {name: Participant(name, {"age": 30.0}, {}) for name in "abcdefgh"}
    known = dict.fromkeys(equal, frozenset("x"))
    for seed in range(9):
        assert matched(equal, known, like, 1, seed, of="ab") == {"a": ("b",), "b": ("a",)}


def test_chance_decides_among_equals_and_follows_the_seed() -> None:
    people = {name: Participant(name, {"sex": "m", "age": 30.0}, {}) for name in "abcde"}
    known = {name: frozenset({"age"}) for name in people}
    like = Likeness(("sex", "age"), {})
    drawn = [matched(people, known, like, 1, seed, of={"a"})["a"][0] for seed in range(800)]
    for stranger in "bcde":
        assert drawn.count(stranger) == pytest.approx(200, abs=60)


def test_who_cannot_be_a_donor_after_all_is_replaced_by_another() -> None:
    people = {name: Participant(name, {"sex": "m"}, {}) for name in "abcde"}
    known = {name: frozenset({"sex"}) for name in people}
    asked: list[str] = []

    def usable(person: Participant) -> bool:
        asked.append(person.id)
        return person.id == "d"

    drawn = matched(people, known, Likeness(("sex",), {}), 1, 0, of={"a"}, usable=usable)
    assert drawn == {"a": ("d",)} and asked[-1] == "d" and len(set(asked)) == len(asked)


# Plans


def test_who_has_no_match_is_left_out_of_this_arm_alone(scored_study: Study) -> None:
    """By hand: e and f alone are of one age and sex."""
    arms: list[Arm] = [NoPersona(), Shuffled(), Own()]
    without = plan(scored_study, Everything(), arms)
    planned = plan(scored_study, Everything(), [*arms, Matched()])
    assert planned.dropped == {} and planned.participants == without.participants
    others = [answer for answer in planned.answers if answer.arm != "matched"]
    assert others == list(without.answers)
    donors = {a.participant: a.donor for a in planned.answers if a.arm == "matched"}
    assert donors == {"e": "f", "f": "e"}
    quality = planned.matches["s"]
    assert quality == MatchQuality(8, 2, ("age", "sex"), {}, {}, donors=2, outside=0)
    assert match(quality) == (
        "matched: 2 of 8 people have a stranger of the same age and sex; 6 have no match and are "
        "left out of group and individual; 2 people stand in, 0 of whom do not take part"
    )


def test_a_caliper_is_of_the_arm_or_else_of_the_codebook(scored_study: Study) -> None:
    planned = plan(scored_study, Everything(), [Matched(caliper={"age": 3.0})])
    donors = {answer.participant: answer.donor for answer in planned.answers}
    assert donors == dict(zip("abcdef", "badcfe", strict=True))
    quality = planned.matches["s"]
    assert quality.differences == {"age": (1 + 1 + 3 + 3 + 0 + 0) / 6}
    assert quality.sentence == (
        "6 of 8 people have a stranger of the same sex and with age within 3 (1.3 apart on "
        "average); 2 have no match and are left out of group and individual; what is left of age "
        "may still be in individual"
    )
    traits = tuple(
        trait.model_copy(update={"caliper": 3.0 if trait.name == "age" else None})
        for trait in scored_study.codebook.traits
    )
    codebook = scored_study.codebook.model_copy(update={"traits": traits})
    said = Study(codebook, scored_study.people, {})
    assert plan(said, Everything(), [Matched()]).sha256 == planned.sha256
    narrower = plan(said, Everything(), [Matched(caliper={"age": 1.0})])
    assert len({answer.participant for answer in narrower.answers}) == 4


def test_only_a_number_that_is_a_demographic_has_a_caliper() -> None:
    for wrong in ({"values": {"1": "m"}}, {"demographic": False}):
        with pytest.raises(ValueError, match="trait t: `caliper` is of a number that is a demog"):
            Trait.model_validate(
                {"name": "t", "label": "t", "question": "?", "caliper": 2, **wrong}
            )


def test_strangers_come_from_the_whole_study(scored_study: Study) -> None:
    """c and d are asked; a and b, who take no part, stand in for nobody else."""
    planned = plan(
        scored_study, strategy("interview"), [Matched(caliper={"age": 60.0}), Own()], "aceg"
    )
    donors = {a.participant: a.donor for a in planned.answers if a.arm == "matched"}
    assert donors == {"a": "b", "c": "d", "e": "f", "g": "h"}
    assert planned.participants == ["a", "c", "e", "g"] and planned.matches["s"].outside == 4
    for (participant, _), text in prompts(planned, "matched").items():
        theirs = scored_study.people[donors[participant]].traits
        assert f"worry score?\nInterviewee: {theirs['worry']:g}" in text


def test_a_stranger_from_outside_tells_no_response_that_is_predicted(scored_study: Study) -> None:
    planned = plan(scored_study, Everything(), [Matched(caliper={"age": 60.0})], "aceg")
    for (_, item), text in prompts(planned, "matched").items():
        told = {line[:2] for line in text.splitlines() if line.startswith("q")}
        assert item not in told and len(told) == 2


def test_a_matched_stranger_shares_demographics_and_nothing_else(scored_study: Study) -> None:
    planned = plan(
        scored_study, strategy("interview"), [Matched(caliper={"age": 3.0}), Own()], "abcdef"
    )
    own, theirs = prompts(planned, "own"), prompts(planned, "matched")
    for participant, donor in zip("abcdef", "badcfe", strict=True):
        mine = scored_study.people[participant].traits
        text = theirs[participant, "q1"]
        assert text == own[donor, "q1"] != own[participant, "q1"]
        assert f"sex?\nInterviewee: {mine['sex']}" in text
    assert planned.identical_strangers == {("s", "matched"): 0.0}


def test_strangers_are_matched_on_what_is_shown_or_else_on_all(scored_study: Study) -> None:
    for shown, same in (
        (("sex", "worry"), ("sex",)),
        (("worry",), ("age", "sex")),
        (("age", "sex", "worry"), ("age", "sex")),
    ):
        planned = plan(scored_study, strategy("interview", traits=shown), [Matched()])
        assert planned.matches["s"].same == same


def test_matched_strangers_with_the_participants_own_persona_are_counted(
    scored_study: Study,
) -> None:
    class Bands(PersonaStrategy):
        def write(self, participant: Participant, study: Study) -> str:
            return "You worry." if float(participant.traits["worry"]) > 4 else "You never worry."

    planned = plan(scored_study, Bands(), [Matched(caliper={"age": 3.0}), Own()], "abcdef")
    # c and d, each other's match, are on both sides of 4
    assert planned.identical_strangers["s", "matched"] == 4 / 6


def test_too_few_matches_are_refused(scored_study: Study) -> None:
    with pytest.raises(GeppettoError) as refused:
        plan(scored_study, Everything(), [Matched(), Own()], "abcde")
    assert str(refused.value) == (
        "arm 'matched': 1 of 5 people have a stranger of the same age and sex (s), and intervals "
        "need at least two who are in no group together; let a number differ, as in "
        "`matched: {caliper: {age: 2}}`, or remove the arm"
    )


def test_the_quality_of_a_match_is_the_one_counted_by_hand() -> None:
    people = {
        "a": Participant("a", {"sex": "m", "age": 20.0}, {}),
        "b": Participant("b", {"sex": "m", "age": 21.0}, {}),
        "c": Participant("c", {"sex": "m", "age": 26.0}, {}),
        "d": Participant("d", {"sex": "m"}, {}),
        "e": Participant("e", {"sex": "m"}, {}),
    }
    drawn = {"a": ("b", "c"), "b": ("a",), "d": ("e",)}
    like = Likeness(("sex",), {"age": 6.0})
    assert match_quality(drawn, people, like, "abd") == MatchQuality(
        participants=3,
        matched=3,
        same=("sex",),
        within={"age": 6.0},
        differences={"age": (1 + 6 + 1) / 3},
        donors=4,
        outside=2,
    )


# Results


@pytest.fixture(scope="module")
def answers() -> pd.DataFrame:
    """Of 30 people 12 have a match, half of these strangers being from outside."""
    table = as_table(two_types(np.random.default_rng(1), 30, 6, 0.15))
    strangers = table[table["arm"] == "shuffled"].drop_duplicates(["participant", "item"])
    some = strangers["participant"].unique()[:12]
    strangers = strangers[strangers["participant"].isin(some)].assign(arm="matched")
    first = strangers["participant"].isin(some[:6])
    strangers["donor"] = strangers["donor"].mask(first, "outside " + strangers["participant"])
    return pd.concat([table, strangers], ignore_index=True)


@pytest.fixture(scope="module")
def ladder(answers: pd.DataFrame) -> Results:
    study = study_of(answers, "ladder")
    every = pd.concat([answers, baseline_answers(answers, study, [])], ignore_index=True)
    quality = MatchQuality(30, 12, ("age", "sex"), {}, {}, donors=11, outside=6)
    matches = {"s": quality}
    return Results("?", study, Analysis(draws=300), every, {"s": ()}, matches=matches)


def test_a_contrast_with_matched_strangers_is_of_the_people_who_have_one(
    ladder: Results, answers: pd.DataFrame
) -> None:
    effects = ladder.effects().set_index("effect")
    assert effects["participants"].to_dict() == {
        **{"total": 30, "format": 30, "information": 30, "benefit": 30},
        **{"group": 12, "individual": 12},
    }
    cost = -answers.set_index(["arm", "participant", "item"])["log_prob_of_options"]
    of = cost.groupby(["arm", "participant"]).mean().unstack("arm")
    saved = (of["matched"] - of["own"]).dropna()
    assert len(saved) == 12
    assert effects.loc["individual", "nats"] == pytest.approx(saved.mean())
    with_match = [name for name in effects.index if name in ("group", "individual")]
    assert (effects.loc[with_match, "without_match"] == 18).all()
    assert (effects.loc[with_match, "matched"] == "of the same age and sex").all()
    assert effects.drop(with_match)["without_match"].isna().all()
    (sentence,) = (v.sentence for v in ladder.verdicts() if v.effect.contrast.name == "individual")
    assert "of 12 people improved" in sentence
    assert sentence.endswith(
        " 12 of 30 people have a stranger of the same age and sex; 18 have no match and are left "
        "out of group and individual."
    )


def test_who_has_no_match_changes_no_other_number(ladder: Results, answers: pd.DataFrame) -> None:
    rest = answers[answers["arm"] != "matched"]
    without = Results(
        "?",
        ladder.study,
        ladder.analysis,
        pd.concat([rest, baseline_answers(rest, ladder.study, [])], ignore_index=True),
        {"s": ()},
    )
    with_it = ladder.metrics()
    of_matched = with_it["arm"] == "matched"
    assert with_it.loc[of_matched, "participants"].tolist() == [12]
    values = ["model", "strategy", "arm", "participants", *MEASURES]
    pd.testing.assert_frame_equal(
        with_it.loc[~of_matched, values].reset_index(drop=True), without.metrics()[values]
    )
    kept = ["effect", "nats", "participants"]
    others = ladder.effects()[kept].query("effect not in ('group', 'individual')")
    pd.testing.assert_frame_equal(others.reset_index(drop=True), without.effects()[kept])


def test_every_table_is_of_the_people_who_have_a_match(ladder: Results) -> None:
    people = ladder.metrics(by="participant")
    assert (people["arm"] == "matched").sum() == 12 and people["nll"].notna().all()
    items = ladder.metrics(by="item")
    assert (items.loc[items["arm"] == "matched", "participants"] == 12).all()
    ceilings = ladder.ceilings().set_index("arm")
    assert ceilings.loc["matched", "participants"] == 12
    for measure in ("nll_calibrated", "nll_each_calibrated"):
        effects = ladder.effects(measure=measure).set_index("effect")
        assert effects.loc["individual", "participants"] == 12
        assert effects[["nats", "nats_low", "nats_high"]].notna().all(axis=None)
    told = ladder.individuation().set_index("arm")
    assert np.isfinite(told.loc["matched", "item_correlation"])


def test_the_terminal_says_of_how_many_people_a_condition_is(ladder: Results) -> None:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(result(ladder))
    text = console.export_text()
    assert "s · matched, 12 people" in text
    assert "individual, 12 people" in text
    assert "s · own, " not in text and "nan" not in text.lower().split()
    assert (
        "matched strangers of s: 12 of 30 people have a stranger of the same age and sex; 18 have "
        "no match and are left out of group and individual" in text
    )


def test_a_reply_to_an_outsiders_persona_counts_for_whom_they_stand_in(
    answers: pd.DataFrame,
) -> None:
    completions = replies_of(answers)
    outside = completions["donor"].str.startswith("outside")
    completions.loc[outside, "outcome"] = "refusal"
    found = Compliance.of(completions, Analysis(draws=300)).to_frame()
    refused = found[(found["outcome"] == "refusal") & (found["count"] > 0)]
    assert refused["arm"].tolist() == ["matched"]
    assert refused["count"].tolist() == [outside.sum()] == [36]
    in_matched = completions[completions["arm"] == "matched"]
    whose = in_matched["donor"].mask(outside, in_matched["participant"])
    expected = (in_matched["outcome"] == "refusal").groupby(whose).mean()
    assert refused["participants"].tolist() == [len(expected)]
    assert refused["share"].tolist() == pytest.approx([expected.mean()])


def test_a_person_is_missing_from_the_matched_arm_whole_and_under_every_model(
    answers: pd.DataFrame,
) -> None:
    kept, reasons = same_cells(answers)
    assert len(kept) == len(answers) and reasons == {}
    cell = answers.index[answers["arm"] == "matched"][0]
    with pytest.raises(GeppettoError, match=r"matched and .* differ in 1 cells"):
        same_cells(answers.drop(index=cell))
    other = answers.assign(model="other")
    gone = (other["arm"] == "matched") & (other["participant"] == answers["participant"][cell])
    assert gone.any()
    with pytest.raises(GeppettoError, match=r"other · s · matched and .* differ in 6 cells"):
        same_cells(pd.concat([answers, other[~gone]], ignore_index=True))
    rest = answers["arm"] != "own"
    with pytest.raises(GeppettoError, match=r"own and .* differ in 6 cells"):
        same_cells(answers[rest | (answers["participant"] != answers["participant"][cell])])


# What they are for
