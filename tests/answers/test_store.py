"""The answer store keeps what it was given, once."""

import math
from pathlib import Path

import pytest
import sqlalchemy as sql

from geppetto._util.errors import GeppettoError
from geppetto.answers.store import AnswerStore
from geppetto.elicitation.option_likelihood import OptionScores


def scores(*names: str) -> dict[str, OptionScores]:
    return {
        name: OptionScores((-0.1 - i / 3, -2.0), (1, 2), 30 + i) for i, name in enumerate(names)
    }


def test_answers_come_back_to_the_last_bit(store_url: str) -> None:
    put = scores(*(f"r{n}" for n in range(1200)))
    put["never"] = OptionScores((-math.inf, -5e-324), (1, 1), 3)
    AnswerStore(store_url).put("model", put)
    assert AnswerStore(store_url).get([*put, "unknown"]) == put


def test_a_store_that_cannot_be_written_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    AnswerStore.at(tmp_path / "answers%20.db").put("model", scores("a"))
    monkeypatch.setattr("geppetto.answers.database.os.access", lambda *_: False)
    store = AnswerStore.at(tmp_path / "answers%20.db")
    assert store.is_read_only
    assert store.get("a") == scores("a")
    with store.alone("a task of nobody else's"):
        assert store.missing("ab") == {"b"}
    with pytest.raises(GeppettoError, match="can be read and not written, and something is left"):
        store.put("model", scores("b"))


def test_nothing_is_made_by_looking(tmp_path: Path) -> None:
    assert AnswerStore.at(tmp_path / "mlruns" / "answers.db").get("a") == {}
    assert list(tmp_path.iterdir()) == []


def test_the_first_answer_stays(store_url: str) -> None:
    one, other = AnswerStore(store_url), AnswerStore(store_url)
    first = {"a": OptionScores((-0.1, -math.inf), (1, 2), 30)}
    one.put("model", first)
    nearly = OptionScores((-0.1 + 1e-5, -math.inf), (1, 2), 30)
    other.put("model", {"a": nearly, "b": nearly})
    assert one.get("ab") == other.get("ab") == {**first, "b": nearly}


@pytest.mark.parametrize("differently", [-0.1 + 2e-4, -math.inf, math.nan])
def test_a_different_answer_is_refused_and_nothing_changes(
    store_url: str, differently: float
) -> None:
    store = AnswerStore(store_url)
    first = {"a": OptionScores((-0.1, -2.0), (1, 2), 30)}
    store.put("model", first)
    again = OptionScores((differently, -2.0), (1, 2), 30)
    with pytest.raises(GeppettoError, match="model answered the same request twice, and diff"):
        store.put("model", {"a": again, "b": again})
    assert store.get("ab") == first


def test_how_a_response_is_announced_comes_back_and_cannot_change(store_url: str) -> None:
    store = AnswerStore(store_url)
    put = {
        name: OptionScores((-1.5,), (2,), 30, announcing)
        for name, announcing in (("a", -0.1 / 3), ("b", -math.inf), ("c", 0.0), ("d", None))
    }
    store.put("model", put)
    assert store.get("abcd") == put
    with pytest.raises(GeppettoError, match="and differently by 0\\.0"):
        store.put("model", {"a": OptionScores((-1.5,), (2,), 30, -0.1)})


def test_a_store_from_before_sessions_is_read_and_extended_when_written_to(store_url: str) -> None:
    before, after = scores("a"), {"b": OptionScores((-1.5,), (2,), 30, -0.25)}
    AnswerStore(store_url).put("model", before)
    engine = sql.create_engine(store_url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(sql.text("ALTER TABLE answers DROP COLUMN announcing"))
    engine.dispose()
    assert AnswerStore(store_url).get("ab") == before
    AnswerStore(store_url).put("model", after)
    AnswerStore(store_url).put("model", before)
    assert AnswerStore(store_url).get("ab") == before | after


def test_a_store_is_found_by_the_environment_or_in_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = tmp_path / "elsewhere.db"
    monkeypatch.setenv("GEPPETTO_ANSWERS", f"sqlite:///{elsewhere}")
    AnswerStore.of_workspace(tmp_path).put("model", scores("a"))
    assert set(AnswerStore.at(elsewhere).get("a")) == {"a"}
    monkeypatch.delenv("GEPPETTO_ANSWERS")
    assert AnswerStore.of_workspace(tmp_path).get("a") == {}
    AnswerStore.of_workspace(tmp_path).put("model", scores("b"))
    assert set(AnswerStore.at(tmp_path / "mlruns" / "answers.db").get("ab")) == {"b"}


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("/home/me/answers.db", "not named by an SQLAlchemy URL"),
        ("postgresql://me:secret@host:no/answers", "not named by an SQLAlchemy URL"),
        ("mysql://me:secret@host/answers", "answers cannot be kept in mysql; write sqlite:////"),
        ("postgresql+psycopg2://me:secret@host/a", "cannot be kept in postgresql+psycopg2"),
        ("sqlite://", "an SQLite store of answers is a plain file"),
        ("sqlite:///file:answers.db?mode=ro&uri=true", "is a plain file"),
    ],
)
def test_a_url_that_keeps_no_answers_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(GeppettoError) as refusal:
        AnswerStore(url)
    assert complaint in str(refusal.value)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:secret@/answers?host={folder}",
        "postgresql+psycopg://me@/answers?host={folder}&password=secret",
    ],
)
def test_a_server_that_does_not_answer_is_named_without_its_password(
    tmp_path: Path, url: str
) -> None:
    pytest.importorskip("psycopg", reason="PostgreSQL's driver is not installed")
    store = AnswerStore(url.format(folder=tmp_path))
    for use in (lambda: store.get("a"), lambda: store.put("model", scores("a"))):
        with pytest.raises(GeppettoError) as refusal:
            use()
        message = str(refusal.value)
        assert message.startswith("postgresql+psycopg://me")
        assert "check GEPPETTO_ANSWERS, and that the server runs" in message
        assert "secret" not in message
