"""What tests share: a small invented study, a fake model for logic, and the real local ones."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy as sql
from hypothesis import settings
from mlflow import MlflowClient

from fake_model import invent_scores
from fast import kept_fast
from geppetto.models.local.gguf import PACKAGED
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.studies import Study, Trait, load_study
from geppetto.studies.build import study_from_table
from invented import codebook
from memory import give_back
from postgres import postgres_server
from workspaces import folds_of_two, with_store, without_figures

# how long an example takes is the machine's matter; `make fuzz` tries others than every run does
settings.register_profile("geppetto", deadline=None, derandomize="FUZZ" not in os.environ)
settings.load_profile("geppetto")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Refuse what is slow to tests of `make test-fast`, and free what no test uses any more."""
    with kept_fast(item):
        result = yield
    give_back()
    return result


@pytest.fixture(scope="session")
def bfi() -> Study:
    return load_study("bfi")


@pytest.fixture
def small_study() -> Study:
    """Eight invented people, four items of three options, with gaps."""
    three = codebook(
        name="small",
        traits=[
            {"name": "age", "label": "age", "question": "How old are you?"},
            {
                "name": "sex",
                "label": "sex",
                "question": "Which sex?",
                "values": {"1": "Male", "2": "Female"},
            },
        ],
        scales={"three": {"options": {"1": "No", "2": "Somewhat", "3": "Yes"}}},
        items=[
            {"name": f"q{n}", "text": f"{'Very ' * n}true.", "scale": "three"} for n in range(1, 5)
        ],
        exclusions=[{"column": "age", "below": 18, "reason": "under 18 years"}],
    )
    rows = [
        ("a", "20", "1", "1", "2", "3", "1"),
        ("b", "30", "2", "2", "2", "3", "2"),
        ("c", "40", "1", "3", "1", "1", "3"),
        ("d", "50", "2", "1", "1", "2", "2"),
        ("e", "60", None, "1", "3", "2", "1"),
        ("f", "61", None, "2", None, "2", "1"),
        ("g", None, "2", "3", "3", "3", "3"),
        ("h", "12", "2", "3", "3", "3", "3"),
    ]
    columns = ["id", "age", "sex", "q1", "q2", "q3", "q4"]
    return study_from_table(three, pd.DataFrame(rows, columns=columns))


@pytest.fixture(scope="session")
def smollm2() -> LlamaCppModel:
    """A real model; what reads its vocabulary alone is still fast."""
    return LlamaCppModel("smollm2-135m-instruct", PACKAGED["smollm2-135m-instruct"]())


@pytest.fixture(scope="session")
def gemma() -> LlamaCppModel:
    return LlamaCppModel("gemma-3-270m", PACKAGED["gemma-3-270m"]())


@pytest.fixture
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty workspace that is the current folder, with no server configured."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("GEPPETTO_ANSWERS", raising=False)
    (tmp_path / "personas").mkdir()
    (tmp_path / "experiments").mkdir()
    return tmp_path


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole MLflow store with nothing in it, which takes seconds to make."""
    made = tmp_path_factory.mktemp("empty") / "mlflow.db"
    MlflowClient(f"sqlite:///{made}").search_experiments()
    return made


@pytest.fixture
def ready(workspace: Path, empty_store: Path) -> Path:
    """A workspace that has an MLflow store."""
    return with_store(workspace, empty_store)


@pytest.fixture
def few_folds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Baselines that are fitted learn from one half of the others at a time."""
    folds_of_two(monkeypatch)


@pytest.fixture
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs log all that they find, and their figures as empty files."""
    without_figures(monkeypatch)


@pytest.fixture
def no_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Local models read what they are asked and score it at once, by numbers that are invented."""
    invent_scores(monkeypatch)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The folder of the socket of a PostgreSQL server."""
    with postgres_server() as folder:
        yield folder


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.server)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A store of answers that is still empty."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'answers.db'}"
    server = f"postgresql://tests@/{{}}?host={request.getfixturevalue('postgres')}"
    name = f"test_{hashlib.sha256(str(tmp_path).encode()).hexdigest()[:16]}"
    engine = sql.create_engine(
        server.format("postgres").replace("://", "+psycopg://"), isolation_level="AUTOCOMMIT"
    )
    with engine.connect() as connection:
        connection.execute(sql.text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return server.format(name)


@pytest.fixture
def scored_study(small_study: Study) -> Study:
    """Eight invented people with two demographics, one score and four items, all known."""
    score = Trait(name="worry", label="worry score", question="How worried?", demographic=False)
    codebook = small_study.codebook
    codebook = codebook.model_copy(update={"traits": (*codebook.traits, score)})
    rows = [
        ("a", "20", "1", "1.5", "1", "2", "3", "1"),
        ("b", "21", "1", "2.5", "2", "2", "3", "2"),
        ("c", "40", "1", "3.5", "3", "1", "1", "3"),
        ("d", "43", "1", "4.5", "1", "1", "2", "2"),
        ("e", "30", "2", "5.5", "1", "3", "2", "1"),
        ("f", "30", "2", "6.5", "2", "1", "2", "1"),
        ("g", "70", "2", "7.5", "3", "3", "3", "3"),
        ("h", "60", "2", "8.5", "3", "3", "1", "3"),
    ]
    columns = ["id", "age", "sex", "worry", "q1", "q2", "q3", "q4"]
    return study_from_table(codebook, pd.DataFrame(rows, columns=columns))


@pytest.fixture(scope="module")
def base_models() -> dict[str, LlamaCppModel]:
    return {name: LlamaCppModel(name, PACKAGED[name](), kind="base") for name in PACKAGED}
