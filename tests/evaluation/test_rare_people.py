"""What people of a kind that is not in a sample could do to a mean, and verdicts that allow for it.

Of a kind that 2% of people are there is nobody among 60 in three samples of ten, so that no number
of the sample tells of them. What a model says of the options that nobody chose does.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.differences import differences
from geppetto.evaluation.inference.infer import infer
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.losses import mean_cost, possible_savings
from geppetto.evaluation.measures import Measure
from geppetto.planning.analysis_config import Analysis
from invented import predicted, responses
from invented_benefit import believers, verdict
from invented_nats import Nats


def test_what_could_be_saved_is_that_of_the_responses_that_would_save_least_and_most() -> None:
    rng = np.random.default_rng(1)
    shape = (2, 3, 4)
    worse, better = (rng.dirichlet(np.ones(4), shape[:2]) for _ in range(2))
    every = [np.array(said).reshape(shape[:2]) for said in itertools.product(range(4), repeat=6)]
    for measure in ("nll", "nll_full", "brier"):
        saved = []
        for said in every:
            given = responses(said, options=4)
            arms = predicted(given, "none", worse), predicted(given, "own", better)
            saved.append(mean_cost(arms[0], measure)[0] - mean_cost(arms[1], measure)[0])
        ends = possible_savings(*arms, measure)
        assert np.allclose(ends, np.stack([np.min(saved, 0), np.max(saved, 0)], axis=1))


@pytest.mark.parametrize("measure", ["nll", "brier"])
@pytest.mark.parametrize("weights", [None, np.linspace(0.2, 3.0, 300)])
def test_every_difference_is_among_what_is_possible(
    measure: Measure, weights: Floats | None
) -> None:
    for one in differences(believers(2.0), measure, weights=weights):
        assert one.possible is not None
        least, most = one.possible.T
        slack = 1e-12
        assert ((least <= one.persons + slack) & (one.persons <= most + slack)).all()


def test_a_benefit_could_be_lost_to_any_prediction_that_may_be_the_best() -> None:
    found = believers(1.0)
    benefit = next(one for one in differences(found) if one.uninformed)
    own = next(one for one in found if one.condition.arm == "own")
    none = next(one for one in found if one.condition.model == "m" and one.condition.arm == "none")
    assert benefit.possible is not None
    assert (benefit.possible[:, 0] <= possible_savings(none, own, "nll")[:, 0]).all()


def test_a_model_that_is_never_sure_may_be_judged_by_60_people() -> None:
    rng = np.random.default_rng(4)
    said = (rng.random((60, 20)) < 0.8).astype(int)
    given = responses(said)
    half, told = np.full((60, 20, 2), 0.5), np.broadcast_to([0.3, 0.7], (60, 20, 2)).copy()
    one = verdict([predicted(given, "none", half), predicted(given, "own", told)])
    needed = one.basis.undone_by(one.effect.nats)
    assert needed is not None and needed > one.effect.reach == pytest.approx(np.log(0.5 / 0.3))
    assert one.finding == "positive" and not one.too_few


def test_nothing_bounds_what_an_open_response_could_cost() -> None:
    found = Nats(people=100, information=1.0).predicted(np.random.default_rng(5))
    (one,) = (
        one
        for one in infer(
            differences(found, "nll_full"), Resampling.of(100, draws=500), Analysis(draws=500), {}
        )
        if one.effect.contrast.name == "information"
    )
    assert one.effect.nats.low > 0.5 and one.finding == "undecided"
    assert "nothing bounds what they could have lost" in one.sentence
