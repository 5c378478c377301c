"""The answer store keeps what it was given, once."""

from pathlib import Path

import pytest

from geppetto.answers.store import AnswerStore
from geppetto.elicitation.option_likelihood import OptionScores
from geppetto.errors import GeppettoError


def scores(*names: str) -> dict[str, OptionScores]:
    return {
        name: OptionScores((-0.1 - i / 3, -2.0), (1, 2), 30 + i) for i, name in enumerate(names)
    }


def test_answers_come_back_to_the_last_bit(tmp_path: Path) -> None:
    put = scores(*(f"r{n}" for n in range(1200)))
    AnswerStore.at(tmp_path / "mlruns" / "answers.db").put("model", put)
    again = AnswerStore.at(tmp_path / "mlruns" / "answers.db")
    assert again.get([*put, "unknown"]) == put


def test_an_answer_is_never_stored_twice(tmp_path: Path) -> None:
    store = AnswerStore.at(tmp_path / "answers.db")
    store.put("model", scores("a"))
    with pytest.raises(GeppettoError, match="another process has just stored the same answers"):
        store.put("model", scores("b", "a"))
    assert set(store.get("ab")) == {"a"}


def test_two_connections_see_each_other(tmp_path: Path) -> None:
    one, other = (AnswerStore.at(tmp_path / "answers.db") for _ in range(2))
    one.put("model", scores("a"))
    other.put("model", scores("b"))
    assert set(one.get("ab")) == set(other.get("ab")) == {"a", "b"}
