"""Options outside a scale's order count in accuracy and NLL, and in nothing that needs an order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import invented
from geppetto.evaluation.baselines.rows import _Everyone
from geppetto.evaluation.ceilings import reliability
from geppetto.evaluation.inference.resampling import Resampling
from geppetto.evaluation.metrics import cell_metrics
from geppetto.evaluation.predictions import Predictions, predictions
from geppetto.evaluation.responses import Responses
from geppetto.personas.average import average
from geppetto.personas.content import Scores
from geppetto.personas.visibility import Block
from geppetto.planning.plan import Condition
from geppetto.studies import Codebook, Scale, Study
from geppetto.studies.build import study_from_table
from geppetto.studies.check import check
from geppetto.studies.no_answer import ends_without_answer, says_no_answer
from geppetto.studies.problems import Problem, errors
from geppetto.studies.reference import response_share
from invented_twins import ANSWERS

AGREE = {1: "Agree", 2: "Neither", 3: "Disagree", 8: "Don't know"}
CODES = ("1", "2", "3", "8")


def book(**scale: object) -> Codebook:
    return invented.codebook(
        scales={"a": {"options": AGREE, **scale}},
        items=[{"name": f"q{n}", "text": f"{n}.", "scale": "a", "measures": "trust"} for n in "12"],
    )


def study(*rows: tuple[str, str], **scale: object) -> Study:
    frame = pd.DataFrame(
        [(f"p{n}", *row) for n, row in enumerate(rows)], columns=["id", "q1", "q2"], dtype=object
    )
    return study_from_table(book(**scale), frame.set_axis(range(2, len(rows) + 2), axis=0))


def said(problems: list[Problem]) -> str:
    return "\n".join(problem.message for problem in problems)


def test_a_scale_says_which_options_are_outside_its_order() -> None:
    scale = Scale(options=AGREE, outside=[8])
    assert (scale.ordered, scale.has_order) == (("1", "2", "3"), True)
    pair = Scale(options={1: "Yes", 2: "No", 9: "Refused"}, outside=[9], ordinal=False)
    assert pair.has_order
    for wrong in ({"outside": [7]}, {"outside": [1, 2, 3]}, {"ordinal": False, "outside": [8]}):
        with pytest.raises(ValidationError, match="outside"):
            Scale.model_validate({"options": AGREE} | wrong)


def test_an_end_that_says_dont_know_is_refused_until_it_is_declared() -> None:
    frame = pd.DataFrame(
        {"id": [f"p{n}" for n in range(6)], "q1": [*"123812"], "q2": [*"883121"]}, dtype=object
    ).set_axis(range(2, 8), axis=0)
    (problem,) = errors(check(book(), frame))
    assert (problem.column, problem.value) == ("scale a", "8")
    assert "`outside: [8]`" in problem.message
    assert errors(check(book(outside=()), frame)) == []
    found = check(book(outside=[8]), frame)
    assert errors(found) == []
    assert '3 responses say "Don\'t know", outside the order' in said(found)


@pytest.mark.parametrize(
    "label",
    [
        "Don't know",
        "DON’T KNOW",
        "Refused",
        "No answer",
        "Prefer not to say",
        "Not applicable",
        "N/A",
        "Cannot choose",
        "Weiß nicht",
        "Keine Angabe",
        "Ne sait pas",
        "No sabe/No contesta",
        "NS/NC",
        "Não sabe",
        "Non so",
        "Weet niet",
        "Vet ej",
        "Nie wiem",
        "Затрудняюсь ответить",
        "不知道",
        "わからない",
        "모르겠다",
        "Bilmiyorum",
        "(Don't know)",
        "DK",
        "I don't know",
    ],
)
def test_no_answer_is_recognised_in_many_languages(label: str) -> None:
    assert says_no_answer(label)
    assert ends_without_answer(Scale(options={1: "a", 2: "b", 3: label})) == ["3"]
    assert ends_without_answer(Scale(options={1: "a", 2: label, 3: "b"})) == []


@pytest.mark.parametrize(
    "label",
    [
        "Not at all",
        "Never",
        "No",
        "None",
        "Nothing",
        "Not important",
        "Nein",
        "Trifft nicht zu",
        "Nada",
        "Keine",
        "Nunca",
        "Nao",
        "Does not apply to me at all",
        "Non",
        "No opposition",
        "Nobody",
        "Not very much",
        "Disagree",
        "Decreased",
        "Namibia",
        "Notable",
        "Nicht",
        "Nie",
    ],
)
def test_a_low_step_is_not_taken_for_no_answer(label: str) -> None:
    assert not says_no_answer(label)


def test_shares_scores_and_medians_leave_them_out() -> None:
    one = study(("8", "8"), ("8", "3"), ("1", "3"), ("3", "8"), ("1", "1"), outside=[8])
    assert response_share(one, "q1", "3") == 1.0
    assert np.isnan(response_share(one, "q1", "8"))
    nobody, half, both = (one.people[f"p{n}"] for n in range(3))
    assert list(Scores().known(nobody, one)) == []
    assert [fact.value for fact in Scores().known(half, one)] == ["3.0"]
    (fact,) = Scores().known(both, one)
    assert (fact.label, fact.value) == ("trust score (1 to 3)", "2.0")
    # of q1, 1, 1 and 3 are in the order; nobody's is where all are outside
    assert average(list(one.people.values()), one).responses == {"q1": "1", "q2": "3"}
    assert average([nobody], one).responses == {"q1": "8", "q2": "8"}


def test_baselines_know_that_somebody_said_it() -> None:
    everyone = _Everyone.of(study(("8", "1"), ("3", "2"), ("1", "3"), outside=[8]))
    known = everyone.known(ANSWERS, Block(("q2",), ("q1",)))
    np.testing.assert_array_equal(known, [[np.nan, 1], [2, 0], [0, 0]])


def of(
    probabilities: list[list[float]], responses: str, outside: tuple[str, ...] = ("8",)
) -> Predictions:
    """What was predicted of one item of four options, by person."""
    count = len(responses)
    given = Responses(
        tuple(map(str, range(count))),
        ("q",),
        (CODES,),
        np.array([True]),
        np.array([[CODES.index(code)] for code in responses]),
        np.arange(count),
        np.ones(count),
        outside=(outside,) if outside else (),
    )
    logs = np.log(np.array(probabilities))[None, :, None, :]
    some = np.full((1, count, 1), -1.0)
    nobody = np.full((1, count), -1)
    return Predictions(given, Condition("m", "s", "own"), nobody[0], nobody, logs, some, some)


def test_metrics_of_order_are_those_of_the_steps_alone() -> None:
    """By hand: 0.2, 0.3, 0.1 of 0.6 are 1/3, 1/2, 1/6."""
    found = of([[0.2, 0.3, 0.1, 0.4]] * 3, "238")
    cells = cell_metrics(found)
    steps = np.array([1 / 3, 1 / 2, 1 / 6])
    expected = steps @ [0, 0.5, 1]
    np.testing.assert_allclose(found.expected[0, :, 0], [expected, expected, np.nan])
    rps = [((1 / 3) ** 2 + (1 / 6) ** 2) / 2, ((1 / 3) ** 2 + (5 / 6) ** 2) / 2, np.nan]
    np.testing.assert_allclose(cells["rps"][0, :, 0], rps)
    np.testing.assert_allclose(
        cells["score_error"][0, :, 0], [abs(expected - 0.5), 1 - expected, np.nan]
    )
    np.testing.assert_allclose(cells["nll"][0, :, 0], -np.log([0.3, 0.1, 0.4]))
    np.testing.assert_array_equal(cells["accuracy"][0, :, 0], [0, 0, 1])
    assert found.responses.left_out == 1


def test_what_is_outside_may_have_nearly_everything() -> None:
    found = of([[1e-300, 3e-300, 1e-320, 1.0]], "1")
    np.testing.assert_allclose(found.expected[0, 0, 0], 0.375)


def test_without_such_options_nothing_changes() -> None:
    ordered = of([[0.2, 0.3, 0.1, 0.4]], "8", outside=())
    np.testing.assert_allclose(ordered.expected[0, 0, 0], 0.3 / 3 + 0.2 / 3 + 0.4)
    assert ordered.responses.left_out == 0


def test_the_tidy_table_says_which_they_are() -> None:
    table = invented.as_table([of([[0.2, 0.3, 0.1, 0.4]] * 2, "28")])
    (before,) = predictions(table)
    (after,) = predictions(table.assign(outside=[("8",)] * 2))
    assert before.responses.outside == () and before.responses.left_out == 0
    assert after.responses.outside == (("8",),) and after.responses.left_out == 1


def test_ceilings_are_of_people_whose_answers_are_all_in_the_order() -> None:
    random = np.random.default_rng(1)
    codes = random.integers(0, 4, (60, 2))
    one = study(*[(CODES[a], CODES[b]) for a, b in codes], outside=[8])
    given = Responses(
        tuple(one.people),
        ("q1", "q2"),
        (CODES, CODES),
        np.array([True, True]),
        codes,
        np.arange(60),
        np.ones(60),
        outside=(("8",), ("8",)),
    )
    people = Resampling.of(60, draws=10)
    whole = reliability("trust", ("q1", "q2"), given, one, people)
    inside = (codes < 3).all(axis=1)
    assert whole.participants == inside.sum() < 60
    r = np.corrcoef(codes[inside].T)[0, 1]
    assert whole.split_half.value == pytest.approx(2 * r / (1 + r))
