"""What people of a kind that is not in a sample could do to a mean, and verdicts that allow for it.

Of a kind that 2% of people are there is nobody among 60 in three samples of ten, so that no number
of the sample tells of them. What a model says of the options that nobody chose does.
"""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from geppetto.evaluation.analysis import Analysis
from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.asked import mean_cost, possible_savings
from geppetto.evaluation.differences import differences
from geppetto.evaluation.inference import infer
from geppetto.evaluation.measures import Measure
from geppetto.evaluation.predictions import Predictions
from geppetto.evaluation.resampling import Resampling
from geppetto.evaluation.verdicts import Verdict
from invented import predicted, responses
from invented_nats import Nats
from test_benefit import believers


def verdict(found: list[Predictions], contrast: str = "total") -> Verdict:
    people = Resampling.of(len(found[0].pool), draws=500)
    verdicts = infer(differences(found), people, Analysis(draws=500), {})
    (one,) = (one for one in verdicts if one.effect.contrast.name == contrast)
    return one


def sure(people: int, rare: float, rng: np.random.Generator) -> list[Predictions]:
    """A persona that is all but sure of three answers that a rare kind of people never give.

    On average nothing is saved: the rare kind loses all that the others gain. Some people are less
    predictable than others, so that what they save varies.
    """
    is_rare = rng.random((people, 1)) < rare
    given = responses(np.broadcast_to(is_rare, (people, 3)).astype(int))
    nobody = 0.5 + 0.2 * rng.random((people, 1, 1)) * np.ones((1, 3, 1))
    saved = -np.log(nobody).mean() * (1 - rare)  # of those who are not rare, all in all
    lost = np.exp(-saved / rare - 0.9)
    return [
        predicted(given, "none", np.concatenate([nobody, 1 - nobody], axis=2)),
        predicted(given, "own", np.broadcast_to([1 - lost, lost], (people, 3, 2)).copy()),
    ]


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


@pytest.mark.parametrize("people", [60, 100, 149])
def test_what_a_rare_kind_could_undo_is_no_verdict(people: int) -> None:
    rng = np.random.default_rng(2)
    found = [verdict(sure(people, 0.02, rng)) for _ in range(60)]
    tempted = [one for one in found if one.effect.nats.excludes_zero()]
    assert tempted and all(one.finding == "undecided" for one in found)
    said = next(one.sentence for one in tempted if one.too_few)
    assert f"{people} people are too few: one in {people / 3:.0f} may be of a kind" in said
    assert "who would undo it if they lost" in said and "150 people would have such" in said


def test_of_people_who_have_every_kind_it_is_not_asked_and_verdicts_rarely_err() -> None:
    rng = np.random.default_rng(3)
    found = [verdict(sure(150, 0.02, rng)).finding for _ in range(300)]
    assert np.mean([one != "undecided" for one in found]) < 0.07 + 2 * np.sqrt(0.07 * 0.93 / 300)


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
