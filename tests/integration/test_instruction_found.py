"""Optimisers find an instruction that tells people apart."""

from __future__ import annotations

from pathlib import Path

import pytest

from geppetto.search.optimisers import Optimiser
from instructed import BETTER, optimised, profile, text_models


@pytest.mark.parametrize("optimiser", ["gepa", "mipro"])
def test_an_instruction_that_tells_people_apart_is_found(
    workspace: Path, optimiser: Optimiser
) -> None:
    found = optimised(workspace, optimiser, text_models(), calls=40)
    assert found.before == 0
    assert found.after > 0.3
    assert found.failed_before == found.failed_after == 0
    state = found.state.read_text("utf-8")
    assert BETTER in state and "api_key" not in state
    rule = profile(workspace, program=f"programs/{found.state.name}")
    assert rule.made_of != profile(workspace).made_of
