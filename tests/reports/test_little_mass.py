"""Where models hardly ever say an option: no verdicts, and what they said instead is shown."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from rich.console import Console

from geppetto._util.errors import GeppettoError
from geppetto.evaluation.inference.verdicts import LEAST_MASS, WITHHELD
from geppetto.evaluation.results import Results
from geppetto.evaluation.unread import unread as raw
from geppetto.reports.terminal import result
from invented_replies import answers_of, replies_of, results_of, unread


def shown(found: Results) -> str:
    console = Console(width=300, no_color=True)
    with console.capture() as captured:
        console.print(result(found))
    return captured.get()


def of_mass(mass: float, said: str = "Okay, let me think.") -> Results:
    base = answers_of(1, people=80).assign(option_mass=mass)
    found = results_of({"next_token": base})
    outcome = "low option mass" if mass < 0.5 else "answered"
    replies = replies_of(base.assign(elicitation="next_token")).assign(outcome=outcome, text=said)
    return replace(found, completions=replies)


def test_verdicts_are_withheld_below_a_stated_option_mass() -> None:
    enough, little = of_mass(0.11), of_mass(0.09)
    assert LEAST_MASS == 0.1
    assert "positive" in {one.finding for one in enough.verdicts()}
    assert {one.outcome for one in little.verdicts()} == {WITHHELD}
    full = little.verdicts(measure="nll_full")
    assert "positive" in {one.finding for one in full}, "which is over all that can be said"
    told = shown(little)
    assert "options have 9.0% of the probability of what the model says" in told
    assert "Withheld: " in told


def test_raw_replies_are_shown_where_less_than_half_are_answers() -> None:
    told = shown(of_mass(0.3))
    assert "m · next_token: 0 of" in told
    assert "low option mass: 'Okay, let me think.'" in told
    assert "as they came" not in shown(of_mass(0.9))


def test_an_empty_reply_that_was_cut_is_told_apart_from_one_that_is_empty() -> None:
    replies = replies_of(answers_of(1, people=3)).assign(elicitation="samples", text="")
    cut = replies.assign(outcome="truncated", finish="length")
    assert raw(cut)[1:] == ["  truncated: nothing: the limit ended it while it was thinking"]
    assert raw(replies.assign(outcome="unparseable"))[1:] == ["  unparseable: nothing"]
    here = replies.assign(outcome="low option mass", completion_tokens=0)
    assert raw(here) == raw(pd.DataFrame()) == []


def test_where_nothing_could_be_scored_the_error_shows_what_was_said() -> None:
    base = answers_of(1, people=20)
    nothing = unread(base, pd.Series(True, base.index), "unparseable")
    replies = replies_of(nothing.assign(elicitation="samples")).assign(text="As I see it, 4.")
    found = replace(results_of({"samples": base}), answers=nothing, completions=replies)
    with pytest.raises(GeppettoError, match=r"unparseable \(120\)\n.*\n  unparseable: 'As I see"):
        found.verdicts()
