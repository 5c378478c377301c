"""What the mixed model recovers and covers, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from geppetto.evaluation.inference.mixed_model import mixed_model
from invented import crossed


@pytest.mark.parametrize("spreads", [(0.5, 0.3, 1.0), (0.5, 0.0, 1.0)])
def test_intervals_cover_the_mean_over_new_people_and_items(
    spreads: tuple[float, float, float],
) -> None:
    """40 people x 10 items; where items differ, resampling people alone would cover 84%."""
    rng = np.random.default_rng(4)
    covered, degrees = [], []
    for _ in range(200):
        y, person, item = crossed(40, 10, spreads, rng)
        y[rng.random(y.size) < 0.15] = np.nan
        found = mixed_model(y, {"participant": person, "item": item})
        covered.append(found.mean.low <= 0.3 <= found.mean.high)
        degrees.append(found.degrees)
    assert 0.92 <= np.mean(covered) <= 0.985
    assert min(degrees) >= 1


def test_it_recovers_the_variances_of_many_people_and_of_paraphrases() -> None:
    rng = np.random.default_rng(5)
    people, items, paraphrases = 2500, 20, 5
    cell = np.arange(people * items * paraphrases)
    person, item, wording = np.unravel_index(cell, (people, items, paraphrases))
    y = rng.normal(0, 0.05, people)[person] + rng.normal(0, 0.1, cell.size)
    y += rng.choice([-0.02, 0.02], items)[item] + np.array([-0.01, -0.01, 0.0, 0.01, 0.01])[wording]
    names = np.array([f"p{n}" for n in range(people)])[person]
    found = mixed_model(y, {"paraphrase": wording, "item": item, "participant": names})
    assert list(found.variances) == ["paraphrase", "item", "participant", "residual"]
    assert found.variances["residual"] == pytest.approx(0.01, rel=0.02)
    assert found.variances["participant"] == pytest.approx(0.0025, rel=0.1)
    assert found.variances["item"] == pytest.approx(0.0004, rel=0.15)
    assert found.variances["paraphrase"] == pytest.approx(0.0001, rel=0.2)
