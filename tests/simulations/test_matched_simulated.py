"""What matched strangers tell, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from geppetto.personas.arms import Matched
from geppetto.planning.analysis_config import Analysis
from invented_oracle import Oracle


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle()


def test_who_knows_only_demographics_saves_nothing_over_exact_matches(oracle: Oracle) -> None:
    """Strangers of the same sex, race and degree alone would leave what is told by age."""
    rng, analysis = np.random.default_rng(2), Analysis(draws=200)
    for seed in range(3):
        sample = rng.choice(oracle.complete, 80, replace=False)
        drawn = oracle.strangers(sample, Matched(seed=seed))
        assert 50 < len(drawn) < 80
        verdict = oracle.verdict(sample, drawn, oracle.log_probs, analysis)
        assert verdict.effect.participants == len(drawn)
        assert np.abs(verdict.effect.differences.persons).max() == 0
        assert verdict.finding == "undecided" and "150 are needed" in verdict.sentence


def test_what_texts_do_besides_varies_as_much_as_it_seems_to(oracle: Oracle) -> None:
    """Donors from outside are draws of their own, and those who take part cancel in pairs."""
    rng, analysis, runs = np.random.default_rng(3), Analysis(draws=200), 30
    found = []
    for seed in range(runs):
        sample = rng.choice(oracle.complete, 40, replace=False)
        drawn = oracle.strangers(sample, Matched(seed=seed, donors=1 + seed % 2))
        predicted = oracle.predictions(0.3, 0.5, rng)
        found.append(oracle.verdict(sample, drawn, predicted, analysis).effect.nats)
    nats = np.array([one.value for one in found])
    claimed = np.mean([one.high - one.low for one in found]) / (2 * 2.03)
    assert abs(nats.mean()) < 3 * nats.std() / np.sqrt(runs)
    assert 0.65 < nats.std() / claimed < 1.35
