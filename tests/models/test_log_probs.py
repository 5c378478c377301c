"""What can be a log-probability, and what servers write instead."""

import numpy as np
import pytest

from geppetto.models.log_probs import fault, fault_of_alternatives
from geppetto.models.requests import Token


def token(*top: tuple[str, float]) -> Token:
    return Token(text=top[0][0], log_prob=top[0][1], top=top)


@pytest.mark.parametrize("value", [-9999.0, -100.0, 5.0, 1e308, np.nan, np.inf, -np.inf, None])
def test_what_is_no_log_probability_is_named(value: float | None) -> None:
    assert "is no log-probability" in fault([-0.5, value])


def test_probabilities_may_be_tiny_rounded_and_of_tokens_that_look_alike() -> None:
    assert fault([-99.0, 0.0, 1e-4]) == ""
    half = float(np.log(0.5))
    assert fault_of_alternatives(token(("4", half), ("3", half))) == ""
    assert fault_of_alternatives(token(("4", half), ("\ufffd", -5.0), ("\ufffd", -5.0))) == ""
    assert fault_of_alternatives(token(("4", half), ("a", -5.0), ("a", -5.1))) == ""


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ((("4", 0.0), ("3", 0.0)), "sum to 2.00"),
        ((("4", -1.0), ("4", -1.0), ("3", -3.0)), "'4' is there twice"),
        ((("4", -0.1), ("3", -9999.0)), "-9999 is no"),
    ],
)
def test_alternatives_that_have_no_probabilities_are_told(
    top: tuple[tuple[str, float], ...], said: str
) -> None:
    assert said in fault_of_alternatives(token(*top))


def test_the_token_that_was_said_counts_if_it_is_not_among_its_alternatives() -> None:
    said = Token(text="4", log_prob=-0.1, top=(("3", -0.1),))
    assert "sum to 1.81" in fault_of_alternatives(said)
