"""Sessions as text: responses are found by their marks, and trials by their lines."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geppetto.studies.sessions.parsing import Defect, parsed
from geppetto.studies.sessions.session import Session

WORDS = st.text("ab 7.,-\n", max_size=12)
RESPONSES = st.text("xyz -=<19", min_size=1, max_size=5).filter(
    lambda text: text == text.strip() and "<<" not in text and text[0] != "<"
)


def session(text: str, first_trial: str | None = None) -> Session:
    found = parsed(text, first_trial)
    assert isinstance(found, Session), found
    return found


def trials(found: Session) -> list[str]:
    return [found.text[a:b] for a, b in zip(found.trials[:-1], found.trials[1:], strict=True)]


@given(st.lists(st.tuples(WORDS, RESPONSES), min_size=1, max_size=12), WORDS)
def test_every_response_is_found_where_it_stands(parts: list[tuple[str, str]], ending: str) -> None:
    text = "".join(f"{before}<<{response}>> " for before, response in parts) + ending
    found = session(text)
    assert list(found.responses) == [response for _, response in parts]
    assert all(text[span.start - 2 : span.start] == "<<" for span in found.spans)
    assert all(text[span.end : span.end + 2] == ">>" for span in found.spans)


@given(st.lists(st.tuples(WORDS, RESPONSES), min_size=1, max_size=12), WORDS)
def test_instructions_and_trials_make_up_the_text_and_no_trial_is_without_a_response(
    parts: list[tuple[str, str]], ending: str
) -> None:
    text = "".join(f"{before}<<{response}>> " for before, response in parts) + ending
    found = session(text)
    assert found.instructions + "".join(trials(found)) == text
    numbers = [found.trial_of(response) for response in range(len(found.spans))]
    assert sorted(set(numbers)) == list(range(len(found.trials) - 1))
    assert numbers == sorted(numbers)


@given(st.text("<> a\n", max_size=30))
def test_any_text_is_a_session_or_says_why_it_is_none(text: str) -> None:
    found = parsed(text)
    if found is None:
        assert "<<" not in text and ">>" not in text
    elif isinstance(found, Defect):
        assert found.reason
    else:
        assert all(response == response.strip() != "" for response in found.responses)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("You press <<A.\n", "never closed"),
        ("You press A>>.\n", "without << before it"),
        ("You press <<A and <<B>>.\n", "a second << before"),
        ("You press <<<A>>.\n", "more than two < in a row"),
        ("You press <<>>.\n", "an empty response"),
        ("You press << >>.\n", "an empty response"),
        ("You press << A>>.\n", "spaces around a response"),
        ("You press <<A >>.\n", "spaces around a response"),
    ],
)
def test_marks_that_do_not_fit_are_named_with_what_to_do(text: str, reason: str) -> None:
    found = parsed(f"You press <<B>>.\n{text}")
    assert isinstance(found, Defect)
    assert reason in found.reason and found.excerpt.split()


def test_a_response_may_look_like_an_arrow_or_end_in_an_angle_bracket() -> None:
    found = session("You write <<-5>>, <<->> and <<a<b>>. x < y > z <<->>>\n")
    assert found.responses == ("-5", "-", "a<b", "-")


def test_responses_on_one_line_are_of_one_trial() -> None:
    found = session("Rules.\nGuess <<A>>, sure <<90>>.\nGuess <<B>>, sure <<50>>.\nThe end.\n")
    assert trials(found) == [
        "Guess <<A>>, sure <<90>>.\n",
        "Guess <<B>>, sure <<50>>.\nThe end.\n",
    ]
    assert found.instructions == "Rules.\n"


def test_the_first_trial_begins_with_the_line_that_the_second_begins_with() -> None:
    text = "Rules.\nHere is a card.\nIt is red.\nYou say <<A>>.\nHere is a card.\nYou say <<B>>.\n"
    assert session(text).instructions == "Rules.\n"


def test_the_first_trial_has_as_many_lines_as_all_others() -> None:
    text = "Rules.\nMore rules.\nA card.\nYou say <<A>>.\nA cat.\nYou say <<B>>.\nA\n<<B>>"
    assert session(text).instructions == "Rules.\nMore rules.\n"


def test_the_first_trial_is_its_line_if_others_differ_in_length() -> None:
    text = "Rules.\nA card.\nYou say <<A>>.\nA cat.\nYou say <<B>>.\nYou say <<B>>.\n"
    assert session(text).instructions == "Rules.\nA card.\n"


def test_one_trial_is_its_line_and_all_that_follows() -> None:
    found = session("Rules.\nYou say <<A>>.\nBye.\n")
    assert trials(found) == ["You say <<A>>.\nBye.\n"]


def test_a_codebook_says_where_the_first_trial_begins() -> None:
    text = "Round 1 will be hard.\nRound 1. A card.\nYou say <<A>>.\nA cat.\nYou say <<B>>.\n"
    assert session(text, "Round 1").instructions == "Round 1 will be hard.\n"
    missing = parsed(text, "Round 7")
    assert isinstance(missing, Defect) and "`first_trial`" in missing.reason


def test_lines_of_feedback_belong_to_their_trial_if_it_is_said_how_trials_begin() -> None:
    """Otherwise a model without a history would read what came of the response before."""
    told = ["You win 5.\n", "You win 0.\n", "You win 5.\n"]
    text = "Win.\nThere are A and B.\n" + "".join(f"You press <<A>>.\n{won}" for won in told)
    found = session(text, "You press")
    assert found.instructions == "Win.\nThere are A and B.\n"
    assert trials(found) == [f"You press <<A>>.\n{won}" for won in told]
    assert trials(session(text))[1] == "You win 5.\nYou press <<A>>.\n"
