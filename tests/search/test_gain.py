"""What one strategy predicts better than another, of answers whose truth is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from statsmodels.stats.multitest import multipletests

from geppetto.evaluation.inference.permutation import sign_flip_p
from geppetto.evaluation.results import Results
from geppetto.planning.analysis_config import Analysis
from geppetto.search.gain import Gain, gains
from invented_replies import answers_of, nearer, results_of, sharpened


def compared(analysis: Analysis | None = None, **strategies: pd.DataFrame) -> Results:
    """Results of several strategies about the same people and items."""
    first, *others = strategies
    rows = [strategies[first].replace({"strategy": {"s": first}})]
    for name in others:
        made = strategies[name]
        rows.append(made[made["strategy"] == "s"].assign(strategy=name))
    return results_of({"likelihood": pd.concat(rows)}, analysis or Analysis(draws=200))


def gain(found: Results, one: str, *others: str) -> list[Gain]:
    return gains(found, one, f"the {one}", {name: f"the {name}" for name in others})


def own_nll(found: Results, strategy: str) -> pd.Series:
    table = found.metrics(by="participant")
    own = table[(table["strategy"] == strategy) & (table["arm"] == "own")]
    return own.set_index("participant")["nll"].loc[list(found.responses.participants)]


def test_every_number_is_that_of_own_personas() -> None:
    plain = answers_of(1, people=60)
    found = compared(origin=plain, program=nearer(plain, 0.2), same=plain)
    told = gain(found, "program", "origin", "same")
    saved = [own_nll(found, name) - own_nll(found, "program") for name in ("origin", "same")]
    p = sign_flip_p(np.stack(saved, axis=1), found.resampling)
    for one, nll, corrected in zip(told, saved, multipletests(p, method="holm")[1], strict=True):
        assert one.nats.value == pytest.approx(nll.mean())
        assert one.verdict.p_adjusted == pytest.approx(corrected)
        assert one.verdict.effect.nats_per_person.value == pytest.approx(6 * nll.mean())
        assert "Holm over 2" in one.sentence
    assert told[0].nats.low > 0
    assert told[0].sentence.startswith(
        "By the NLL of own personas, on people who took no part, the program is better than the "
        "origin: +"
    )
    (other_way,) = gain(found, "origin", "program")
    assert "the origin is worse than the program: -" in other_way.sentence


def test_facts_that_are_used_too_strongly_are_no_gain_though_information_grows() -> None:
    plain = answers_of(2, people=80)
    found = compared(modest=plain, bold=sharpened(plain, 2.0))
    effects = found.effects().set_index(["effect", "strategy"])["nats"]
    assert effects["information", "bold"] > effects["information", "modest"] + 0.1
    (told,) = gain(found, "bold", "modest")
    assert "the bold is worse than the modest" in told.sentence


def test_nothing_is_better_while_its_interval_includes_zero() -> None:
    """Every combination of p and interval; only one of them is a difference."""
    plain = answers_of(3, people=150)
    (told,) = gain(compared(origin=plain, program=nearer(plain, 0.2)), "program", "origin")
    for p in (0.049, 0.066):
        for low in (-0.0043, 0.0043):
            nats = replace(told.nats, value=0.17, low=low, high=0.3429)
            effect = replace(told.verdict.effect, nats=nats)
            verdict = replace(told.verdict, effect=effect, p_adjusted=p, p_equivalent_adjusted=1.0)
            said = replace(told, verdict=verdict).sentence
            clear = p < 0.05 and low > 0
            assert ("the program is better than the origin:" in said) == clear
            assert ("it is open whether the program is better or worse" in said) == (not clear)


def test_a_program_that_changed_nothing_is_the_same() -> None:
    plain = answers_of(4, people=150)
    (told,) = gain(compared(origin=plain, program=plain), "program", "origin")
    assert told.nats.value == 0 and told.verdict.p_adjusted == 1
    assert "the program and the origin are the same to within" in told.sentence


def test_every_look_at_these_people_is_paid_for() -> None:
    plain = answers_of(5, people=60)
    better = nearer(plain, 0.2)
    once, thrice = (
        gain(compared(Analysis(draws=200, looks=looks), o=plain, p=better), "p", "o")[0]
        for looks in (1, 3)
    )
    assert thrice.verdict.p_adjusted == pytest.approx(min(1, 3 * once.verdict.p_adjusted))
    assert thrice.nats.low < once.nats.low
    assert np.isclose(thrice.nats.value, once.nats.value)
    assert "times 3 for looks at these people" in thrice.sentence
