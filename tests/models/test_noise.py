"""How far trees are from paths is measured on what is asked, and only once a model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from fake_model import FakeModel
from geppetto.answers.local import Unanswered
from geppetto.answers.noise import NoiseStore
from geppetto.elicitation.option_likelihood import units
from geppetto.models.noise import Noise, noise
from geppetto.models.token_tree import TokenTree
from geppetto.prompts.survey import Prompt

OPTIONS = (("1", "yes"), ("2", "no"))


class Rounding(FakeModel):
    """Says a little more of a token the more of them are computed together."""

    def score(self, trees: Sequence[TokenTree]) -> list[NDArray[np.float64]]:
        self.read = [len(tree.options) for tree in trees]
        return [found + 1e-3 * len(tree.options) for found, tree in zip(
            super().score(trees), trees, strict=True)]  # fmt: skip


def work(prompts: int) -> Unanswered:
    asked = {f"r{n}": Prompt(f"Who? {n}: ", "", "Who? ", OPTIONS) for n in range(prompts)}
    return Unanswered.of(lambda: units(asked, FakeModel()))


def test_it_is_the_difference_between_trees_and_single_paths() -> None:
    (unit,) = work(12)
    found = noise(Rounding(), [unit.tree], most=4)
    assert found.answers == 4 * len(OPTIONS)
    assert found.largest == pytest.approx(11e-3 * 3)  # "yes" has three tokens, "no" two
    assert found.mean == pytest.approx(11e-3 * 2.5)
    assert noise(FakeModel(), [unit.tree]).largest == 0


def test_it_is_measured_once_a_model_and_only_where_something_is_asked(tmp_path: Path) -> None:
    store, model = NoiseStore.at(tmp_path / "answers.db"), Rounding("one")
    store.measure(model, work(0))
    assert store.known([model]) == {} and model.decoded == 0
    store.measure(model, work(12))
    assert store.known([model, Rounding("other")]).keys() == {"one"}
    assert store.get(model.identity) == noise(Rounding(), [next(iter(work(8))).tree])
    decoded = model.decoded
    store.measure(model, work(12))
    assert model.decoded == decoded
    assert isinstance(store.get(model.identity), Noise)
