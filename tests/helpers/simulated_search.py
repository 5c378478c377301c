"""Searches of an invented population in which it is known what every candidate is worth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import optuna
from numpy.typing import NDArray

from geppetto.evaluation.inference.resampling import Estimate, Resampling, estimate, mean
from geppetto.prompts.survey import Layout
from geppetto.search.optimise import optimise
from geppetto.search.optimism import SelectionOptimism, selection_optimism
from geppetto.search.prepare import PreparedSearch
from geppetto.search.scoring import BatchScores, Candidate
from geppetto.search.split import batches, split
from invented_search import in_memory, prepared

Floats = NDArray[np.float64]

TRAITS = {"answers": None, "scores": None, "placement": "task"}
STRATEGIES = [
    {"interview": TRAITS},
    {"biography": TRAITS},
    {"portrait": {**TRAITS, "seed": 0}},
    {"direct": TRAITS},
    {
        "known_answers": {
            "k": {"low": 1, "high": 20},
            "choose": "random",
            "scores": None,
            "placement": "task",
        }
    },
]
"""48 candidates without answers and 120 with them; each in three layouts."""

NEAR = 0.05
"""A candidate is near the best if it is worse by at most this share of the range of all."""

NOISE = 0.2
"""SD of the part of a score that is of one person and one candidate, in nats a response."""


@dataclass(frozen=True)
class World:
    """What is true of a population, and the few people of it whom a study has.

    Attributes
    ----------
    truth
        Expected score of each candidate for a person of the population, shape (candidates,).
    scores
        Score of each candidate for each person of the study, shape (candidates, people).
    """

    truth: Floats
    scores: Floats

    @property
    def span(self) -> float:
        return float(np.ptp(self.truth))

    def is_near(self, candidate: int) -> bool:
        return bool(self.truth.max() - self.truth[candidate] <= NEAR * self.span)


@dataclass(frozen=True)
class Simulated:
    """The space of `STRATEGIES` on so many people, prepared once and searched many times."""

    search: PreparedSearch
    candidates: tuple[Candidate, ...]

    @classmethod
    def of(cls, workspace: Path, people: int = 200) -> Simulated:
        """Half of the people are searched on, in batches of ten."""
        search = prepared(
            workspace, people, strategies=STRATEGIES, layout=["answer"], batch=10, trials=1
        )
        size = search.space.size
        assert size is not None
        points = [optuna.trial.FixedTrial(search.space.at(number)) for number in range(size)]
        found = [search.candidate(search.space.draw(point)) for point in points]
        return cls(search, tuple(found))

    @property
    def people(self) -> list[str]:
        return [*self.search.split.search, *self.search.split.test]

    def world(self, seed: int, equal: bool = False, noise: float = NOISE) -> World:
        """Some truth and some people, newly drawn.

        In nats a response. One of the five strategies is ahead, and there is a best number of
        answers, answer format and voice; wordings differ little. People differ in how much any
        persona tells of them (a gamma factor with SD 0.5), in all scores (SD 0.05), in those of a
        strategy (SD 0.05) and, independently, in those of every candidate (SD `noise`).

        Parameters
        ----------
        seed
            Of everything.
        equal
            Whether all candidates are worth the same, 0.1.
        noise
            What makes a candidate lucky.
        """
        rng = np.random.default_rng([7, seed])
        truth = self._truth(rng)
        if equal:
            truth[:] = 0.1
        size, people = len(self.candidates), len(self.people)
        names = [candidate.strategy.name for candidate in self.candidates]
        strategy = np.unique(names, return_inverse=True)[1]
        scores = (
            truth[:, None] * rng.gamma(4, 1 / 4, people)
            + rng.normal(0, 0.05, people)
            + rng.normal(0, 0.05, (strategy.max() + 1, people))[strategy]
            + rng.normal(0, noise, (size, people))
        )
        return World(truth, scores)

    def _truth(self, rng: np.random.Generator) -> Floats:
        names = sorted({candidate.strategy.name for candidate in self.candidates})
        ahead = dict(zip(names, rng.permutation([0.0, 0.02, 0.04, 0.06, 0.12]), strict=True))
        answer = dict(
            zip(("number", "label", "letter"), rng.permutation([0.04, 0.02, 0.0]), strict=True)
        )
        best_k, same = rng.integers(4, 18), rng.choice([-1, 1])
        voices = rng.permutation([0.0, 0.01, 0.02])
        other = rng.choice([-1, 1], 3)
        wording = {name: rng.normal(0, 0.003, 3) for name in names}
        found = []
        for candidate in self.candidates:
            rule = candidate.strategy.rule.model_dump()
            form = candidate.layout.answer
            value = ahead[candidate.strategy.name] + answer[form]
            value += wording[candidate.strategy.name][rule["paraphrase"]]
            match candidate.strategy.name:
                case "known_answers":
                    value += 0.06 * (1 - ((rule["k"] - best_k) / 10) ** 2)
                    value += 0.01 * same * (1 if rule["answer"] == "number" else -1)
                case "biography":
                    value += voices[("first", "second", "third").index(rule["voice"])]
                case "interview":
                    value += 0.01 * other[0] * (rule["question"] == "label")
                case "portrait":
                    value += 0.01 * other[1] * (rule["order"] == "random")
            found.append(value)
        truth = np.array(found) + rng.normal(0, 0.002, len(found))
        return np.asarray(truth - truth.min())


@dataclass
class Scripted:
    """Reads scores from a table; an answer that was asked for before is not asked for again."""

    simulated: Simulated
    world: World

    def __post_init__(self) -> None:
        self.rows = {key(each): row for row, each in enumerate(self.simulated.candidates)}
        self.columns = {name: column for column, name in enumerate(self.simulated.people)}
        self.known: set[tuple[int, str]] = set()

    def __call__(self, candidate: Candidate, people: Sequence[str]) -> BatchScores:
        row = self.rows[key(candidate)]
        new = {(row, person) for person in people} - self.known
        self.known |= new
        costs = {p: (-float(self.world.scores[row, self.columns[p]]),) for p in people}
        return BatchScores(costs, anew=len(new), reused=len(people) - len(new))


def key(candidate: Candidate) -> tuple[str, Layout]:
    return candidate.strategy.label, candidate.layout


@dataclass(frozen=True)
class Outcome:
    """One search of one world.

    Attributes
    ----------
    asked
        Share of the answers of all candidates for all people searched on that it asked for.
    regret
        By how much the winner is truly worse than the best, as a share of the range.
    near, best
        Whether it is near the best, see `NEAR`, and whether it is the best.
    truth
        What the winner is worth.
    searched, confirmed
        Its mean and interval on the people who chose it, and on others.
    selection_optimism
        What the search expects of its winner's luck; None with a single complete trial.
    repeats
        Share of its trials whose candidate had been tried before.
    good, given_up
        Candidates near the best that it tried, and how many of these were given up the first time.
    """

    asked: float
    regret: float
    near: bool
    best: bool
    truth: float
    searched: Estimate
    confirmed: Estimate
    selection_optimism: SelectionOptimism | None
    repeats: float = 0.0
    good: int = 0
    given_up: int = 0

    @property
    def optimism(self) -> float:
        return self.searched.value - self.truth


def holds(found: Estimate, truth: float) -> bool:
    return found.low <= truth <= found.high


def searched(
    simulated: Simulated,
    world: World,
    seed: int,
    draws: int = 2000,
    **settings: object,
) -> Outcome:
    """A search of a world by some settings, and its confirmation."""
    scorer = Scripted(simulated, world)
    with in_memory():
        found = optimise(_seeded(simulated.search, seed, settings), scorer)
    row = scorer.rows[key(found.winner)]
    number = {name: n for n, name in enumerate(simulated.people)}
    columns = [[number[name] for name in side] for side in (found.search, found.test)]
    labels = {(c.strategy.label, c.layout.answer): n for n, c in enumerate(simulated.candidates)}
    first: dict[int, str] = {}
    for trial in found.trials.to_dict("records"):
        candidate = labels[trial["strategy"], trial["parameters"]["layout"]["answer"]]
        first.setdefault(candidate, trial["state"])
    states = [state for candidate, state in first.items() if world.is_near(candidate)]
    complete = -found.scores["nll"].to_numpy()
    people = Resampling.of(complete.shape[1], draws=draws, seed=seed)
    return _outcome(
        world,
        row,
        columns,
        found.anew / (len(world.truth) * len(found.search)),
        selection_optimism(complete, people, "maximize"),
        draws,
        seed,
        repeats=1 - len(first) / len(found.trials),
        good=len(states),
        given_up=states.count("pruned"),
    )


def exhausted(simulated: Simulated, world: World, seed: int, draws: int = 2000) -> Outcome:
    """Every candidate asked for everybody in a world, and the best taken."""
    sides = _seeded(simulated.search, seed, {}).split
    number = {name: n for n, name in enumerate(simulated.people)}
    columns = [[number[name] for name in side] for side in (sides.search, sides.test)]
    scores = world.scores[:, columns[0]]
    people = Resampling.of(len(columns[0]), draws=draws, seed=seed)
    row = int(scores.mean(1).argmax())
    return _outcome(
        world, row, columns, 1.0, selection_optimism(scores, people, "maximize"), draws, seed
    )


def _outcome(
    world: World,
    row: int,
    columns: Sequence[Sequence[int]],
    asked: float,
    expected: SelectionOptimism | None,
    draws: int,
    seed: int,
    **counts: float,
) -> Outcome:
    of_search, of_test = (
        estimate(
            mean, world.scores[row, side], people=Resampling.of(len(side), draws=draws, seed=seed)
        )
        for side in columns
    )
    truth = float(world.truth[row])
    short = float(world.truth.max()) - truth
    return Outcome(
        asked=asked,
        regret=short / world.span if world.span else 0.0,
        near=world.is_near(row),
        best=short == 0,
        truth=truth,
        searched=of_search,
        confirmed=of_test,
        selection_optimism=expected,
        **counts,  # type: ignore[arg-type]  # its values have several types
    )


def _seeded(search: PreparedSearch, seed: int, settings: dict[str, object]) -> PreparedSearch:
    """The same search with another seed: other sides, batches and suggestions."""
    changed = search.settings.model_copy(update={**settings, "seed": seed})
    names = (*search.split.search, *search.split.test)
    people = [search.study.people[name] for name in names]
    sides = split(people, (), changed.test, seed)
    return replace(
        search,
        settings=changed,
        split=sides,
        batches=batches(sides.search, changed.batch, seed),
    )
