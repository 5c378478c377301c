"""Evidence for the search, where the truth is known: what it finds, its luck, its confirmation."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import optuna
import pandas as pd
import pytest
from numpy.typing import NDArray

from fake_model import FakeModel
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.models.token_tree import TokenTree
from geppetto.planning.config import Experiment
from geppetto.search.optimise import optimise
from geppetto.search.optimism import selection_optimism
from geppetto.search.prepare import prepare_search
from geppetto.search.result import SearchResult
from geppetto.search.run import search
from geppetto.studies import Study
from geppetto.studies.build import study_from_table
from invented import codebook
from invented_search import Invented, chance, prepared
from simulated_search import Outcome, Simulated, exhausted, holds, searched

RUNS = 20


@pytest.fixture(scope="module")
def simulated(tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return Simulated.of(tmp_path_factory.mktemp("simulated"))


@pytest.fixture(scope="module")
def everything(simulated: Simulated) -> list[Outcome]:
    """All candidates on everybody, in worlds that no other test looks at."""
    worlds = range(10_000, 10_300)
    return [exhausted(simulated, simulated.world(seed), seed, draws=500) for seed in worlds]


def share(held: list[bool]) -> float:
    return float(np.mean(held))


def test_confirmation_holds_the_truth_and_the_score_of_the_search_does_not(
    everything: list[Outcome],
) -> None:
    """95% within three standard errors of 300 runs, and far below."""
    assert 0.912 <= share([holds(run.confirmed, run.truth) for run in everything]) <= 0.988
    assert share([holds(run.searched, run.truth) for run in everything]) < 0.8
    confirmed = np.mean([run.confirmed.value - run.truth for run in everything])
    assert abs(confirmed) < 0.005


def test_the_luck_of_the_best_of_all_candidates_is_foreseen(everything: list[Outcome]) -> None:
    optimism = np.mean([run.optimism for run in everything])
    expected = np.mean(
        [run.selection_optimism.optimism for run in everything if run.selection_optimism]
    )
    assert optimism > 0.02
    assert optimism * 0.8 < expected < optimism * 1.4


def test_a_search_is_as_good_as_asking_everything_for_a_tenth_of_the_answers(
    simulated: Simulated,
) -> None:
    found, asked_all = [], []
    for seed in range(20_000, 20_000 + RUNS):
        world = simulated.world(seed)
        found.append(searched(simulated, world, seed, draws=500, trials=40))
        asked_all.append(exhausted(simulated, world, seed, draws=500))
    assert max(run.asked for run in found) < 0.1
    regret, of_all = (np.mean([run.regret for run in runs]) for runs in (found, asked_all))
    assert regret < of_all + 0.05 and of_all < 0.1
    assert share([holds(run.confirmed, run.truth) for run in found]) >= 0.8  # below: 3 in 1,000
    optimistic = [run for run in found if run.selection_optimism is not None]
    optimism = np.mean([run.optimism for run in optimistic])
    expected = np.mean(
        [run.selection_optimism.optimism for run in optimistic if run.selection_optimism]
    )
    assert optimism > 0.01 and abs(expected - optimism) < 0.012


def test_without_noise_a_search_finds_what_is_truly_near_the_best(simulated: Simulated) -> None:
    found = [
        searched(simulated, simulated.world(seed, noise=0.02), seed, draws=200, trials=60)
        for seed in range(8)
    ]
    assert share([run.near for run in found]) >= 0.75
    assert max(run.asked for run in found) < 0.1


def test_trials_of_the_best_candidate_are_not_tested_against_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tested = []
    should_prune = optuna.Trial.should_prune

    def watched(trial: optuna.Trial) -> bool:
        tested.append(trial.params == trial.study.best_trial.params)
        return should_prune(trial)

    monkeypatch.setattr(optuna.Trial, "should_prune", watched)
    one = [{"direct": {"answers": None, "scores": None, "placement": "task"}}]
    found = optimise(prepared(tmp_path, trials=12, strategies=one), Invented())
    assert found.trials["strategy"].nunique() == 3
    again = found.trials["strategy"] == found.winner.strategy.label
    assert again.sum() > 1 and set(found.trials["state"][again]) == {"complete"}
    assert tested and not any(tested)


def people(number: int, draws: int = 4000) -> Resampling:
    return Resampling.of(number, draws=draws, seed=1)


def test_the_luck_of_equals_is_that_of_a_simulation() -> None:
    """20 equal trials, 100 people: the best seems better by the largest of 20 normals, SD 0.1."""
    rng = np.random.default_rng(1)
    expected = rng.normal(0, 0.1, (20_000, 20)).max(1).mean()
    found = [
        selection_optimism(rng.normal(size=(20, 100)), people(100, 500), "maximize")
        for _ in range(100)
    ]
    assert np.mean([each.best_of_equals for each in found if each]) == pytest.approx(
        expected, rel=0.05
    )
    real = np.mean([rng.normal(size=(20, 100)).mean(1).max() for _ in range(2000)])
    assert real == pytest.approx(expected, rel=0.05)
    optimism = np.mean([each.optimism for each in found if each])
    assert optimism == pytest.approx(real, rel=0.15)
    assert np.mean([each.chosen_again for each in found if each]) < 0.5


def test_a_clear_winner_has_no_luck() -> None:
    scores = np.random.default_rng(2).normal(size=(20, 100))
    scores[7] += 5
    found = selection_optimism(scores, people(100), "maximize")
    assert found is not None
    assert abs(found.optimism) < 0.01
    assert found.chosen_again == 1
    assert found.best_of_equals == pytest.approx(0.187, abs=0.03)  # it is of equals all the same


def test_luck_counts_the_right_way() -> None:
    scores = np.random.default_rng(3).exponential(size=(10, 60))
    assert selection_optimism(-scores, people(60), "minimize") == selection_optimism(
        scores, people(60), "maximize"
    )
    up, down = (selection_optimism(scores, people(60), way) for way in ("maximize", "minimize"))
    assert up and down and up != down and up.optimism > 0 and down.optimism > 0
    assert selection_optimism(scores[:1], people(60), "maximize") is None


def test_luck_draws_whole_clusters() -> None:
    """Ten times the same person says no more than one, but people who count alone seem to."""
    scores = np.random.default_rng(4).normal(size=(10, 40))
    tenfold = np.repeat(scores, 10, axis=1)
    whole = Resampling.of(400, clusters=np.repeat(np.arange(40), 10), draws=4000, seed=1)
    one_each, in_clusters, alone = (
        selection_optimism(table, drawn, "maximize")
        for table, drawn in ((scores, people(40)), (tenfold, whole), (tenfold, people(400)))
    )
    assert one_each and in_clusters and alone
    for name in ("optimism", "best_of_equals", "chosen_again"):
        assert getattr(in_clusters, name) == pytest.approx(getattr(one_each, name), abs=1e-9)
    assert alone.best_of_equals < 0.5 * one_each.best_of_equals


ITEMS = ("amber", "birch", "cedar", "delta", "ember", "flint", "grove", "heron")
OPTIONS = 5
PLANTED = 3
TILTS = {"interview": 0.1, "biography": 0.2, "direct": 0.3}
"""By how many nats a persona makes its owner's response likelier than each other, on average."""
KNOWN_TILTS = {1: 0.4, 2: 0.6, PLANTED: 1.2, 4: 0.7}
"""The same of known answers, by how many are shown."""


class Reader(FakeModel):
    """Knows everybody by their number, and says a persona's owner's response as often as planned.

    So with responses that are independent and equally likely, a strategy's information is its
    tilt times the chance that two people respond differently, whoever is asked.
    """

    def __init__(self, study: Study) -> None:
        super().__init__("reader")
        self.owners = {str(int(p.traits["number"])): p for p in study.people.values()}

    def log_probs(self, tree: TokenTree) -> NDArray[np.float64]:
        self.decoded += len(set(tree.parents.tolist()) - {-1}) - tree.head
        found = np.full(len(tree.tokens), np.nan)
        for prompt in tree.options:
            text = self.text(tree, int(tree.parents[prompt[0][0]]))
            weights = self.weights(text)
            for (node,) in prompt:
                found[node] = np.log(weights[chr(tree.tokens[node])] / sum(weights.values()))
        return found

    @staticmethod
    def text(tree: TokenTree, node: int) -> str:
        path = []
        while node >= 0:
            path.append(int(tree.tokens[node]))
            node = int(tree.parents[node])
        return bytes(reversed(path)).decode()

    def weights(self, text: str) -> dict[str, float]:
        """Weight of each option at the end of a text."""
        weights = dict.fromkeys("12345"[:OPTIONS], 1.0)
        persona, asked = text.rsplit("Statement: ", 1)
        owner = re.search(r"\b1\d{3}\b", persona)
        if owner:
            item = next(item for item in ITEMS if item in asked)
            shown = sum(item in persona for item in ITEMS)
            tilt = KNOWN_TILTS[shown] if shown else TILTS[self.strategy(persona)]
            response = self.owners[owner.group()].responses[item]
            weights[response] = float(np.exp(tilt + 0.3 * chance(persona)))
        return weights

    @staticmethod
    def strategy(persona: str) -> str:
        if "Interviewer" in persona:
            return "interview"
        told = ("You are a person", "Act as somebody", "Respond as a person")
        return "direct" if any(words in persona for words in told) else "biography"


def numbered(people: int, seed: int) -> Study:
    """People who are known by a number, and whose responses are chance."""
    rng = np.random.default_rng(seed)
    scale = {str(n + 1): f"Option {n + 1}" for n in range(OPTIONS)}
    book = codebook(
        traits=[{"name": "number", "label": "number", "question": "What is your number?"}],
        scales={"five": {"options": scale}},
        items=[{"name": name, "text": f"The {name} one.", "scale": "five"} for name in ITEMS],
    )
    rows = [
        (f"p{n}", str(1000 + n), *(str(rng.integers(OPTIONS) + 1) for _ in ITEMS))
        for n in range(people)
    ]
    return study_from_table(book, pd.DataFrame(rows, columns=["id", "number", *ITEMS]))


@pytest.mark.usefixtures("few_folds", "no_figures")
def test_from_prompts_to_the_verdict_a_planted_strategy_is_found_and_confirmed(
    ready: Path,
) -> None:
    study = numbered(people=60, seed=5)
    plain: dict[str, Any] = {"answers": None, "scores": None, "placement": "task"}
    known = {
        "k": {"low": 1, "high": 4},
        "traits": ["number"],
        "choose": "random",
        "answer": "number",
        "seed": 0,
        "scores": None,
        "placement": "task",
    }
    experiment = Experiment.model_validate(
        {
            "name": "planted",
            "question": "Is what was planted found?",
            "study": "numbered",
            "participants": {"sample": 60, "seed": 0},
            "items": ITEMS[:4],
            "models": ["reader"],
            "strategies": [{"interview": {"paraphrase": 0}}],
            "arms": ["own", {"shuffled": {"donors": 9}}],
            "search": {
                "objective": "information",
                "strategies": [
                    *({name: plain} for name in ("interview", "biography", "direct")),
                    {"known_answers": known},
                ],
                "layout": ["order"],
                "trials": 20,
            },
        }
    )
    model = Reader(study)
    with (
        patch("geppetto.search.prepare.load_study", lambda *_: study),
        patch("geppetto.search.prepare.open_scorer", lambda *_: model),
    ):
        prepared = prepare_search(experiment, ready)
    found: list[SearchResult] = []
    confirmation = search(prepared, on_found=found.append)
    (result,) = found
    assert result.points == 2 * (6 + 9 + 3 + 12)
    assert result.winner.strategy.name == "known_answers"
    assert result.winner.strategy.rule.model_dump()["k"] == PLANTED
    assert result.exhaustive is not None and result.anew < 0.35 * result.exhaustive
    differ = 1 - 1 / OPTIONS
    assert holds(confirmation.confirmed, differ * KNOWN_TILTS[PLANTED])
    (versus,) = confirmation.versus
    better = differ * (KNOWN_TILTS[PLANTED] - TILTS["interview"])
    assert holds(confirmation.beside("interview(paraphrase=0)"), better)
    own = [np.log(np.exp(tilt) + OPTIONS - 1) - tilt for tilt in (0.1, KNOWN_TILTS[PLANTED])]
    assert versus.nats.value == pytest.approx(own[0] - own[1], abs=0.1)
    assert confirmation.confirmed.high - confirmation.confirmed.low < 0.3
    assert all(verdict.effect.nats.excludes_zero() for verdict in confirmation.verdicts)
    assert "information" in {each.effect.contrast.name for each in confirmation.verdicts}
