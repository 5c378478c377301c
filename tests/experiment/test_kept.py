"""What baselines learned is kept by its content, and computed when anything differs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.baselines import baseline_answers
from geppetto.experiment import kept
from geppetto.experiment.kept import learned_in
from geppetto.personas.library import load_strategy
from geppetto.planning.plan import Strategy
from geppetto.studies import Study
from invented_twins import cells

INPUTS = [np.arange(6.0).reshape(2, 3), np.array(["a", "b"])]


def refuse() -> Floats:
    raise AssertionError("it was computed once more")


def test_what_was_computed_is_read_again_to_the_last_bit(tmp_path: Path) -> None:
    values = np.random.default_rng(0).random((3, 2))
    values[0, 0] = np.nan
    first = learned_in(tmp_path)(INPUTS, lambda: values)
    again = learned_in(tmp_path)([array.copy() for array in INPUTS], refuse)
    np.testing.assert_array_equal(first, values)
    np.testing.assert_array_equal(again, values)


@pytest.mark.parametrize(
    "others",
    [
        [INPUTS[0] + [0, 0, 1e-12], INPUTS[1]],
        [INPUTS[0].reshape(3, 2), INPUTS[1]],
        [INPUTS[0].astype(int), INPUTS[1]],
        [INPUTS[0], np.array(["a", "c"])],
        INPUTS[:1],
        INPUTS[::-1],
    ],
)
def test_any_other_input_is_another_file(others: list[Floats], tmp_path: Path) -> None:
    keep = learned_in(tmp_path)
    keep(INPUTS, lambda: np.zeros(1))
    assert keep(others, lambda: np.ones(1)) == 1


def test_another_library_or_learner_is_another_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = learned_in(tmp_path)
    keep(INPUTS, lambda: np.zeros(1))
    monkeypatch.setattr(kept, "_how_one_learns", lambda: "another way")
    assert keep(INPUTS, lambda: np.ones(1)) == 1


def test_a_damaged_file_is_made_again(tmp_path: Path) -> None:
    keep = learned_in(tmp_path)
    keep(INPUTS, lambda: np.zeros(1))
    (file,) = tmp_path.rglob("*.npy")
    file.write_bytes(file.read_bytes()[:-4] + b"\x00\x00\xf0?")
    assert keep(INPUTS, lambda: np.zeros(1)) == 0
    file.write_bytes(b"")
    assert keep(INPUTS, lambda: np.zeros(1)) == 0


def test_a_folder_that_cannot_be_written_keeps_nothing(tmp_path: Path) -> None:
    (tmp_path / "mlruns").write_text("no folder")
    assert learned_in(tmp_path)(INPUTS, lambda: np.ones(1)) == 1


def test_baselines_are_the_same_whether_they_were_kept(small_study: Study, tmp_path: Path) -> None:
    known = load_strategy("known_answers", {"k": 1}, tmp_path)
    strategies = [Strategy("known", "known_answers", known)]
    table = cells(small_study, list(small_study.people)[:4], list(small_study.items))
    anew = baseline_answers(table, small_study, strategies)
    for _ in range(2):
        found = baseline_answers(table, small_study, strategies, learned_in(tmp_path))
        assert found.equals(anew)
    assert len(list(tmp_path.rglob("*.npy"))) == 3
