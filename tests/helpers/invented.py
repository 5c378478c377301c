"""Invented answers with known truths, as arrays and as tables, and codebooks of invented items."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import optimize

from geppetto.elicitation.hits import hit
from geppetto.evaluation.arrays import Floats, Integers
from geppetto.evaluation.predictions import Predictions, Responses
from geppetto.planning.plan import Condition
from geppetto.studies import Codebook, Scale, Study


def codebook(**keys: Any) -> Codebook:
    """A codebook of these scales and items, without a trait unless some are given."""
    content: dict[str, Any] = {
        "name": "invented",
        "title": "Invented",
        "source": {"origin": "tests", "licence": "none", "citation": "none"},
        "instruction": "How true is it?",
        "participant_column": "id",
        "traits": [],
    }
    return Codebook.model_validate(content | keys)


def study_of(scale: Scale) -> Study:
    """A study of nobody and of one item, q, on a scale."""
    items = [{"name": "q", "text": "I sleep well.", "scale": "s"}]
    return Study(codebook(scales={"s": scale}, items=items), {}, {})


def responses(position: NDArray[np.int64], options: int = 2) -> Responses:
    """Invented people's responses to ordinal items of so many options."""
    people, items = position.shape
    return Responses(
        tuple(f"p{n:04}" for n in range(people)),
        tuple(f"q{n}" for n in range(items)),
        (tuple(str(n + 1) for n in range(options)),) * items,
        np.ones(items, bool),
        position,
        np.arange(people),
        np.ones(people),
    )


def predicted(
    given: Responses, arm: str, probabilities: Floats, donors: NDArray[np.int64] | None = None
) -> Predictions:
    """Predictions of an arm: probabilities (people, items, options), or of each donor's persona.

    With donors, shape (draws, people), the probabilities are those of each *persona*.
    """
    people = np.arange(len(given.participants))
    if arm == "own":
        donors = people[None]
    shown = probabilities[None] if donors is None else probabilities[donors]
    logs = np.log(shown)
    logs = np.where(given.answered[None, :, :, None], logs, np.nan)
    if donors is None:
        donors = np.full((1, len(people)), -1)
    strategy = "none" if arm == "none" else "s"
    response = np.take_along_axis(logs, np.maximum(given.position, 0)[None, :, :, None], 3)[..., 0]
    mass = np.where(np.isnan(response), np.nan, 1.0)
    return Predictions(
        given,
        Condition("m", strategy, arm),
        np.zeros(len(people), int),
        donors,
        logs,
        response,
        mass,
    )


def circle(people: int, distances: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.int64]:
    """Donors at these distances on a random circle, shape (draws, people)."""
    order = rng.permutation(people)
    donors = np.empty((len(distances), people), int)
    for draw, distance in enumerate(distances):
        donors[draw, order] = np.roll(order, -distance)
    return donors


def two_types(
    rng: np.random.Generator,
    people: int,
    items: int,
    known: float,
    own_tilt: float = 0.0,
    told: bool = True,
) -> list[Predictions]:
    """Two kinds of people, told apart by their personas; arms none, shuffled and own.

    A person of the first kind says yes with probability 1/2 + `known`, one of the second with
    1/2 - `known`, and every persona predicts just that of its own kind. `own_tilt` makes all
    personas alike worse (negative) or better than no persona, whoever they are of: a pure format
    effect, since without a persona yes is believed with probability 1/2 + `own_tilt`. If not
    `told`, personas are of one of the kinds, and it is not their person's: answers of a person
    are alike, personas differ, and they do not match.
    """
    kind = rng.permutation(np.arange(people) % 2) * 2 - 1
    yes = 0.5 + known * kind
    said = (rng.random((people, items)) < yes[:, None]).astype(int)
    given = responses(said)
    personas = np.empty((people, items, 2))
    personas[..., 1] = (yes if told else rng.permutation(yes))[:, None]
    personas[..., 0] = 1 - personas[..., 1]
    nobody = np.broadcast_to([0.5 - own_tilt, 0.5 + own_tilt], personas.shape)
    donors = circle(people, (1, 7, 11), rng)
    return [
        predicted(given, "none", nobody),
        predicted(given, "shuffled", personas, donors),
        predicted(given, "own", personas),
    ]


def tilt_of(information: float, people: int) -> float:
    """How far two kinds are from 1/2 if a stranger's persona costs so many nats a response."""
    other_kind = people / 2 / (people - 1)

    def cost(known: float) -> float:
        return float(2 * known * np.log((0.5 + known) / (0.5 - known)) * other_kind - information)

    return float(optimize.brentq(cost, 1e-9, 0.49))


def as_table(found: list[Predictions]) -> pd.DataFrame:
    """The tidy table that would give these predictions."""
    rows = []
    for predictions in found:
        given, wordings = predictions.responses, predictions.paraphrase
        for draw, person, item in np.argwhere(np.isfinite(predictions.nll)):
            logs = predictions.option_log_probs[draw, person, item, : len(given.options[item])]
            donor = predictions.donors[draw, person]
            stranger = donor >= 0 and donor != person
            nll = predictions.nll[draw, person, item]
            rows.append(
                {
                    **predictions.condition._asdict(),
                    "participant": given.participants[person],
                    "cluster": None,
                    "weight": 1.0,
                    "trial": item,
                    "item": given.items[item],
                    "donor": given.participants[donor] if stranger else "",
                    "pool": 0,
                    "block": 0,
                    "paraphrase": 0 if wordings is None else wordings[draw],
                    "history": "",
                    "presentation": "",
                    "elicitation": "likelihood",
                    "options": given.options[item],
                    "ordinal": True,
                    "response": given.options[item][given.position[person, item]],
                    "log_prob": predictions.log_prob[draw, person, item],
                    "log_prob_of_options": -nll,
                    "nll_low": nll,
                    "nll_high": nll,
                    "hit_low": hit(list(logs), given.position[person, item]),
                    "hit_high": hit(list(logs), given.position[person, item]),
                    "option_log_probs": tuple(logs),
                    "counts": (),
                    "floored": False,
                    "option_mass": 1.0,
                    "announcing": np.nan,
                    "status": "scored",
                    "reason": "",
                }
            )
    return pd.DataFrame(rows)


def crossed(
    people: int, items: int, spreads: tuple[float, float, float], rng: np.random.Generator
) -> tuple[Floats, Integers, Integers]:
    """Balanced values of mean 0.3, and the participant and item of each."""
    person, item = np.divmod(np.arange(people * items), items)
    effects = [
        rng.normal(0, s, n) for s, n in zip(spreads, (people, items, len(person)), strict=True)
    ]
    return 0.3 + effects[0][person] + effects[1][item] + effects[2], person, item
