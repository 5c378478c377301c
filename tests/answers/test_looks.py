"""The ledger of looks: whoever analyses the same people again pays for it, however they hide it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.local import answer, unanswered
from geppetto.answers.looks import Kind, Look, LookStore
from geppetto.answers.store import AnswerStore
from geppetto.evaluation.looks import Looks, ordinal
from geppetto.evaluation.results import Results
from geppetto.experiment.looks import counted, standing
from geppetto.experiment.prepare import prepare
from geppetto.experiment.results import evaluate
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.config import Experiment
from geppetto.planning.elicited import by_likelihood
from geppetto.planning.prepared import Prepared
from geppetto.studies import Study, load_study


@pytest.fixture(autouse=True)
def no_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take most of the time and have no part in this."""
    monkeypatch.setattr("geppetto.experiment.results.baseline_answers", lambda table, *_: table[:0])


def look(question: str, people: str, candidates: int = 0, kind: Kind | None = None) -> Look:
    kind = kind or ("chosen on" if candidates else "run")
    return Look(question, kind, ("personas",), frozenset(people), "small", candidates)


def planned(workspace: Path, study: Study | None = None, **keys: Any) -> Prepared:
    experiment = {
        "name": "small",
        "question": "?",
        "study": "bfi",
        "participants": {"sample": 12, "seed": 1, "complete": True},
        "items": ["A1", "C1"],
        "models": ["fake"],
        "strategies": [{"interview": {"answers": None, "scores": None}}],
        "arms": ["none", {"shuffled": {"donors": 2}}, "own"],
        "analysis": {"draws": 200},
    }
    with (
        patch("geppetto.experiment.prepare.open_elicited", lambda *_: [by_likelihood(FakeModel())]),
        patch("geppetto.experiment.prepare.load_study", lambda *_: study or load_study("bfi")),
    ):
        return prepare(Experiment.model_validate(experiment | keys), workspace)


def analysed(prepared: Prepared, workspace: Path) -> Results:
    store = AnswerStore.of_workspace(workspace)
    for _ in answer(FakeModel(), unanswered(prepared, store)["fake"], store):
        pass
    return counted(prepared, evaluate(prepared, store), workspace, "run")


def test_looks_at_shared_people_are_counted_in_order(store_url: str) -> None:
    store = LookStore(store_url)
    assert store.before("a", "12") == [] and store.chosen_on("a", "12") == frozenset()
    assert store.keep(look("a", "12")) == []
    assert store.keep(look("a", "12")) == []  # the same is no further one
    (before,) = store.keep(look("b", "23", candidates=5))
    assert (before.kind, before.shared, before.candidates) == ("run", 1, 0)
    assert store.keep(look("c", "4")) == []
    found = store.keep(look("d", "1234"))
    assert [(past.kind, past.shared) for past in found] == [
        ("run", 2),
        ("chosen on", 2),
        ("run", 1),
    ]
    assert standing(found) == Looks(3, 5)
    assert standing(store.keep(look("a", "12"))) == Looks(1, 0)  # the first stays the first
    store.keep(look("b", "23", candidates=9))  # a search that goes on
    assert standing(store.before("", "3")) == Looks(2, 9)
    assert store.chosen_on("", "1234") == {"2", "3"} and store.chosen_on("b", "1234") == set()


def test_whoever_looks_at_once_is_in_an_order(store_url: str) -> None:
    def kept(number: int) -> int:
        return len(LookStore(store_url).keep(look(f"process {number}", "12")))

    with ThreadPoolExecutor(8) as threads:
        places = list(threads.map(kept, range(24)))
    assert sorted(places) == list(range(24))


def test_people_are_known_by_what_they_did(small_study: Study) -> None:
    people = list(small_study.people.values())
    prints = small_study.prints
    assert len(set(prints.values())) == len(people)
    renamed = {
        f"other {person.id}": replace(person, id=f"other {person.id}", cluster="x", weight=2.0)
        for person in people
    }
    codebook = small_study.codebook.model_copy(update={"name": "other"})
    other = replace(small_study, people=renamed, codebook=codebook)
    assert sorted(other.prints.values()) == sorted(prints.values())
    with_trait = {p.id: replace(p, traits={**p.traits, "income": 1.0}) for p in people}
    assert replace(small_study, people=with_trait).prints == prints
    twin = replace(people[0], id="twin")
    both = replace(small_study, people={**small_study.people, "twin": twin}).prints
    assert both["twin"] == both[people[0].id]
    older = replace(twin, traits={**twin.traits, "age": 99.0})
    both = replace(small_study, people={**small_study.people, "twin": older}).prints
    assert both["twin"] != both[people[0].id]  # who did the same differs by traits
    assert not set(prints) & set("".join(prints.values()).split())


def test_every_analysis_of_the_same_people_counts(tmp_path: Path) -> None:
    first = analysed(planned(tmp_path), tmp_path)
    assert first.looks == Looks() and first.analysis.looks == 1
    assert analysed(planned(tmp_path, name="renamed"), tmp_path).looks == Looks()
    biography = [{"biography": {"answers": None, "scores": None}}]
    second = analysed(planned(tmp_path, strategies=biography), tmp_path)  # forking paths
    assert second.looks == Looks(2) and second.analysis.looks == 4
    assert {verdict.looks for verdict in second.verdicts()} == {4}
    free = replace(second, analysis=first.analysis).verdicts()
    for one, paid in zip(free, second.verdicts(), strict=True):
        assert paid.p_adjusted == min(1, 4 * one.p_adjusted)
    assert ", times 4 for looks at these people" in second.verdicts()[0].correction
    grown = {"sample": 20, "seed": 1, "complete": True}
    third = analysed(planned(tmp_path, participants=grown), tmp_path)
    assert third.looks == Looks(3) and "the third analysis of some of these" in third.looks.sentence
    assert analysed(planned(tmp_path), tmp_path).looks == Looks()  # as it was told at first
    stated = analysed(planned(tmp_path, analysis={"draws": 200, "looks": 5}), tmp_path)
    assert stated.looks == Looks() and stated.analysis.looks == 5
    stricter = planned(tmp_path, analysis={"draws": 200, "smallest_effect": 0.1})
    assert analysed(stricter, tmp_path).looks == Looks(4)
    reseeded = planned(tmp_path, analysis={"draws": 200, "seed": 1})  # a seed can be searched, too
    assert analysed(reseeded, tmp_path).looks == Looks(5)


def test_another_study_name_and_other_ids_hide_nobody(tmp_path: Path) -> None:
    first = planned(tmp_path)
    analysed(first, tmp_path)
    study = first.study
    people = {f"x{n}": replace(p, id=f"x{n}") for n, p in enumerate(study.people.values())}
    copied = replace(
        study,
        codebook=study.codebook.model_copy(update={"name": "copied"}),
        people=people,
        reference=None,
    )
    before = {study.prints[name] for name in first.plan.participants}
    same = [name for name, one in copied.prints.items() if one in before]
    others = [name for name in people if name not in same][:8]
    for names, looks in ((others, Looks()), ([*others, same[0]], Looks(3)), (same, Looks(3))):
        some = replace(copied, people={name: people[name] for name in names})
        hidden = planned(tmp_path, some, participants={}, name="hidden")
        assert analysed(hidden, tmp_path).looks == looks


def test_a_winner_on_the_people_who_chose_it_pays_for_all_candidates(tmp_path: Path) -> None:
    prepared = planned(tmp_path)
    prints = frozenset(prepared.study.prints[name] for name in prepared.plan.participants[:3])
    chosen = Look("q", "chosen on", ("personas",), prints, "search", 30)
    LookStore.of_workspace(tmp_path).keep(chosen)
    found = analysed(prepared, tmp_path)
    assert found.looks == Looks(1, 30) and found.analysis.looks == 30
    assert found.looks.sentence == (
        "A choice among 30 candidates was made on some of these people, so p-values are multiplied "
        "by 30 and intervals hold 99.83%."
    )


def test_a_ledger_that_cannot_be_written_shows_no_verdict(tmp_path: Path) -> None:
    prepared = planned(tmp_path)
    with (
        patch.object(LookStore, "keep", side_effect=GeppettoError("no room")),
        pytest.raises(GeppettoError, match="no room"),
    ):
        analysed(prepared, tmp_path)


def test_what_looks_cost_is_said() -> None:
    assert Looks().sentence == "" and Looks().correct(Analysis()) == Analysis()
    assert [Looks(k).times for k in (1, 2, 3)] == [1, 4, 9] and Looks(2, 10).times == 40
    assert not Looks(11).decide_nothing and Looks(12).decide_nothing
    assert Looks(2, 10).sentence == (
        "This is the second analysis of some of these people and a choice among 10 candidates was "
        "made on some of them, so p-values are multiplied by 40 (2² x 10) and intervals hold "
        "99.88%."
    )
    assert "can only be decided on other people" in Looks(12).sentence
    assert Looks(3).correct(Analysis(looks=2)).looks == 18
    assert Looks(11).correct(Analysis()).draws == 200 * 121
    assert [ordinal(n) for n in (2, 3, 10, 11, 12, 21, 22, 111)] == [
        "second",
        "third",
        "tenth",
        "11th",
        "12th",
        "21st",
        "22nd",
        "111th",
    ]


def peeked(rng: np.random.Generator, runs: int) -> NDArray[np.float64]:
    """p of a mean that is zero, in samples that grow from 20 people to 100, (runs, analyses)."""
    values = rng.normal(size=(runs, 100))
    found = []
    for people in range(20, 101, 10):
        some = values[:, :people]
        t = some.mean(1) / (some.std(1, ddof=1) / np.sqrt(people))
        found.append(2 * stats.t.sf(np.abs(t), people - 1))
    return np.stack(found, 1)


def test_growing_a_sample_until_something_is_found_finds_nothing(tmp_path: Path) -> None:
    store = LookStore.at(tmp_path / "looks.db")
    names = [str(number) for number in range(100)]
    times = []
    for people in range(20, 101, 10):
        one = Look(f"{people}", "run", ("personas",), frozenset(names[:people]), "grown")
        times.append(standing(store.keep(one)).times)
    p = peeked(np.random.default_rng(1), 40_000)
    assert (p < 0.05).any(1).mean() == pytest.approx(0.170, abs=0.008)
    assert 0.05 < (p * times < 0.05).any(1).mean() < 0.0625
    assert (p * np.sqrt(times) < 0.05).any(1).mean() > 0.07  # by their number it would be too many
    independent = np.random.default_rng(2).random((40_000, 40))
    squares = np.array([Looks(number + 1).times for number in range(40)])
    assert (independent * squares < 0.05).any(1).mean() < 0.084


@pytest.mark.parametrize("candidates", [30, 100])
def test_a_choice_on_the_same_people_finds_nothing_after_correction(candidates: int) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(2000, candidates, 40))
    t = values.mean(2) / (values.std(2, ddof=1) / np.sqrt(40))
    best = 2 * stats.t.sf(t.max(1), 39)
    assert (best < 0.05).mean() > 0.5
    assert (best * Looks(1, candidates).times < 0.05).mean() < 0.04  # one side of 5%
