"""What the choice among equal rivals does to benefit, by simulation."""

from __future__ import annotations

import numpy as np

from geppetto.evaluation.inference.resampling import Resampling
from invented_benefit import against


def test_where_rivals_are_about_equally_good_the_choice_is_not_taken_for_a_gain() -> None:
    """Own and three rivals are equally good; an interval of the chosen alone misses 8 to 10%."""
    rng, runs, helped, missed = np.random.default_rng(3), 400, 0, 0
    drawn = Resampling.of(60, draws=300)
    for _ in range(runs):
        verdict = against(rng.normal(size=(3, 60)), rng.normal(size=60), drawn)
        helped += verdict.finding == "positive"
        missed += verdict.effect.nats.excludes_zero()
        rival = verdict.effect.differences.uninformed
        assert rival is not None
        assert rival.is_one or "open which prediction" in verdict.withheld
    assert helped / runs <= 0.035 and missed / runs <= 0.065
