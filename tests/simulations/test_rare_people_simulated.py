"""Verdicts where rare people are missing, by simulation."""

from __future__ import annotations

import numpy as np
import pytest

from geppetto.evaluation.predictions import Predictions
from invented import predicted, responses
from invented_benefit import verdict


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


@pytest.mark.parametrize("people", [60, 100, 149])
def test_what_a_rare_kind_could_undo_is_no_verdict(people: int) -> None:
    rng = np.random.default_rng(2)
    found = [verdict(sure(people, 0.02, rng)) for _ in range(60)]
    tempted = [one for one in found if one.effect.nats.excludes_zero()]
    assert tempted and all(one.finding == "undecided" for one in found)
    said = next(one.sentence for one in tempted if one.too_few)
    assert f"{people} people are too few: a kind that one in {people / 3:.0f} is" in said
    assert "would undo it by losing" in said and "take 150 people" in said


def test_of_people_who_have_every_kind_it_is_not_asked_and_verdicts_rarely_err() -> None:
    rng = np.random.default_rng(3)
    found = [verdict(sure(150, 0.02, rng)).finding for _ in range(300)]
    assert np.mean([one != "undecided" for one in found]) < 0.07 + 2 * np.sqrt(0.07 * 0.93 / 300)
