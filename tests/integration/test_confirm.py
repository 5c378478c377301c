"""The winner on people who had no part in its choice, and what it costs to look at them again."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.local import answer, unanswered
from geppetto.answers.store import AnswerStore
from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.inference.resampling import estimate, mean
from geppetto.evaluation.words import interval
from geppetto.experiment.looks import counted
from geppetto.experiment.results import evaluate
from geppetto.personas.library import load_strategy
from geppetto.planning.plan import Strategy
from geppetto.planning.prepared import Prepared
from geppetto.prompts.survey import Layout
from geppetto.search.confirm import (
    WINNER,
    Confirmation,
    check_confirmation,
    prepare_confirmation,
)
from geppetto.search.optimise import optimise, planned
from geppetto.search.prepare import PreparedSearch
from geppetto.search.result import SearchResult
from geppetto.search.scoring import Candidate
from invented_search import PLAIN, QUICK, prepared

REFERENCES = [{"interview": PLAIN}, {"known_answers": {"k": 3}}]


@pytest.fixture(autouse=True)
def no_baselines(monkeypatch: pytest.MonkeyPatch) -> None:
    """They take most of the time and have no part in this."""
    monkeypatch.setattr("geppetto.experiment.results.baseline_answers", lambda table, *_: table[:0])


def searched(
    workspace: Path, also: dict[str, Any] | None = None, **search: Any
) -> tuple[PreparedSearch, SearchResult]:
    also = QUICK | {"strategies": REFERENCES} | (also or {})
    asked = prepared(workspace, model=FakeModel(), also=also, trials=2, **search)
    return asked, optimise(asked, asked.scorer(AnswerStore.at(workspace / "answers.db")))


def confirm(asked: PreparedSearch, found: SearchResult) -> tuple[Prepared, Confirmation]:
    store = AnswerStore.at(asked.workspace / "answers.db")
    plan = prepare_confirmation(asked, found.winner)
    for _ in answer(asked.model, unanswered(plan, store)["fake"], store):
        pass
    names = tuple(each.label for each in plan.strategies if each.label != WINNER)
    results = counted(plan, evaluate(plan, store), asked.workspace, "confirmed")
    return plan, Confirmation(found, results, names, plan.plan.dropped)


def won_by(asked: PreparedSearch, found: SearchResult, name: str, **given: Any) -> SearchResult:
    """What was found, if another candidate had won."""
    rule = load_strategy(name, given, asked.workspace)
    return replace(found, winner=Candidate(Strategy(name, name, rule), Layout()))


def of_people(confirmation: Confirmation, strategy: str, objective: str) -> pd.Series:
    """Each test person's score, computed from the answers, in the order of resampling."""
    answers = confirmation.results.answers
    own, others = (
        answers[(answers["strategy"] == strategy) & (answers["arm"] == arm)]
        for arm in ("own", "shuffled")
    )
    log_prob, of_others = (
        each.groupby("participant")["log_prob_of_options"].mean() for each in (own, others)
    )
    right = pd.Series(
        [
            float(row["options"][int(np.argmax(row["option_log_probs"]))] == row["response"])
            for row in own.to_dict("records")
        ],
        own.index,
    )
    scores = {
        "tokens": own.groupby("participant")["tokens"].mean(),
        "accuracy": right.groupby(own["participant"]).mean(),
        "nll": -log_prob,
        "information": log_prob - of_others,
    }
    order = confirmation.results.predictions[0].responses.participants
    return scores[objective].loc[list(order)]


@pytest.mark.parametrize(
    "objective", [["information"], ["nll"], ["accuracy"], ["tokens"], ["nll", "information"]]
)
def test_every_number_is_that_of_the_answers(objective: list[str], tmp_path: Path) -> None:
    asked, found = searched(tmp_path, objective=objective, prune=None)
    plan, told = confirm(asked, found)
    assert tuple(plan.plan.participants) == found.test and set(found.test).isdisjoint(found.search)
    assert set(told.results.answers["participant"]) == set(found.test)
    first = objective[0]
    sign = 1 if first in ("information", "accuracy") else -1
    own = of_people(told, WINNER, first)
    assert told.confirmed.value == pytest.approx(own.mean())
    there = found.scores[first].loc[found.best[0]].mean()
    assert told.searched == pytest.approx(there)
    assert told.optimism == pytest.approx(sign * (there - own.mean()))
    people, text = told.results.resampling, "\n".join(told.sentences)
    costs = [of_people(told, name, "nll") for name in (*told.references, WINNER)]
    alone = [other - costs[-1] for other in costs[:-1]]
    assert len(told.versus) == len(alone) == 2
    p = multipletests(sign_flip_p(np.stack(alone, axis=1), people), method="holm")[1]
    for name, one, saved, corrected in zip(told.references, told.versus, alone, p, strict=True):
        expected = estimate(mean, saved.to_numpy(), people=people, method="studentised")
        assert one.nats.value == pytest.approx(saved.mean())
        assert (one.nats.low, one.nats.high) == pytest.approx((expected.low, expected.high))
        assert one.verdict.p_adjusted == pytest.approx(corrected)
        assert one.sentence in text and f"{name} (asked in the winner's layout)" in one.sentence
        score = sign * (own - of_people(told, name, first))
        assert told.beside(name).value == pytest.approx(score.mean())
        assert (f"{name}: {interval(told.beside(name))}" in text) == (first != "nll")
    assert ("no other beats in nll and information at once" in text) == (len(objective) > 1)
    assert told.conclusion in text


def test_a_winner_that_is_a_reference_is_asked_once(tmp_path: Path) -> None:
    asked, found = searched(tmp_path)
    plan = prepare_confirmation(asked, won_by(asked, found, "interview", **PLAIN).winner)
    assert [each.label for each in plan.strategies] == [WINNER, "known_answers(k=3)"]


@pytest.mark.parametrize("missing", ["own", "shuffled"])
def test_arms_that_cannot_confirm_are_refused(missing: str, tmp_path: Path) -> None:
    arms = [arm for arm in ("none", "shuffled", "own") if arm != missing]
    asked = prepared(tmp_path, model=FakeModel(), also={"arms": arms}, objective="information")
    with pytest.raises(GeppettoError) as raised:
        check_confirmation(asked)
    assert str(raised.value) == (
        f"arms: the winner's information is confirmed with the arm {missing}, which is not among "
        "them; add it"
    )
    likely = prepared(tmp_path, model=FakeModel(), also={"arms": arms})
    if missing == "shuffled":
        check_confirmation(likely)


def test_each_further_look_is_paid_for(tmp_path: Path) -> None:
    asked, found = searched(tmp_path, objective="nll", prune=None)
    _, first = confirm(asked, found)
    again = confirm(asked, found)[1]
    assert first.looks == again.looks == 1 and first.sentences == again.sentences
    second = confirm(asked, won_by(asked, found, "known_answers", k=2))[1]
    assert second.looks == 4  # the second analysis, at 5%/2²
    own, people = of_people(second, WINNER, "nll"), second.results.resampling
    later = replace(people, level=0.0125)
    wider = estimate(mean, own.to_numpy(), people=later, method="studentised")
    assert (second.confirmed.low, second.confirmed.high) == pytest.approx((wider.low, wider.high))
    alone = [of_people(second, name, "nll") - own for name in second.references]
    p = sign_flip_p(np.stack(alone, axis=1), people)
    holm = multipletests(p, method="holm")[1]
    for one, difference, corrected in zip(second.versus, alone, holm, strict=True):
        better = difference.to_numpy()
        assert one.verdict.p_adjusted == pytest.approx(min(1, 4 * corrected))
        wider = estimate(mean, better, people=later, method="studentised")
        assert one.nats.low == pytest.approx(wider.low)
    assert second.verdicts and all(verdict.looks == 4 for verdict in second.verdicts)
    assert (
        "This is the second analysis of some of these people, so p-values are multiplied by 4 (2²) "
        "and intervals hold 98.75%."
    ) in second.sentences
    assert confirm(asked, found)[1].looks == 1  # the first one stays the first
    declared, found = searched(tmp_path / "b", {"analysis": {"draws": 200, "looks": 4}})
    assert confirm(declared, found)[1].looks == 4


def test_people_who_were_chosen_on_are_never_test_people(tmp_path: Path) -> None:
    first, found = searched(tmp_path, objective="nll", prune=None)
    before = first.split
    first.choose(first.look(first.question, planned(first)))
    again = searched(tmp_path, objective="nll", prune=None)[0]
    assert again.split == before  # of the same search
    for seed in range(1, 4):
        other = prepared(tmp_path, model=FakeModel(), also={"name": "b"}, test=0.4, seed=seed)
        assert set(other.split.test) <= set(before.test)
        assert len(other.split.test) == pytest.approx(16, abs=1)
        everybody = {person.id for person in other.study.people.values()}
        assert set(other.split.search) | set(other.split.test) <= everybody
    other.choose(other.look(other.question, 7))
    with pytest.raises(GeppettoError) as raised:
        prepared(tmp_path, model=FakeModel(), also={"name": "c"}, seed=9)
    assert re.fullmatch(
        r"search: test: of 40 people 1[5-7] were never chosen on before, and only they can confirm "
        r"a winner, but 0.5 of all are to; take more `participants`, or a smaller share",
        str(raised.value),
    )
    assert confirm(first, found)[1].looks == 7  # on some of them was chosen before they confirmed


def test_a_search_that_begins_meanwhile_is_noticed(tmp_path: Path) -> None:
    one = prepared(tmp_path, model=FakeModel())
    other = prepared(tmp_path, model=FakeModel(), seed=1)
    other.choose(other.look(other.question, 3))
    with pytest.raises(GeppettoError, match="another search has just begun on people who were to"):
        one.choose(one.look(one.question, 3))


def test_test_people_whom_the_winner_cannot_describe_are_counted(tmp_path: Path) -> None:
    asked, found = searched(tmp_path, {"strategies": []})
    study = asked.study
    blank = found.test[:3]
    people = {
        name: replace(person, traits={}, responses=person.responses) if name in blank else person
        for name, person in study.people.items()
    }
    asked = replace(asked, study=replace(study, people=people))
    _, told = confirm(asked, won_by(asked, found, "interview", **PLAIN))
    assert set(told.dropped) == set(blank)
    assert (
        "Of 20 people kept for confirmation 3 could not take part: 3 without anything that winner "
        "could show." in told.sentences
    )
    assert np.isfinite(told.confirmed.value) and "for 17 others" in told.sentences[1]
