"""The search: what it finds, and that neither kills nor second processes change what it finds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import optuna
import pytest
from optuna.trial import TrialState
from rich.console import Console

from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.store import AnswerStore
from geppetto.answers.table import answers_table
from geppetto.personas.arms import Own, Shuffled
from geppetto.personas.library import load_strategy
from geppetto.planning.build import make_plan
from geppetto.planning.elicited import by_likelihood
from geppetto.planning.plan import Strategy
from geppetto.prompts.survey import Layout
from geppetto.search import terminal as shown
from geppetto.search.optimise import open_study, optimise
from geppetto.search.scoring import BatchScores, Candidate, InfeasibleError, ModelScorer
from geppetto.tracking import params
from invented_search import PLAIN, TRAITS_ONLY, Invented, Stopping, in_memory, outcome, prepared
from search_command import FILE, command

SAMPLERS: list[dict[str, Any]] = [
    {"sampler": "tpe", "trials": 13},
    {"sampler": "random", "trials": 8},
    {"sampler": "nsga2", "trials": 12},
    {"sampler": "grid", "trials": 8, "strategies": TRAITS_ONLY},
]


@pytest.fixture
def memory() -> Iterator[None]:
    """Trials are kept in memory, where nothing of the database is tested."""
    with in_memory():
        yield


@pytest.mark.usefixtures("memory")
def test_the_planted_best_is_found_and_hopeless_trials_are_given_up(tmp_path: Path) -> None:
    search = prepared(tmp_path, trials=25)
    seen: list[optuna.trial.FrozenTrial] = []
    found = optimise(search, Invented(), seen.append)
    assert found.winner.strategy.name == "known_answers"
    assert 12 <= found.winner.strategy.rule.model_dump()["k"] <= 18
    assert found.ended == "all 25 trials were made"
    assert [trial.user_attrs["place"] for trial in seen] == list(range(25))
    trials = found.trials
    assert list(trials["number"]) == list(range(25)) and set(trials["state"]) == {
        "complete",
        "pruned",
    }
    pruned = trials[trials["state"] == "pruned"]
    assert (pruned["people"] < len(search.split.search)).all() and (pruned["people"] >= 5).all()
    best = trials[trials["state"] == "complete"]["nll"].min()
    winner = trials.set_index("number").loc[found.best[0]]
    assert winner["nll"] == best and winner["strategy"] == found.winner.strategy.label
    late = trials.tail(12)["strategy"].str.startswith("known_answers")
    assert late.mean() > 0.6  # what was learnt is used


@pytest.mark.usefixtures("memory")
def test_everybodys_scores_are_kept(tmp_path: Path) -> None:
    search = prepared(tmp_path, trials=3, prune=None)
    found = optimise(search, Invented())
    expected = dict(Invented()(found.winner, search.split.search).scores)
    scores = found.scores["nll"]
    assert list(scores.index) == [0, 1, 2] and list(scores.columns) == list(search.split.search)
    assert scores.loc[found.best[0]].to_dict() == {p: v for p, (v,) in expected.items()}
    assert scores.mean(axis=1).tolist() == pytest.approx(found.trials["nll"].tolist())
    assert set(found.search).isdisjoint(found.test)


@pytest.mark.usefixtures("memory")
def test_several_objectives_have_a_front(tmp_path: Path) -> None:
    search = prepared(tmp_path, trials=15, objective=["nll", "tokens"], prune=None)

    def scorer(candidate: Candidate, people: Sequence[str]) -> BatchScores:
        if candidate.strategy.name == "biography":
            raise InfeasibleError("it does not please")
        return Invented(objectives=2)(candidate, people)

    found = optimise(search, scorer)
    complete = found.trials[found.trials["state"] == "complete"].set_index("number")
    infeasible = found.trials[found.trials["state"] == "infeasible"]
    assert len(complete) + len(infeasible) == 15 and len(infeasible)
    assert set(infeasible["reason"]) == {"it does not please"}
    assert complete.loc[found.best[0], "nll"] == complete["nll"].min()
    for number, row in complete.iterrows():
        beaten = (
            (complete["nll"] <= row["nll"])
            & (complete["tokens"] <= row["tokens"])
            & ((complete["nll"] < row["nll"]) | (complete["tokens"] < row["tokens"]))
        )
        if number in found.best:
            assert not beaten.any()
    expected = Invented(objectives=2)(found.winner, search.split.search).scores
    for place, name in enumerate(found.objectives):
        assert found.scores[name].loc[found.best[0]].to_dict() == {
            person: values[place] for person, values in expected.items()
        }


@pytest.mark.usefixtures("memory")
def test_a_grid_tries_every_candidate_once(tmp_path: Path) -> None:
    search = prepared(tmp_path, trials=99, sampler="grid", strategies=TRAITS_ONLY, prune=None)
    found = optimise(search, Invented())
    assert search.space.size == 12 + 18 == len(set(found.trials["strategy"])) == len(found.trials)
    assert found.ended == "all 30 candidates were tried"
    assert found.exhaustive == found.anew == 30 * 20
    with pytest.raises(GeppettoError, match="search: sampler: a grid needs finitely many"):
        (tmp_path / "personas").mkdir()
        (tmp_path / "personas" / "warm.py").write_text(
            "from pydantic import Field\n"
            "from geppetto.personas import PersonaStrategy\n"
            "class Warm(PersonaStrategy):\n"
            "    warmth: float = Field(0, ge=0, le=1)\n"
            "    def write(self, participant, study): return 'Warm.'\n"
        )
        prepared(tmp_path, sampler="grid", strategies=["warm"])


@pytest.mark.parametrize("settings", SAMPLERS, ids=lambda settings: settings["sampler"])
def test_an_interruption_changes_nothing(
    settings: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("planning.search_config", "search.samplers"):
        monkeypatch.setattr(f"geppetto.{module}.POPULATION", 4)
    with in_memory():
        whole = optimise(prepared(tmp_path / "whole", people=20, **settings), Invented())
    search = prepared(tmp_path / "stopped", people=20, **settings)
    for calls in (1, 0, 3, 4):
        with pytest.raises(RuntimeError, match="the power is gone"):
            optimise(search, Stopping(calls))
    stopped = optimise(search, Invented())
    assert outcome(stopped) == outcome(whole)
    states = [trial.state for trial in open_study(search).trials]
    assert states.count(TrialState.FAIL) == 4


def test_more_trials_go_on_with_the_same_search(tmp_path: Path) -> None:
    few = optimise(prepared(tmp_path, trials=4), Invented())
    more = optimise(prepared(tmp_path, trials=9), Invented())
    assert few.name == more.name
    assert outcome(more)["trials"][:4] == outcome(few)["trials"]
    with in_memory():
        at_once = optimise(prepared(tmp_path / "other", trials=9), Invented())
    assert outcome(at_once) == outcome(more)


@pytest.mark.parametrize(
    "changed",
    [{"seed": 1}, {"batch": 6}, {"objective": "information"}, {"test": 0.4}, {"prune": None}],
)
def test_another_search_has_another_name(changed: dict[str, Any], tmp_path: Path) -> None:
    name = prepared(tmp_path).name
    assert name.startswith("invented-") and len(name) == len("invented-") + 8
    assert prepared(tmp_path, **changed).name != name
    same: dict[str, Any] = {"trials": 99, "minutes": 5.0, "tokens": 9, "storage": "sqlite:///x.db"}
    assert prepared(tmp_path, **same).name == name


@pytest.mark.usefixtures("memory")
def test_budgets_end_a_search_and_say_so(tmp_path: Path) -> None:
    found = optimise(prepared(tmp_path, tokens=1000, prune=None), Invented())
    assert len(found.trials) == 3  # of four batches, each of 100 tokens
    assert found.ended == "the budget of 1,000 tokens was spent (1,200)"
    found = optimise(prepared(tmp_path, seed=1, minutes=0.001), Invented(seconds=0.1))
    assert len(found.trials) == 1
    assert found.ended == "the budget of 0.001 minutes was spent"


@pytest.mark.usefixtures("memory")
def test_infeasible_candidates_are_counted_and_never_win(tmp_path: Path) -> None:
    def scorer(candidate: Candidate, people: Sequence[str]) -> BatchScores:
        if candidate.strategy.name == "known_answers":
            raise InfeasibleError("too long")
        return Invented()(candidate, people)

    found = optimise(prepared(tmp_path, trials=18), scorer)
    infeasible = found.trials["state"] == "infeasible"
    assert len(found.trials) == 18 and found.winner.strategy.name != "known_answers"
    assert set(found.trials["reason"][infeasible]) == {"too long"}
    assert infeasible.head(10).any() and infeasible.tail(8).mean() < 0.3


def test_a_search_of_nothing_but_infeasible_candidates_stops(tmp_path: Path) -> None:
    def scorer(candidate: Candidate, people: Sequence[str]) -> BatchScores:
        raise InfeasibleError("it cannot be asked")

    for _ in range(2):  # again at once, from what is stored
        with pytest.raises(GeppettoError, match=r"none of 10 candidates .* it cannot be asked; "):
            optimise(prepared(tmp_path, trials=30), scorer)
    with pytest.raises(GeppettoError, match="none of 2 candidates"):
        optimise(prepared(tmp_path / "few", trials=2), scorer)


def scorer_of(search: Any, store: Path) -> ModelScorer:
    found: ModelScorer = search.scorer(AnswerStore.at(store / "answers.db"))
    return found


def test_information_is_what_own_saves_over_everybody_else_of_the_batch(tmp_path: Path) -> None:
    search = prepared(
        tmp_path,
        model=FakeModel(),
        objective=["information", "nll", "tokens", "accuracy"],
        prune=None,
    )
    scorer = scorer_of(search, tmp_path)
    batch = search.batches[0]
    for name, parameters in (("interview", {}), ("known_answers", {"k": 1})):
        rule = load_strategy(name, parameters, tmp_path)
        candidate = Candidate(Strategy(name, name, rule), Layout())
        found = scorer(candidate, batch)
        assert scorer(candidate, batch) == replace(
            found, anew=0, computed=0, reused=found.anew + found.reused
        )
        plan = make_plan(
            search.study,
            [search.study.people[person] for person in batch],
            search.items,
            [candidate.strategy],
            [Own(), Shuffled(donors=len(batch) - 1)],
            Layout(),
            [by_likelihood(search.model)],
        )
        prompts = plan.prompts["fake"]
        assert found.anew == len(prompts) <= len(batch) * len(search.items)
        table = answers_table(plan, scorer.store.get(prompts), search.study, "x")
        nll = (-table["log_prob_of_options"]).groupby([table["participant"], table["arm"]]).mean()
        for person, (information, own, tokens, accuracy) in found.scores.items():
            assert own == pytest.approx(nll[person, "own"])
            assert information == pytest.approx(nll[person, "shuffled"] - nll[person, "own"])
            rows = table[(table["participant"] == person) & (table["arm"] == "own")]
            assert tokens == rows["tokens"].mean() and 0 <= accuracy <= 1


def test_a_model_is_asked_once_for_every_prompt(tmp_path: Path) -> None:
    model = FakeModel()
    settings: dict[str, Any] = {"model": model, "people": 16, "trials": 6, "prune": None}
    search = prepared(tmp_path, **settings)
    found = optimise(search, scorer_of(search, tmp_path))
    assert found.tokens == model.decoded == found.trials["computed"].sum()
    assert outcome(optimise(prepared(tmp_path, **settings), Stopping(0))) == outcome(found)
    elsewhere = prepared(tmp_path, **settings, storage=f"sqlite:///{tmp_path}/2.db")
    repeated = optimise(elsewhere, scorer_of(search, tmp_path))
    assert repeated.anew == repeated.tokens == 0 and outcome(repeated) == outcome(found)


@pytest.mark.usefixtures("memory")
def test_people_who_cannot_be_described_make_a_candidate_infeasible(tmp_path: Path) -> None:
    search = prepared(
        tmp_path,
        model=FakeModel(),
        trials=8,
        strategies=[{"interview": {**PLAIN, "traits": {"subset": ["age"]}}}],
    )
    scorer = scorer_of(search, tmp_path)
    rule = load_strategy("interview", {"traits": []}, tmp_path)
    candidate = Candidate(Strategy("interview", "interview", rule), Layout())
    with pytest.raises(InfeasibleError, match="without anything that interview could show"):
        scorer(candidate, search.batches[0])
    found = optimise(search, scorer)
    shown = found.trials["parameters"].map(lambda parameters: bool(parameters["traits"]))
    assert ((found.trials["state"] == "infeasible") == ~shown).all() and shown.nunique() == 2


def test_writers_behind_an_interface_are_declared_beside_the_model_that_is_searched_for(
    tmp_path: Path,
) -> None:
    typist = {"name": "typist", "model": "openai/gpt", "api_base": "http://127.0.0.1:9/v1"}
    search = prepared(tmp_path, model=FakeModel(), also={"models": [typist, "fake"]})
    assert search.model.identity.name == "fake"
    writer = search.writers.model("typist").identity
    assert writer.of_completions["api_base"] == "http://127.0.0.1:9/v1"
    console = Console(width=200, record=True)
    console.print(shown.plan(search))
    assert "typist answers nothing: it may only write personas" in console.export_text()
    with pytest.raises(GeppettoError, match="only local models"):
        prepared(tmp_path, also={"models": [typist]})


def test_a_password_of_a_storage_is_in_nothing_that_is_logged(tmp_path: Path) -> None:
    for storage in (
        "postgresql://me:Canary%2F77@db.example/searches",
        "postgresql://db.example/searches?user=me&password=Canary%2F77",
        "Canary%2F77 is no address",
    ):
        search = prepared(tmp_path, model=FakeModel(), storage=storage)
        logged = str(params.settings(search.experiment))
        assert "Canary" not in logged and "storage" in logged
        written = f"search: {{storage: '{storage}'}}\n# mine".encode()
        experiment = search.experiment.model_copy()
        experiment._written = written
        logged = str(params.own_file(experiment))
        assert "Canary" not in logged and "# mine" in logged
        experiment._written = written.replace(b"Canary", rb"Can\x61ry")
        assert params.own_file(experiment) is None


@pytest.mark.parametrize(
    ("name", "changed", "words"),
    [
        ("run", ("", ""), "x.yaml: this file has a search; run `geppetto search` with it"),
        ("plan", ("", ""), "this file has a search"),
        ("search", ("models: [fake]", "models: [fake, b]"), "models: a search is for one model"),
        ("search", ("  trials: 4", "  trails: 4"), "unknown key 'trails' in x.yaml, line 12"),
        ("search", ("trials: 4", "trials: four"), "line 12: search.trials: Input should be"),
        ("search", ("low: 2", "low: 0"), "strategy 'known_answers': k: low is 0; input should be"),
        ("search", ("- interview:", "- intervew:"), "unknown strategy 'intervew'"),
        ("search", ("sample: 16", "sample: 3"), "search: test: 2 of 3 people"),
        ("search", ("batch: 4", "storage: nonsense"), "search: storage cannot be opened"),
        (
            "search",
            (FILE[FILE.index("search:") :], "strategies: [interview]\narms: [own]"),
            "this file has no search; run `geppetto run` with it",
        ),
        ("run", (FILE[FILE.index("search:") :], ""), "strategies: name at least one"),
    ],
)
def test_what_a_search_refuses(
    name: str,
    changed: tuple[str, str],
    words: str,
    workspace: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    refused = command(name, FILE.replace(*changed), workspace, monkeypatch)
    assert isinstance(refused.exception, GeppettoError)
    assert words in str(refused.exception)
