"""Nothing that is shown says "nan", "inf" or "None", whatever there is no number of."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from rich.console import Console, RenderableType

from geppetto.evaluation.baselines.rows import baseline_answers
from geppetto.evaluation.inference.resampling import Estimate
from geppetto.evaluation.results import Results
from geppetto.evaluation.words import interval, number, p_value, probability, ranged
from geppetto.planning.analysis_config import Analysis
from geppetto.reports import terminal
from geppetto.reports.power import power
from geppetto.reports.summary import summary
from geppetto.tracking.conditions import _effect_metrics, _row
from invented_answers import World
from invented_answers import results_of as of_sessions
from invented_pairs import lost_by, with_base
from invented_replies import answers_of, sharpened, unread
from invented_replies import results_of as of_replies
from invented_results import results_of as of_survey
from invented_results import study_of

NO_NUMBER = re.compile(r"(?<![A-Za-z])(nan|inf|None|NaN|NaT)(?![A-Za-z])")
QUICK = Analysis(draws=200)


def shown(what: RenderableType) -> str:
    console = Console(width=250)
    with console.capture() as capture:
        console.print(what)
    return capture.get()


def missing(text: str) -> list[str]:
    """Lines with a number that is none."""
    return [line for line in text.splitlines() if NO_NUMBER.search(line)]


def altered(change: Callable[[pd.DataFrame], pd.DataFrame], people: int = 12) -> Results:
    """A survey whose answers are changed."""
    answers = change(answers_of(1, people, 4))
    study = study_of(answers, "invented")
    every = pd.concat([answers, baseline_answers(answers, study, [])], ignore_index=True)
    return Results("Is it so?", study, QUICK, every, {"s": ()})


def alike(answers: pd.DataFrame) -> pd.DataFrame:
    """Everybody says the same, and every arm predicts the same."""
    logs = tuple(np.log([0.5, 0.5]).tolist())
    return answers.assign(
        response="1",
        option_log_probs=[logs] * len(answers),
        log_prob=logs[0],
        log_prob_of_options=logs[0],
        nll_low=-logs[0],
        nll_high=-logs[0],
    )


def one_donor(answers: pd.DataFrame) -> pd.DataFrame:
    return answers.drop_duplicates(["arm", "participant", "item"])


CASES: dict[str, Callable[[], Results]] = {
    "a usual survey": lambda: of_survey("a", 1, 0.2, 20, QUICK),
    "no variance": lambda: altered(alike),
    "one donor": lambda: altered(one_donor),
    "two people": lambda: altered(lambda a: a[a["participant"] < "p0002"], 12),
    "one item": lambda: altered(lambda a: a[a["item"] == "q0"]),
    "no persona alone": lambda: altered(lambda a: a[a["arm"] == "none"]),
    "own alone": lambda: altered(lambda a: a[a["arm"] == "own"]),
    "unread": lambda: of_replies(
        {
            "samples": unread(
                a := answers_of(2, 14, 4), (a["participant"] == "p0001") | (a["item"] == "q0")
            )
        },
        QUICK,
    ),
    "hardly any read": lambda: of_replies(
        {"samples": unread(a := answers_of(2, 14, 4), a["participant"] > "p0001")}, QUICK
    ),
    "an arm unread": lambda: of_replies(
        {
            "samples": unread(a := answers_of(2, 14, 4), (a["arm"] == "own") & (a["item"] != "q0")),
            "stated": sharpened(a, 2.0),
        },
        QUICK,
    ),
    "sessions": lambda: of_sessions(World(people=12, trials=8), analysis=QUICK),
    "sessions, one donor": lambda: of_sessions(
        World(people=12, trials=8, donors=1, histories=("0", "all")), analysis=QUICK
    ),
    "all open": lambda: of_sessions(World(people=10, trials=8, opened=10), analysis=QUICK),
    "all but one open": lambda: of_sessions(World(people=10, trials=8, opened=9), analysis=QUICK),
    "two people's sessions": lambda: of_sessions(
        World(people=2, trials=3, donors=1), analysis=QUICK
    ),
    "a pair": lambda: with_base(f := of_survey("a", 1, 0.2, 12, QUICK), lost_by(f, 0.05)),
    "a pair, no difference": lambda: with_base(
        f := of_survey("a", 1, 0.2, 12, QUICK), lost_by(f, 0.0, sd=0.0)
    ),
    "a pair of open sessions": lambda: with_base(
        f := of_sessions(World(people=10, trials=6, opened=10), analysis=QUICK), lost_by(f, 0.05)
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_results_show_no_number_that_is_none(case: str) -> None:
    found = CASES[case]()
    text = shown(terminal.result(found))
    said = [verdict.sentence for verdict in found.verdicts()]
    said += [verdict.bounds.sentence("nats") for verdict in found.verdicts() if verdict.bounds]
    assert missing(text + "\n" + "\n".join(said)) == []
    for verdict in found.verdicts():
        assert all(map(math.isfinite, _effect_metrics(verdict, "x").values()))
    assert missing(shown(summary(found))) == []
    for condition in found.conditions:
        assert all(map(math.isfinite, _row(found.metrics(), condition).values()))


def test_studies_together_show_no_number_that_is_none() -> None:
    usual, same = of_survey("a", 1, 0.2, 12, QUICK), altered(alike)
    for others in ([usual], [replace(same, study=replace(same.study))], [CASES["all open"]()]):
        assert missing(shown(terminal.pooled([of_survey("b", 2, 0.2, 12, QUICK), *others]))) == []


@pytest.mark.parametrize(("people", "groups"), [(1, 1), (2, 2), (3, 2), (100, 5)])
def test_power_shows_no_number_that_is_none(people: int, groups: int) -> None:
    assert missing(shown(power(people, groups, 0.02, [0.0, 0.1]))) == []


def test_numbers_are_shown_as_dashes_or_signs() -> None:
    nothing = Estimate(math.nan, math.nan, math.nan)
    assert number(math.nan, ".3f") == ranged(nothing, ".0%") == interval(nothing) == "–"
    assert interval(Estimate(0.1, math.nan, math.nan)) == "+0.1000 [–, –]"
    assert ranged(Estimate(0.5, -math.inf, math.inf), "+.1f") == "+0.5 [-∞, +∞]"
    assert probability(math.nan) == "–" and p_value(math.nan) == "no p"
    assert p_value(0.0123) == "p = .012"
