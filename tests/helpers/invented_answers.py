"""Invented answers to sessions with known truths: what happens if somebody's persona is shown."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geppetto.elicitation.hits import hit
from geppetto.evaluation.arrays import Floats
from geppetto.evaluation.baselines.rows import baseline_answers
from geppetto.evaluation.results import Results
from geppetto.planning.analysis_config import Analysis
from geppetto.studies import Participant, Study
from geppetto.studies.sessions.session import Session, Span
from invented import circle, codebook


@dataclass(frozen=True)
class World:
    """A bandit of two arms whose letters are drawn for each person, and what personas do.

    Attributes
    ----------
    people, trials
        How many there are of each.
    information
        Logits that the own persona adds to the option that the person prefers.
    decay
        How much of `information` is left with each doubling of the position, as a factor.
    remembered
        How much of `information` is left once all of the person's choices can be read.
    quality
        Standard deviation of what a persona costs, in logits, whoever it is shown for.
    histories, presentations
        What is asked.
    donors
        How many strangers' personas are shown for each person.
    opened
        How many people have open responses.
    """

    people: int = 40
    trials: int = 24
    information: float = 0.0
    decay: float = 1.0
    remembered: float = 1.0
    quality: float = 0.0
    histories: tuple[str, ...] = ("all",)
    presentations: tuple[str, ...] = ("text",)
    donors: int = 3
    opened: int = 0


def study_of(world: World, rng: np.random.Generator) -> tuple[Study, Floats]:
    """The people and what each prefers: positive for the second letter of the alphabet."""
    names = [f"p{n:03}" for n in range(world.people)]
    preference = rng.permutation(np.arange(world.people) % 2) * 2.0 - 1
    people = {}
    for number, name in enumerate(names):
        letters = np.sort(rng.choice(list("ABCDEFGH"), 2, replace=False))
        chosen = rng.random(world.trials) < 1 / (1 + np.exp(-preference[number]))
        options = () if number < world.opened else tuple(letters.tolist())
        people[name] = Participant(name, {}, {}, session=_session(letters[chosen * 1], options))
    scale = {"two": {"options": {"1": "No", "2": "Yes"}}}
    book = codebook(scales=scale, items=[{"name": "q", "text": "q", "scale": "two"}])
    return Study(book.model_copy(update={"items": ()}), people, {}), preference


def _session(responses: NDArray[np.str_], options: tuple[str, ...]) -> Session:
    text, spans, trials = "Two machines.\n", [], []
    for response in responses:
        trials.append(len(text))
        text += "You press <<"
        spans.append(Span(len(text), len(text) + len(response), options))
        text += f"{response}>>.\n"
    return Session(text, tuple(spans), (*trials, len(text)))


def answers_of(
    world: World, study: Study, preference: Floats, rng: np.random.Generator
) -> pd.DataFrame:
    """What a model answers, without baselines."""
    names = list(study.people)
    people = np.arange(world.people)
    strangers = circle(world.people, tuple(range(1, world.donors + 1)), rng)
    costs = rng.normal(0, world.quality, world.people) if world.quality else np.zeros(world.people)
    shown = [("none", people, False), ("own", people, True)]
    shown += [("shuffled", donors, True) for donors in strangers]
    position = np.arange(1, world.trials + 1)
    rows = []
    for history in world.histories:
        kept = world.remembered if history == "all" else 1.0
        told = world.information * kept * world.decay ** np.log2(position)
        for presentation in world.presentations:
            for arm, donors, persona in shown:
                for person, donor in zip(people, donors, strict=True):
                    session = study.people[names[person]].session
                    assert session is not None
                    logit = (preference[donor] * told) * persona + rng.normal(0, 0.3, world.trials)
                    mass = -np.exp(costs[donor] * persona + rng.normal(-1, 0.2, world.trials))
                    for number, span in enumerate(session.spans):
                        response = session.responses[number]
                        letters = sorted(set(session.responses) | set(span.options))
                        over = -np.logaddexp(0, [logit[number], -logit[number]])
                        log_probs = over + mass[number]
                        real = log_probs[letters.index(response)]
                        right = hit(log_probs.tolist(), letters.index(response))
                        rows.append(
                            {
                                "participant": names[person],
                                "cluster": None,
                                "weight": 1.0,
                                "trial": number,
                                "item": str(number + 1),
                                "model": "m",
                                "strategy": "s" if persona else "none",
                                "arm": arm,
                                "donor": names[donor] if arm == "shuffled" else "",
                                "pool": 0,
                                "block": 0,
                                "paraphrase": 0,
                                "history": history,
                                "presentation": presentation,
                                "elicitation": "likelihood",
                                "options": span.options,
                                "ordinal": False,
                                "response": response,
                                "log_prob": real,
                                "log_prob_of_options": real - mass[number],
                                "nll_low": mass[number] - real if span.options else np.nan,
                                "nll_high": mass[number] - real if span.options else np.nan,
                                "hit_low": right if span.options else np.nan,
                                "hit_high": right if span.options else np.nan,
                                "option_log_probs": tuple(log_probs) if span.options else (),
                                "counts": (),
                                "floored": False,
                                "option_mass": np.exp(mass[number]) if span.options else np.nan,
                                "announcing": -2.0 if number == 0 else -0.01,
                                "status": "scored",
                                "reason": "",
                            }
                        )
    return pd.DataFrame(rows)


def results_of(world: World, seed: int = 0, analysis: Analysis | None = None) -> Results:
    """Results of an invented study of sessions."""
    rng = np.random.default_rng(seed)
    study, preference = study_of(world, rng)
    answers = answers_of(world, study, preference, rng)
    every = pd.concat([answers, baseline_answers(answers, study, [])], ignore_index=True)
    return Results("Is it so?", study, analysis or Analysis(draws=200), every, {"s": ()})
