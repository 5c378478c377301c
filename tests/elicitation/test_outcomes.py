"""What became of replies: which option they name, and what they say instead."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geppetto.elicitation.base import Question
from geppetto.elicitation.outcomes import of_reasoning, outcome, unanswered
from geppetto.elicitation.parsing import FORMS, option_in, said
from geppetto.models.identity import Kind
from geppetto.models.requests import Completion, Finish

LABELS = ("Very inaccurate", "Inaccurate", "Neither", "Accurate", "Very accurate")


def question(
    answers: tuple[str, ...] = ("1", "2", "3", "4", "5"),
    labels: tuple[str, ...] = LABELS,
    kind: Kind = "chat",
) -> Question:
    codes = [f"c{number}" for number in range(len(answers))]
    return Question(
        turns=(),
        cue="Answer: ",
        options=tuple(zip(codes, answers, strict=True)),
        labels=tuple(zip(codes, labels, strict=True)),
        kind=kind,
    )


def became(text: str, finish: Finish = "stop", kind: Kind = "chat") -> tuple[str, int | None]:
    completion, asked = Completion(text=text, finish=finish), question(kind=kind)
    spoken = said(completion, kind)
    option = option_in(spoken, asked)
    return outcome(completion, kind, spoken, option is not None), option


@pytest.mark.parametrize(
    ("text", "option"),
    [
        ("3", 2),
        (" 3 ", 2),
        ("3\n", 2),
        ("3.", 2),
        ("**3**", 2),
        ("*3*.", 2),
        ("`3`", 2),
        ('"3"', 2),
        ("“3”", 2),
        ("'3'.", 2),
        ("(3)", 2),
        ("[3]", 2),
        ("3)", 2),
        ("Answer: 3", 2),
        ("answer:3", 2),
        ("**Answer:** 3", 2),
        ("**Answer: 3**", 2),
        ("Answer:\n\n3", 2),
        ("Answer: (3)", 2),
        ("My answer is 3.", 2),
        ("The answer is: 3", 2),
        ("My final answer: **3**", 2),
        ("Neither", 2),
        ("neither.", 2),
        ("NEITHER", 2),
        ("Very accurate", 4),
        ("very  accurate", 4),
        ("Accurate", 3),
        ("Answer: Inaccurate", 1),
        ("1 = Very inaccurate", 0),
        ("1=very inaccurate", 0),
        ("1. Very inaccurate", 0),
        ("1: Very inaccurate.", 0),
        ("(1) Very inaccurate", 0),
        ("1) Very inaccurate", 0),
        ("1 - Very inaccurate", 0),
        ("1 (Very inaccurate)", 0),
        ("Very inaccurate (1)", 0),
        ("**5** = Very accurate", 4),
        ("I like order.\nI plan ahead.\nAnswer: 4", 3),
        ("Let me think.\n\n**Final answer:** 4 = Accurate", 3),
        ("<think>1 or 2? Answer: 1</think>\n\n2", 1),
        ("Answer: 2\nyes, really\nAnswer: 2.", 1),
    ],
)
def test_a_reply_that_is_an_option_is_answered(text: str, option: int) -> None:
    assert became(text) == ("answered", option)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "unparseable"),
        ("10", "unparseable"),
        ("31", "unparseable"),
        ("3.5", "unparseable"),
        ("-3", "unparseable"),
        ("1*0", "unparseable"),
        ("1-2", "unparseable"),
        ("1 or 2", "unparseable"),
        ("1, 2", "unparseable"),
        ("1\n2", "unparseable"),
        ("Answer: 1 or 2", "unparseable"),
        ("Answer: 1\nAnswer: 2", "unparseable"),
        ("Answer: 1 or 2\nAnswer: 2", "unparseable"),
        ("Answer: 3\nThat is what I think.", "unparseable"),
        ("1 = Very accurate", "unparseable"),
        ("1. Accurate", "unparseable"),
        ("Not accurate", "unparseable"),
        ("Somewhat inaccurate", "unparseable"),
        ("I would choose 3 because I am calm", "unparseable"),
        ("On a scale from 1 to 5", "unparseable"),
        ("3 stars", "unparseable"),
        ("<think>3", "unparseable"),
        ("It cannot be helped, I am who I am", "unparseable"),
        ("I'm sorry, but I can't help with that.", "refusal"),
        ("I’m sorry, but I can’t answer this.", "refusal"),
        ("I cannot provide a rating.", "refusal"),
        ("I can't really choose a number.", "refusal"),
        ("I am unable to comply with this request.", "refusal"),
        ("I'm not able to answer that.", "refusal"),
        ("I won't pretend to be this person.", "refusal"),
        ("I will not answer.", "refusal"),
        ("I must decline.", "refusal"),
        ("I respectfully decline to respond.", "refusal"),
        ("I'd rather not share that.", "refusal"),
        ("Prefer not to say", "refusal"),
        ("I prefer not to answer", "refusal"),
        ("No comment.", "refusal"),
        ("As an AI, I cannot answer personal questions.", "refusal"),
        ("It would not be appropriate for me to guess.", "refusal"),
        ("I am not comfortable sharing it.", "refusal"),
        ("As an AI language model, my answer would be 3.", "out of role"),
        ("As a large language model, 3 seems right", "out of role"),
        ("I'm just an AI assistant, so 3?", "out of role"),
        ("I don't have personal experiences, but 3.", "out of role"),
        ("I do not have feelings or opinions.", "out of role"),
        ("I was created by a company to help you", "out of role"),
        ("I am a computer program. 3", "out of role"),
        ("I'm not a real person", "out of role"),
    ],
)
def test_a_reply_that_is_no_option_says_something_else(text: str, expected: str) -> None:
    assert became(text) == (expected, None)


@pytest.mark.parametrize(
    ("finish", "text", "kind", "expected"),
    [
        ("error", "3", "chat", "error"),
        ("filter", "3", "chat", "filtered"),
        ("length", "3", "chat", "truncated"),
        ("length", "I'm sorry, I can't answer", "chat", "truncated"),
        ("length", "3\nStatement: I like", "base", "answered"),
        ("length", "\n3\nStatement: I like", "base", "answered"),
        ("length", "3 = Neither of", "base", "truncated"),
        ("stop", "3", "base", "answered"),
    ],
)
def test_what_happened_to_a_reply_comes_before_what_it_says(
    finish: Finish, text: str, kind: Kind, expected: str
) -> None:
    assert became(text, finish, kind)[0] == expected


def test_ten_is_ten_and_one_is_one() -> None:
    ten = question(tuple(map(str, range(1, 11))), ("",) * 10)
    assert [option_in(str(number), ten) for number in range(12)] == [None, *range(10), None]


def test_an_answer_comes_before_a_label_that_reads_the_same() -> None:
    shifted = question(("1", "2", "3"), ("0", "1", "2"))
    assert [option_in(text, shifted) for text in ("0", "1", "2", "3")] == [0, 0, 1, 2]


def test_a_label_of_two_options_names_neither() -> None:
    same = question(("1", "2", "3"), ("Yes", "Yes", "No"))
    assert [option_in(text, same) for text in ("yes", "no", "2 = yes")] == [None, 2, 1]


@pytest.mark.parametrize("form", [form for forms in FORMS for form in forms])
@given(
    number=st.integers(0, 4),
    before=st.text(" \n*_\"'`", max_size=4),
    after=st.text(" \n*_\"'`", max_size=4),
    prefix=st.sampled_from(["", "Answer: ", "ANSWER:", "My answer is "]),
)
def test_every_form_of_an_option_is_read_in_any_wrapping(
    form: str, number: int, before: str, after: str, prefix: str
) -> None:
    text = form.format(answer=number + 1, label=LABELS[number])
    assert option_in(f"{prefix}{before}{text}{after}", question()) == number


@given(st.text())
def test_wild_texts_are_read_without_failing_and_only_if_an_option_is_there(text: str) -> None:
    option = option_in(text, question())
    if option is not None:
        folded = " ".join(text.casefold().replace("*", " ").replace("`", " ").split())
        assert str(option + 1) in folded or LABELS[option].casefold() in folded
    assert unanswered(text) in ("refusal", "out of role", "unparseable")


@given(st.integers(1, 5), st.text("0123456789abc", min_size=1, max_size=3), st.booleans())
def test_an_option_within_a_longer_word_is_none(number: int, more: str, first: bool) -> None:
    text = f"{more}{number}" if first else f"{number}{more}"
    assert option_in(text, question()) is None


def test_reasoning_may_speak_of_what_the_person_cannot_do() -> None:
    def reasoned(text: str, finish: Finish = "stop") -> str:
        return of_reasoning(Completion(text=text, finish=finish), "chat", text)

    assert reasoned("She is shy. She cannot give a speech.") == "answered"
    assert reasoned("I would rather not share my feelings, so I disagree.") == "answered"
    assert reasoned("She is", "length") == "truncated"
    assert reasoned("") == "unparseable"
