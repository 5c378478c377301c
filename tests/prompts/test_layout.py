"""How an item and its options are put before a model."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from fake_model import CHATML
from geppetto._util.errors import GeppettoError
from geppetto.prompts.chat import ChatTemplate
from geppetto.prompts.survey import Layout, render
from geppetto.studies import Codebook, Study
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
        "item q1 has 27 options, more than there are letters; use `layout: {answer: number}`"
    )
    assert len(render(many, many.items["q1"], None, Layout(), None).options) == 27
