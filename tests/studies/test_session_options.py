"""Options of sessions: what responses can tell of them, and what they cannot."""

import random

import pytest

from geppetto.studies.sessions.options import inferred

LETTERS = "ABCDEFGHJKLMNOPQRSTUVWXYZ"


def with_own_letters(people: int, options: int, trials: int = 60) -> dict[str, list[str]]:
    rng = random.Random(1)
    found = {}
    for person in range(people):
        keys = rng.sample(LETTERS, options)
        found[f"p{person}"] = keys + [rng.choice(keys) for _ in range(trials - options)]
    return found


def test_letters_drawn_for_each_person_are_options_of_their_own() -> None:
    people = with_own_letters(30, 2)
    found = inferred({"e": people})
    assert all(found.of[name] == tuple(sorted(set(said))) for name, said in people.items())
    assert found.summary == "options: inferred for 30 of 30 people (30 of their own)"


def test_somebody_who_always_chose_the_same_stays_open() -> None:
    people = with_own_letters(30, 2) | {"stubborn": ["Q"] * 60}
    found = inferred({"e": people})
    assert found.of["stubborn"] == ()
    assert "1 open, as they always chose the same" in found.summary


def test_somebody_who_left_an_option_out_stays_open() -> None:
    people = with_own_letters(30, 3) | {"two of three": ["Q", "R"] * 30}
    found = inferred({"e": people})
    assert found.of["two of three"] == ()
    assert "did not use all of 3 options" in found.summary


def test_options_are_the_same_for_everybody_where_letters_are() -> None:
    people = {f"p{n}": ["left", "right"] * 5 for n in range(20)} | {"stubborn": ["left"] * 10}
    found = inferred({"e": people})
    assert set(found.of.values()) == {("left", "right")}
    assert "21 the same for all of their experiment" in found.summary


def test_experiments_have_numbers_of_options_of_their_own() -> None:
    three = {f"x{name}": said for name, said in with_own_letters(20, 3).items()}
    found = inferred({"two": with_own_letters(20, 2), "three": three})
    assert sorted({len(options) for options in found.of.values()}) == [2, 3]


@pytest.mark.parametrize(
    "said",
    [
        lambda n: [f"w{n}{k}" for k in range(40)],
        lambda n: ["yes", "no", *(["maybe"] * (n % 3 > 0)), *(["yrs"] * (n % 2))] * 10,
        lambda n: [LETTERS[n], "1.5"] * 20,
        lambda n: [LETTERS[n], LETTERS[n + 1]],
    ],
    ids=["words", "free answers", "letters and numbers", "too few responses"],
)
def test_nothing_is_inferred_where_options_cannot_be_told(said) -> None:  # type: ignore[no-untyped-def]  # as above
    found = inferred({"e": {f"p{n}": said(n) for n in range(20)}})
    assert set(found.of.values()) == {()}
    assert found.summary.startswith("options: inferred for 0 of 20 people")


def test_a_typing_error_of_one_opens_the_responses_of_nobody_else() -> None:
    people = {f"p{n}": ["yes", "no"] * 20 for n in range(30)} | {"p30": ["yes", "no"] * 20 + ["ys"]}
    found = inferred({"e": people})
    assert [name for name, options in found.of.items() if not options] == ["p30"]


def test_steps_with_options_of_their_own_stay_open() -> None:
    """Six keys in two steps are not a choice among six, whose chance would be a sixth."""
    rng = random.Random(2)
    two_steps, one_step = {}, {}
    for n in range(30):
        keys = rng.sample(LETTERS, 6)
        steps = [(rng.choice(keys[:2]), rng.choice(keys[2:])) for _ in range(100)]
        steps[40:] = [(first, second) for first, second in steps[40:] if rng.random() > 0.02]
        two_steps[f"p{n}"] = [key for step in steps for key in step]
        one_step[f"p{n}"] = rng.choices(keys, k=200)
    found = inferred({"e": two_steps})
    assert set(found.of.values()) == {()} and "take turns" in found.summary
    same = {name: ["up", "left", "down", "right"] * 20 for name in two_steps}
    assert set(inferred({"e": same}).of.values()) == {()}
    assert {len(options) for options in inferred({"e": one_step}).of.values()} == {6}
