"""Words of scales are put in their order, in English and German, and no others are."""

from __future__ import annotations

import random

import pytest

from geppetto.studies.drafting.orders import is_undisclosed, order


@pytest.mark.parametrize(
    ("family", "words"),
    [
        ("agreement", "Strongly disagree|Disagree|Neither agree nor disagree|Agree|Strongly agree"),
        ("agreement", "Strongly disagree|Disagree|Somewhat disagree|Somewhat agree|Agree"),
        ("agreement", "Disagree strongly|Disagree a little|Agree a little|Agree strongly"),
        ("agreement", "Strongly disagree|Tend to disagree|Tend to agree|Strongly agree"),
        ("agreement", "Disagree|Undecided|Agree"),
        ("agreement", "stimme überhaupt nicht zu|stimme eher nicht zu|teils/teils|stimme eher zu"),
        ("agreement", "Stimme nicht zu|Weder noch|Stimme zu|Stimme voll und ganz zu"),
        ("agreement", "Lehne völlig ab|Lehne eher ab|Stimme eher zu|Stimme völlig zu"),
        ("accuracy", "trifft überhaupt nicht zu|trifft eher nicht zu|trifft teilweise zu"),
        ("accuracy", "Very inaccurate|Slightly inaccurate|Slightly accurate|Very accurate"),
        ("accuracy", "Not at all like me|A little like me|Somewhat like me|Very much like me"),
        ("frequency", "Never|Rarely|Sometimes|Often|Always"),
        ("frequency", "nie|selten|manchmal|oft|fast immer|immer"),
        ("likelihood", "Extremely unlikely|Unlikely|Neutral|Likely|Extremely likely"),
        ("likelihood", "unwahrscheinlich|eher unwahrscheinlich|sehr wahrscheinlich"),
        ("satisfaction", "Very dissatisfied|Somewhat dissatisfied|Somewhat satisfied"),
        ("satisfaction", "sehr unzufrieden|eher unzufrieden|eher zufrieden|sehr zufrieden"),
        ("importance", "Not at all important|Slightly important|Very important"),
        ("importance", "Not important at all|Somewhat important|Very important"),
        ("approval", "Strongly oppose|Oppose|Neither favor nor oppose|Favor|Strongly favor"),
        ("degree", "Not at all|A little|Somewhat|Quite a bit|Very much"),
        ("degree", "Gar nicht|Wenig|Etwas|Ziemlich|Sehr"),
        ("quality", "Poor|Fair|Good|Very good|Excellent"),
        ("yes_no", "No|Maybe|Yes"),
        ("yes_no", "Definitely not|Probably not|Might or might not|Probably yes|Definitely yes"),
        ("agreement", "1 = strongly disagree|2|3|4|5 = strongly agree"),
        ("frequency", "1 - Never|2 - Often|10 - Always"),
        ("agreement", "Strongly disagree (1)|Disagree (2)|Neutral (3)|Agree (4)"),
    ],
)
def test_words_are_put_in_their_order(family: str, words: str) -> None:
    options = words.split("|")
    mixed = random.Random(0).sample(options, len(options))
    found = order(mixed)
    assert found is not None
    assert (found.family, found.ordered) == (family, options)


@pytest.mark.parametrize(
    "words", ["Male|Female|Other", "18-24|25-34|35-44", "France|Norway", "Often|Frequently", "A|B"]
)
def test_other_words_have_no_order(words: str) -> None:
    assert order(words.split("|")) is None


def test_what_is_no_step_stands_beside_the_order() -> None:
    found = order(["oft", "nie", "weiß nicht", "keine Angabe"])
    assert found is not None
    assert (found.ordered, found.outside) == (["nie", "oft"], ("weiß nicht",))
    assert found.undisclosed == ("keine Angabe",)
    numbered = order(["2 = often", "1 = never", "9 = don't know"])
    assert numbered is not None and numbered.labels["1 = never"] == "never"


def test_not_telling_is_not_the_same_as_not_knowing() -> None:
    assert all(map(is_undisclosed, ("Prefer not to say", "Refused", "Keine Angabe", "No answer")))
    assert not any(map(is_undisclosed, ("Don't know", "Not at all", "Weiß nicht", "Never")))
