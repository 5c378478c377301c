"""How an item and its options are put before a model."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from fake_model import CHATML
from geppetto._util.errors import GeppettoError
from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.survey import Layout, render
from geppetto.studies import Codebook, Scale, Study
from workspaces import ROOT

GOLDEN = ROOT / "tests" / "golden" / "layouts.txt"
LAYOUTS = [
    Layout(answer=answer, order=order)
    for answer, order in product(("number", "label", "letter"), ("codebook", "reversed"))
]


def test_layouts_are_the_golden_ones(bfi: Study) -> None:
    """Delete the golden file and run the test to record it anew; then read it."""
    parts = ["item N3 of bfi, without a persona"]
    for layout in LAYOUTS:
        made = render(bfi, bfi.items["N3"], None, layout, None)
        codes, answers = zip(*made.options, strict=True)
        parts.append(
            f"=== answer: {layout.answer}, order: {layout.order}\n{made.text}{'|'.join(answers)}\n"
            f"(codes: {'|'.join(codes)})"
        )
    text = "\n\n".join(parts) + "\n"
    if not GOLDEN.exists():
        GOLDEN.write_text(text, "utf-8")
        pytest.fail(f"{GOLDEN.name} was missing and has been recorded; read it and run again")
    assert text == GOLDEN.read_text("utf-8")


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("template", [None, ChatTemplate(source=CHATML)])
def test_options_stay_in_the_codebooks_order(
    layout: Layout, template: ChatTemplate | None, bfi: Study
) -> None:
    for item in bfi.codebook.items:
        made = render(bfi, item, None, layout, template)
        scale = bfi.scale(item)
        assert [code for code, _ in made.options] == list(scale.options)
        for code, answer in made.options:
            if layout.answer == "number":
                assert answer == code
            elif layout.answer == "label":
                assert answer == f" {scale.options[code]}"
            else:
                assert f"\n{answer.strip()} = {scale.options[code]}" in made.head


def with_options(study: Study, count: int) -> Study:
    described = study.codebook.model_dump(exclude_defaults=True)
    described["scales"] = {"three": {"options": {str(n): f"Option {n}" for n in range(count)}}}
    return replace(study, codebook=Codebook.model_validate(described))


def test_more_options_than_letters_are_refused(small_study: Study) -> None:
    lettered = Layout(answer="letter")
    fits = with_options(small_study, 26)
    made = render(fits, fits.items["q1"], None, lettered, None)
    assert made.options[-1] == ("25", " Z")
    many = with_options(small_study, 27)
    with pytest.raises(GeppettoError) as raised:
        render(many, many.items["q1"], None, lettered, None)
    assert str(raised.value) == (
        "`layout: {answer: letter}` does not fit a scale: 27 options are more than there are "
        "letters; leave it out, and number is chosen for this scale"
    )
    assert len(render(many, many.items["q1"], None, Layout(), None).options) == 27


WORDS = {"calm": "Very calm", "rather": "Rather calm", "not": "Not calm"}
TWICE = {"a": "Yes", "b": "No", "c": "Yes"}
NOTHING = {f"c{n}": "Yes" for n in range(27)}


@pytest.mark.parametrize(
    ("options", "chosen", "answers"),
    [
        ({1: "No", 2: "Yes"}, "number", ["1", "2"]),
        ({-1: "No", "0.5": "Yes", "+1": "More"}, "number", ["-1", "0.5", "+1"]),
        (WORDS, "label", list(WORDS.values())),
        ({"1a": "No", 2: "Yes"}, "label", ["No", "Yes"]),
        (TWICE, "letter", ["A", "B", "C"]),
    ],
)
def test_an_answer_is_chosen_for_each_scale(
    options: dict[str, str], chosen: str, answers: list[str]
) -> None:
    scale = Scale(options=options, ordinal=False)
    assert Layout().answer_to(scale) == chosen
    assert list(Layout().listed(scale).values()) == answers
    *_, last = Layout(order="reversed").listed(scale)
    assert last == str(next(iter(options)))


@pytest.mark.parametrize(
    ("answer", "options", "why"),
    [
        ("number", WORDS, "the code 'calm' is no number; leave it out, and label is chosen"),
        ("number", TWICE, "the code 'a' is no number; leave it out, and letter is chosen"),
        ("label", TWICE, "two options are called 'Yes'; leave it out, and letter is chosen"),
        ("label", NOTHING, "two options are called 'Yes'; give each option its own words"),
    ],
)
def test_a_layout_that_does_not_fit_is_refused(
    answer: str, options: dict[str, str], why: str
) -> None:
    """The advice is what `Layout()` does, or nothing fits."""
    scale = Scale(options=options, ordinal=False)
    with pytest.raises(GeppettoError) as raised:
        Layout.model_validate({"answer": answer}).listed(scale)
    assert why in str(raised.value)
    if "leave it out" in why:
        assert Layout().listed(scale)
    else:
        with pytest.raises(GeppettoError, match="its own words"):
            Layout().listed(scale)


def test_a_prompt_with_words_as_codes_asks_for_words(small_study: Study) -> None:
    described = small_study.codebook.model_dump(exclude_defaults=True)
    described["scales"] = {"three": {"options": WORDS}}
    worded = replace(small_study, codebook=Codebook.model_validate(described))
    made = render(worded, worded.items["q1"], None, Layout(), None)
    assert "Answer with one of:\nVery calm\nRather calm\nNot calm" in made.head
    assert made.text.endswith("\nAnswer:")
    assert made.options == tuple((code, f" {label}") for code, label in WORDS.items())
