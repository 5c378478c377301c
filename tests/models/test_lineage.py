"""What models declare of where they come from, and the pairs that follow."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from geppetto._util.errors import GeppettoError
from geppetto.models.lineage import Lineage, pairs


def lineage(**keys: Any) -> Lineage:
    said = {
        "family": "Pine",
        "generation": "2",
        "parameters": "8B",
        "released": "2025-04-28",
        "training": "base",
    }
    return Lineage.model_validate(said | keys)


def post(**keys: Any) -> Lineage:
    return lineage(training="post-trained", **({"base": "pine"} | keys))


def test_models_that_name_their_base_are_pairs_and_others_are_not() -> None:
    found = pairs({"chat": post(), "alone": post(base=None), "pine": lineage()})
    assert [(pair.post, pair.base, pair.note) for pair in found] == [("chat", "pine", "")]


@pytest.mark.parametrize(
    ("written", "billions"),
    [("135M", 0.135), ("0.135B", 0.135), ("70B", 70), ("1.1T", 1100), ("0.60B", 0.6)],
)
def test_sizes_are_read_with_their_unit(written: str, billions: float) -> None:
    assert lineage(parameters=written).billions == pytest.approx(billions)


@pytest.mark.parametrize("written", ["135", 0.135, "0B", "0.0M", "-1B", "8b", "8 B", "B", ".5B"])
def test_sizes_without_a_unit_or_of_nothing_are_refused(written: object) -> None:
    with pytest.raises(ValidationError, match="parameters"):
        lineage(parameters=written)


def test_a_lineage_survives_being_written_and_read() -> None:
    assert Lineage.model_validate_json(post().model_dump_json()) == post()


def test_a_base_model_has_no_base() -> None:
    with pytest.raises(ValidationError, match="a base model has no base"):
        lineage(base="pine")


def test_the_base_takes_part_and_is_a_base() -> None:
    with pytest.raises(GeppettoError, match="unknown base 'pin' in the lineage of chat"):
        pairs({"chat": post(base="pin"), "pine": lineage()})
    with pytest.raises(GeppettoError, match="its base other is post-trained"):
        pairs({"chat": post(base="other"), "other": post(), "pine": lineage()})
    with pytest.raises(GeppettoError, match="its base chat is post-trained"):
        pairs({"chat": post(base="chat")})


def test_another_size_is_refused_unless_it_is_said_and_is_then_noted() -> None:
    small = lineage(parameters="14B", generation="1")
    with pytest.raises(GeppettoError, match="32B parameters and its base pine has 14B"):
        pairs({"seeing": post(parameters="32B"), "pine": small})
    (pair,) = pairs({"seeing": post(parameters="32B", other_size=True), "pine": small})
    assert pair.note == (
        "seeing and pine differ in size (32B, 14B) and generation (Pine 2, Pine 1) too"
    )
    with pytest.raises(GeppettoError, match="remove other_size"):
        pairs({"chat": post(other_size=True), "pine": lineage(parameters="8.2B")})
    with pytest.raises(ValidationError, match="name the base"):
        lineage(other_size=True)
