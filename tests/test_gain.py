"""What an optimised program is worth beyond its origin, of answers whose truth is known."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from geppetto.evaluation.analysis import Analysis
from geppetto.results import Results
from geppetto.search.gain import gain
from invented_replies import answers_of, results_of, sharpened


def both(own: pd.DataFrame, program: pd.DataFrame, analysis: Analysis) -> Results:
    """Results of two strategies about the same people and items."""
    personas = program[program["strategy"] == "s"].assign(strategy="winner")
    return results_of({"likelihood": pd.concat([own, personas])}, analysis)


def test_a_program_that_tells_more_is_better_by_the_difference_of_both_informations() -> None:
    own = answers_of(1, people=60)
    found = both(own, sharpened(own, 2.0), Analysis(draws=200))
    told = gain(found, "winner", "s")
    nats = found.effects().query("effect == 'information'").set_index("strategy")["nats"]
    assert told.verdict.effect.nats.value == pytest.approx(nats["winner"] - nats["s"])
    assert told.verdict.effect.nats.low > 0 and told.verdict.finding == "positive"
    assert told.sentence.startswith("better: personas by the optimised program tell more")
    assert gain(found, "s", "winner").verdict.finding == "negative"


def test_a_program_that_changed_nothing_is_as_good() -> None:
    own = answers_of(2, people=150)
    told = gain(both(own, own, Analysis(draws=200)), "winner", "s")
    assert told.verdict.effect.nats.value == 0 and told.verdict.p_adjusted == 1
    assert told.sentence.startswith("as good")


def test_every_look_at_these_people_is_paid_for() -> None:
    own = answers_of(3, people=30)
    better = sharpened(own, 1.3)
    once, thrice = (
        gain(both(own, better, Analysis(draws=200, looks=looks)), "winner", "s").verdict
        for looks in (1, 3)
    )
    assert thrice.p_adjusted == pytest.approx(min(1, 3 * once.p_adjusted))
    assert thrice.effect.nats.low < once.effect.nats.low
    assert np.isclose(thrice.effect.nats.value, once.effect.nats.value)
