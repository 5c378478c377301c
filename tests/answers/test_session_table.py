"""The table of answers to sessions, from scores and back to arrays."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geppetto.answers.session_table import session_answers_table
from geppetto.answers.table import COLUMNS
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.evaluation.predictions import predictions
from geppetto.planning.plan import Plan, PlannedAnswer
from geppetto.studies import Participant, Study
from geppetto.studies.sessions.session import Session, Span
from invented import codebook

TEXT = "You press <<B>>.\nYou say <<two words>>.\n"
SCORES = {
    "r1": OptionScores((-2.0, -1.0), (1, 1), 3, announcing=-0.5),
    "r2": OptionScores((-4.0,), (2,), 8, announcing=-5.0),
}


@pytest.fixture
def study() -> Study:
    """One person who pressed one of two keys, and then said something."""
    session = Session(TEXT, (Span(12, 13, ("A", "B")), Span(27, 36)), (0, 17, len(TEXT)))
    assert session.responses == ("B", "two words")
    scale = {"two": {"options": {"1": "No", "2": "Yes"}}}
    book = codebook(scales=scale, items=[{"name": "q", "text": "q", "scale": "two"}])
    person = Participant("a", {}, {}, cluster="pair", weight=2.0, session=session)
    return Study(book.model_copy(update={"items": ()}), {"a": person}, {})


def planned(item: str, response: str, request: str) -> PlannedAnswer:
    return PlannedAnswer(
        "a", item, response, "m", "none", "none", "", request, history="5", presentation="text"
    )


PLAN = Plan((planned("1", "B", "r1"), planned("2", "two words", "r2")), {}, {})


def test_the_table_is_computed_from_the_definition(study: Study) -> None:
    table = session_answers_table(PLAN, SCORES, study, "e")
    assert tuple(table.columns) == COLUMNS
    closed, opened = (row for _, row in table.iterrows())
    assert closed["item"] == "1" and closed["trial"] == 0 and closed["options"] == ("A", "B")
    assert closed["log_prob"] == -1.0 and closed["option_log_probs"] == (-2.0, -1.0)
    assert closed["log_prob_of_options"] == pytest.approx(-np.log1p(np.exp(-1)))
    assert closed["option_mass"] == pytest.approx(np.exp(-2) + np.exp(-1))
    assert closed["nll_low"] == closed["nll_high"] == -closed["log_prob_of_options"]
    assert np.isnan(opened["nll_low"]) and np.isnan(opened["nll_high"])
    assert closed["announcing"] == -0.5 and closed["tokens"] == 3
    assert opened["log_prob"] == -4.0 and opened["options"] == opened["option_log_probs"] == ()
    assert np.isnan(opened["log_prob_of_options"]) and np.isnan(opened["option_mass"])
    for row in (closed, opened):
        assert row["history"] == "5" and row["presentation"] == "text"
        assert row["elicitation"] == "likelihood" and row["status"] == "scored"
        assert row["cluster"] == "pair" and row["weight"] == 2.0 and not row["ordinal"]


def test_arrays_keep_open_and_closed_responses_apart(study: Study) -> None:
    (found,) = predictions(session_answers_table(PLAN, SCORES, study, "e"))
    given = found.responses
    assert given.of_sessions and given.items == ("1", "2") and given.options == ()
    assert given.choices.tolist() == [[2, 0]] and given.position.tolist() == [[1, 0]]
    assert given.answered.all()
    np.testing.assert_allclose(found.nll, [[[np.log1p(np.exp(-1)), np.nan]]])
    np.testing.assert_allclose(found.log_prob, [[[-1.0, -4.0]]])
    assert found.announcing is not None
    np.testing.assert_allclose(found.announcing, [[[-0.5, -5.0]]])


def test_a_number_that_is_not_finite_cannot_be_scored(study: Study) -> None:
    scores = SCORES | {"r2": replace(SCORES["r2"], log_probs=(-np.inf,))}
    table = session_answers_table(PLAN, scores, study, "e")
    assert table["status"].tolist() == ["scored", "unscorable"]
    assert "not finite" in table["reason"][1]


def test_what_does_not_belong_together_is_refused(study: Study) -> None:
    for wrong in (
        SCORES | {"r1": replace(SCORES["r1"], announcing=None)},
        SCORES | {"r1": replace(SCORES["r1"], log_probs=(-1.0,))},
        SCORES | {"r2": replace(SCORES["r2"], log_probs=(-1.0, -2.0))},
    ):
        with pytest.raises(ValueError, match="in a transcript"):
            session_answers_table(PLAN, wrong, study, "e")
    moved = Plan((planned("1", "A", "r1"),), {}, {})
    with pytest.raises(ValueError, match="response 1 of a is not 'A'"):
        session_answers_table(moved, SCORES, study, "e")


def test_plans_of_surveys_keep_their_hash() -> None:
    answer = PlannedAnswer("a", "q", "1", "m", "s", "own", "", "r")
    assert "history" not in answer.hashed and "presentation" not in answer.hashed
