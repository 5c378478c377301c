"""Invented groups of people whose personas predict them differently."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.changes import Change
from geppetto.evaluation.contrasts import INFORMATION
from geppetto.evaluation.differences import Differences, differences
from geppetto.evaluation.inference.interaction import interactions
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.predictions import Predictions
from invented import circle, predicted, responses


def of_personas(said: NDArray[np.int64], belief: Floats, donors: Integers) -> list[Predictions]:
    """No persona, strangers' and own, where everyone's persona believes yes with a probability."""
    personas = np.stack([1 - belief, belief], axis=-1)
    given = responses(said)
    nobody = np.full(personas.shape, 0.5)
    return [
        predicted(given, "none", nobody),
        predicted(given, "shuffled", personas, donors),
        predicted(given, "own", personas),
    ]


def by_contrast(found: list[Predictions], rows: Integers | None = None) -> dict[str, Differences]:
    return {one.contrast.name: one for one in differences(found, rows=rows)}


def unlike(rng: np.random.Generator, people: int, gap: float) -> list[Predictions]:
    """Personas that predict everybody well or badly, men's better, and nobody in particular."""
    men = np.arange(people) < people // 3
    said = (rng.random((people, 8)) < 0.7).astype(int)
    of_persona = 0.55 + 0.15 * rng.standard_normal((people, 1)) + gap * men[:, None]
    belief = np.clip(of_persona + 0.03 * rng.standard_normal((people, 8)), 0.03, 0.97)
    return of_personas(said, belief, circle(people, (1, 3, 7), rng))


def changed(
    values: Floats, groups: dict[str, Integers], people: Resampling | None = None
) -> list[Change]:
    return interactions([contributions(values)], groups, people or Resampling.of(len(values)))


def contributions(values: Floats) -> Differences:
    """Invented contributions to information."""
    rows = np.arange(len(values))
    return Differences("m", "s", INFORMATION, "nll", "", rows, values, values, values)
