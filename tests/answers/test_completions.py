"""Rows of answers that were heard from models by requests, and rows of their replies."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from geppetto.answers import completions_table as replies_table_of
from geppetto.answers import table
from geppetto.answers.client import converse
from geppetto.answers.completions import CompletionStore
from geppetto.answers.completions_table import completions_table
from geppetto.answers.parsed import ParsedAnswer
from geppetto.answers.status import answer_status
from geppetto.answers.table import answers_table
from geppetto.elicitation.base import Elicitation, Question, Reading
from geppetto.elicitation.next_token import NextToken
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.elicitation.reasoned import Reasoned
from geppetto.elicitation.samples import Samples
from geppetto.elicitation.stated import Stated
from geppetto.evaluation.compliance import Compliance
from geppetto.models.budget import BudgetTracker
from geppetto.models.requests import Completion, Request, Token
from geppetto.planning.analysis_config import Analysis
from geppetto.planning.elicited import Elicited
from geppetto.planning.plan import Plan, PlannedAnswer
from geppetto.prompts.chat import Turn
from geppetto.studies import Study
from geppetto.tracking import completions as parsed
from invented_replies import answers_of, replies_of
from speaking import ScriptedModel

LOGS = tuple(np.log([0.1, 0.2, 0.4]).tolist())
SAID = Completion(
    text="2", model="m-0613", prompt_tokens=50, completion_tokens=3, cost=0.25, seconds=1.5
)
FAILED = Completion(finish="error", error="no answer", prompt_tokens=50, attempts=4)


def planned(item: str = "q2", elicitation: str = "samples", request: str = "r") -> PlannedAnswer:
    return PlannedAnswer("a", item, "2", "m", "s", "own", "", request, elicitation=elicitation)


def heard_of(reading: Reading, given: tuple[Completion, ...]) -> ParsedAnswer:
    return ParsedAnswer(reading, given, tuple(f"reply {n}" for n in range(len(given))))


def row_of(reading: Reading, given: tuple[Completion, ...], study: Study) -> pd.Series:
    plan = Plan((planned(),), {}, {})
    return answers_table(plan, {"r": heard_of(reading, given)}, study, "e").iloc[0]


def test_what_was_heard_is_a_row_with_its_label_its_bounds_and_what_it_took(
    small_study: Study,
) -> None:
    low = tuple(np.log([0.1, 0.2, 0.5]).tolist())
    high = tuple(np.log([0.3, 0.4, 0.7]).tolist())
    row = row_of(Reading(LOGS, low, high, ("answered",) * 2), (SAID, SAID), small_study)
    assert tuple(row.index) == table.COLUMNS
    assert (row["elicitation"], row["status"], row["reason"]) == ("samples", "scored", "")
    assert row["log_prob"] == pytest.approx(np.log(0.2))
    assert row["log_prob_of_options"] == pytest.approx(np.log(0.2 / 0.7))
    assert row["option_mass"] == pytest.approx(0.7)
    assert (row["nll_low"], row["nll_high"]) == pytest.approx((-np.log(0.4), -np.log(0.2)))
    assert (row["hit_low"], row["hit_high"]) == (0.0, 0.0), "another has at least 0.5 of it"
    assert (row["tokens"], row["cost"]) == (100, 0.5)
    low = tuple(np.log([0.1, 0.2, 0.4]).tolist())
    row = row_of(Reading(LOGS, low, high, ("answered",) * 2), (SAID, SAID), small_study)
    assert (row["hit_low"], row["hit_high"]) == (0.0, 1.0)
    tied = Reading((-1.0, -1.0, -2.0), (-1.0, -1.0, -2.0), (-1.0, -1.0, -2.0), ("answered",))
    row = row_of(tied, (SAID,), small_study)
    assert row["hit_low"] == row["hit_high"] == 0.5


def test_bounds_that_leave_nothing_open_are_the_nll_itself(small_study: Study) -> None:
    over = tuple((np.array(LOGS) - np.log(0.7) + 1e-13).tolist())
    row = row_of(Reading(LOGS, over, over, ("answered",)), (SAID,), small_study)
    assert row["nll_low"] == row["nll_high"] == -row["log_prob_of_options"]


def test_bounds_hold_an_estimate_that_samples_alone_would_not_allow(small_study: Study) -> None:
    low, high = (-np.inf, -0.7, -1.0), (-2.0, -0.5, -0.9)
    row = row_of(Reading(LOGS, low, high, ("answered",)), (SAID,), small_study)
    assert row["nll_low"] == 0.5 and row["nll_high"] == -row["log_prob_of_options"]


def test_what_cannot_be_read_is_a_row_that_says_why_and_what_it_could_be(
    small_study: Study,
) -> None:
    nothing = Reading((), (-np.inf,) * 3, (0.0,) * 3, ("refusal", "error", "refusal"))
    row = row_of(nothing, (SAID, FAILED, SAID), small_study)
    assert (row["status"], row["reason"]) == ("unscorable", "refusal, error")
    assert (row["nll_low"], row["nll_high"]) == (0.0, np.inf)
    assert (row["hit_low"], row["hit_high"]) == (0.0, 1.0)
    assert np.isnan(row["log_prob"]) and row["option_log_probs"] == ()
    assert np.isnan(row["cost"]), "the price of a failed request is not known"
    never = Reading((-1.0, -np.inf, -2.0), (-np.inf,) * 3, (0.0,) * 3, ("answered",))
    row = row_of(never, (SAID,), small_study)
    assert (row["status"], row["reason"], row["nll_high"]) == (
        "unscorable",
        "an option's log-probability is not finite",
        np.inf,
    )


def test_a_reading_of_other_options_is_refused(small_study: Study) -> None:
    with pytest.raises(ValueError, match="not of 3 options"):
        row_of(Reading((-1.0, -2.0), (-1.0,) * 2, (0.0,) * 2, ("answered",)), (SAID,), small_study)


def test_every_reply_is_a_row_and_what_was_scored_here_is_one_too(small_study: Study) -> None:
    answers = (planned(), planned("q3", "likelihood", "t"), planned("q4", "likelihood", "u"))
    reading = Reading((), (-np.inf,) * 3, (0.0,) * 3, ("answered", "error"))
    found = {
        "r": heard_of(reading, (SAID, FAILED)),
        "t": OptionScores(LOGS, (1, 1, 1), 40),
        "u": OptionScores((-2.0, -3.0, -3.0), (1, 1, 1), 40),
    }
    rows = completions_table(Plan(answers, {}, {}), found, small_study, "e")
    assert tuple(rows.columns) == replies_table_of.COLUMNS
    assert rows["outcome"].tolist() == ["answered", "error", "answered", "low option mass"]
    assert rows["sample"].tolist() == [0, 1, 0, 0]
    assert rows["request"].tolist() == ["r", "r", "t", "u"]
    assert rows["completion"].tolist() == ["reply 0", "reply 1", "t", "u"]
    assert rows["elicitation"].tolist() == ["samples"] * 2 + ["likelihood"] * 2
    assert rows["reported_model"].tolist() == ["m-0613", "", "m", "m"]
    assert rows["error"].tolist() == ["", "no answer", "", ""]
    assert rows["attempts"].tolist() == [1, 4, 1, 1]
    assert rows["cost"].isna().tolist() == [False, True, False, False]
    one = Reading(LOGS, LOGS, LOGS, ("answered",))
    with pytest.raises(ValueError, match="longer"):
        both = heard_of(one, (SAID, SAID))
        completions_table(Plan(answers[:1], {}, {}), {"r": both}, small_study, "e")


def test_a_reply_that_serves_several_answers_is_paid_for_once() -> None:
    found = replies_of(answers_of(1)).head(6).assign(completion=list("aabcdd"))
    found.loc[found["completion"] == "d", "cost"] = np.nan
    numbers = parsed.numbers(found.assign(attempts=[1, 1, 3, 1, 1, 1]))
    assert numbers["replies/count"] == 4
    assert numbers["replies/cost"] == pytest.approx(0.003)
    assert numbers["replies/without_price"] == 1
    assert numbers["replies/attempts_beyond_the_first"] == 2
    assert numbers["replies/outcome/answered"] == 4
    assert "replies/mean_seconds" not in parsed.numbers(found.assign(seconds=np.nan))
    assert parsed.numbers(pd.DataFrame()) == {}


class Brief(ScriptedModel):
    """A speaker that says the one token "2", for a cent."""

    async def completion(self, request: Request) -> Completion:
        self.requests.append(request)
        top = (("2", -0.1), ("1", -3.0), ("3", -4.0))
        token = Token(text="2", log_prob=-0.1, top=top)
        return Completion(
            text="2", tokens=(token,), prompt_tokens=9, completion_tokens=1, cost=0.01
        )


@pytest.mark.parametrize(
    ("one", "other", "paid"),
    [
        (Samples(k=2), Samples(k=5), 5),
        (Reasoned(then=Stated()), Reasoned(then=NextToken(top=5)), 1 + 2),
    ],
)
def test_a_reply_that_two_elicitations_read_is_paid_for_once(
    one: Elicitation, other: Elicitation, paid: int, small_study: Study, tmp_path: Path
) -> None:
    options = (("1", "never"), ("2", "often"), ("3", "always"))
    question = Question((Turn(role="user", content="How often?"),), "", options, options, "chat")
    text_model, store = Brief(lambda *_: ""), CompletionStore.of_workspace(tmp_path)
    found: dict[str, OptionScores | ParsedAnswer] = {}
    for label, elicitation in (("one", one), ("other", other)):
        way = Elicited(text_model, elicitation, label)
        converse(text_model, elicitation, {label: question}, store, BudgetTracker(), lambda _: None)
        found |= answer_status(way, {label: question}, store).parsed
    plan = Plan((planned("q2", "one", "one"), planned("q2", "other", "other")), {}, {})
    rows = completions_table(plan, found, small_study, "e")
    numbers = parsed.numbers(rows)
    assert len(text_model.requests) == numbers["replies/count"] == paid < len(rows)
    assert numbers["replies/cost"] == pytest.approx(0.01 * paid)
    assert set(rows["completion"]) == {each.id(text_model.identity) for each in text_model.requests}


def test_errors_and_what_was_filtered_whole_are_no_replies_without_a_price_or_a_time(
    small_study: Study,
) -> None:
    """A filter that hid what had been said, of a model without prices, is without one."""
    dear = Completion(text="2", prompt_tokens=9, seconds=3.0)
    given = (
        SAID,
        dear,
        FAILED,
        Completion(finish="filter"),
        Completion(finish="filter", prompt_tokens=9),
    )
    became = ("answered", "answered", "error", "filtered", "filtered")
    reading = Reading(LOGS, LOGS, LOGS, became)
    plan = Plan((planned(), planned()._replace(participant="b")), {}, {})
    rows = completions_table(plan, {"r": heard_of(reading, given)}, small_study, "e")
    numbers = parsed.numbers(rows)
    assert len(rows) == 2 * 5
    assert (numbers["replies/count"], numbers["replies/errors"]) == (4, 1)
    assert numbers["replies/without_price"] == 2
    assert rows["seconds"].isna().tolist() == [False, False, True, True, True] * 2
    assert numbers["replies/mean_seconds"] == pytest.approx((1.5 + 3.0) / 2)
    table = Compliance.of(rows, Analysis(draws=200)).to_frame().set_index("outcome")
    assert (table["replies"] == numbers["replies/count"]).all()
    assert (table["errors"] == numbers["replies/errors"]).all()
    assert table["count"].to_dict() == {"answered": 2, "filtered": 2, "error": 1}
    for outcome, count in table["count"].items():
        assert numbers[f"replies/outcome/{outcome}"] == count
