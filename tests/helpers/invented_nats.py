"""Invented predictions of sessions in nats, made without a table so that simulations are fast."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.predictions import Predictions, Responses
from geppetto.planning.plan import Condition
from invented import circle


@dataclass(frozen=True)
class Nats:
    """What a response costs: the sum of a person's, a persona's and a cell's own part.

    Attributes
    ----------
    people, trials, donors
        How many there are of each; donors are strangers for each person.
    person, persona, pair, cell
        Standard deviations of what the person adds to the cost of having a persona, of what the
        persona costs whoever it is shown for, of what the two cost each other, and of a response.
    information
        What the own persona saves, before the first response of a session.
    slope
        By how much that grows with each doubling of the position.
    """

    people: int = 60
    trials: int = 8
    donors: int = 3
    person: float = 0.3
    persona: float = 0.0
    pair: float = 0.1
    cell: float = 0.2
    information: float = 0.0
    slope: float = 0.0

    def predicted(self, rng: np.random.Generator) -> list[Predictions]:
        """Predictions of the arms none, shuffled and own, over everything that could be said."""
        people = np.arange(self.people)
        strangers = circle(self.people, tuple(range(1, self.donors + 1)), rng)
        person, persona = (rng.normal(0, sd, self.people) for sd in (self.person, self.persona))
        saved = self.information + self.slope * np.log2(np.arange(1, self.trials + 1))

        def arm(name: str, donors: Integers) -> Predictions:
            shown = donors >= 0
            pair = rng.normal(0, self.pair, donors.shape)
            cost = np.where(shown, person + persona[donors] + pair, 0.0)[:, :, None]
            cost = cost + rng.normal(0, self.cell, (*donors.shape, self.trials))
            return self._of(name, donors, cost - saved * (name == "own"))

        return [
            arm("none", np.full((1, self.people), -1)),
            arm("shuffled", strangers),
            arm("own", people[None]),
        ]

    def _of(self, arm: str, donors: Integers, cost: Floats) -> Predictions:
        given = self._responses
        unknown = np.full((*cost.shape, 1), np.nan)
        return Predictions(
            given,
            Condition("m", "none" if arm == "none" else "s", arm),
            np.zeros(self.people, int),
            donors,
            unknown,
            -cost,
            unknown[..., 0],
            announcing=np.full(cost.shape, -9.0),
        )

    @property
    def _responses(self) -> Responses:
        shape = (self.people, self.trials)
        return Responses(
            tuple(f"p{n:03}" for n in range(self.people)),
            tuple(str(n + 1) for n in range(self.trials)),
            (),
            np.zeros(self.trials, bool),
            np.zeros(shape, int),
            np.arange(self.people),
            np.ones(self.people),
            np.zeros(shape, int),
        )


def cut_short(found: list[Predictions], rng: np.random.Generator) -> None:
    """Leave most people a short session and some a long one, in every condition."""
    lengths = rng.choice([4, 4, 4, 4, 4, 4, 10, 20, 64], len(found[0].pool))
    for one in found:
        for person, length in enumerate(lengths):
            one.log_prob[:, person, length:] = np.nan
