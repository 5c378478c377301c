"""Names of metrics, tags and files: short, taken by MLflow, and of one thing each."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.prompt.registry_utils import validate_prompt_name
from mlflow.utils.validation import _validate_metric_name, _validate_tag_name

from geppetto.tracking.names import MOST, cut, names, registered

LABELS = st.lists(
    st.lists(st.text(max_size=300), min_size=1, max_size=3).map(tuple), unique=True, max_size=8
)


@given(LABELS)
def test_no_two_things_have_one_name_and_every_store_takes_it(
    labels: list[tuple[str, ...]],
) -> None:
    named = names(labels)
    assert list(named) == labels
    as_files = {unicodedata.normalize("NFC", name).casefold() for name in named.values()}
    assert len(as_files) == len(labels), "also where capitals are not told apart"
    for name in named.values():
        assert 0 < len(name.encode()) <= MOST and "/" not in name and name.strip(".")
        _validate_metric_name(f"information/{name}")
        _validate_tag_name(f"information.{name}")


def test_models_whose_names_differ_in_a_sign_keep_their_own_numbers() -> None:
    named = names([("lab/m", "interview"), ("lab_m", "interview"), ("lab_m", "other")])
    assert len(set(named.values())) == 3
    assert named["lab_m", "other"] == "lab_m other", "whoever shares no name has a plain one"
    assert names([("lab/m", "interview")]) == {("lab/m", "interview"): "lab_m interview"}


def test_parts_do_not_run_into_each_other() -> None:
    assert len(set(names([("a b", "c"), ("a", "b c")]).values())) == 2
    assert len(set(names([("1", "x_2"), ("1_x", "2")], between="_").values())) == 2


def test_a_question_in_chinese_is_cut_by_bytes() -> None:
    question = "您对生活总体上有多满意" * 20
    first, second = names([(question + "?",), (question + "!",)]).values()
    assert first != second and first.startswith(question[:40])
    assert len(f"{first}.txt".encode()) <= 255


@pytest.mark.parametrize("label", ["plain-winner", "Größe-winner", "a b-winner", "x" * 500, "?"])
def test_a_registered_prompt_has_a_name_that_the_registry_takes(label: str) -> None:
    validate_prompt_name(registered(label))
    assert (registered(label) == label) == (label == "plain-winner")


def test_a_text_that_is_cut_says_so() -> None:
    assert cut("ü" * 10, 20) == "ü" * 10
    assert cut("ü" * 10, 19) == "ü" * 8 + "…"
    assert len(cut("\udce4" * 10, 9).encode()) <= 9
