"""What tests share: a small invented study, a fake model for logic, and the real local ones."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sql
from hypothesis import settings
from mlflow import MlflowClient
from mlflow.entities import Run
from numpy.typing import NDArray

from geppetto.elicitation.token_tree import Tokens, TokenTree
from geppetto.models.base import ModelIdentity
from geppetto.models.gguf import PACKAGED
from geppetto.models.llama_cpp import LlamaCppModel
from geppetto.prompts.chat import ChatTemplate
from geppetto.studies import Study, load_study
from geppetto.studies.build import study_from_table
from invented import codebook
from postgres import postgres_server

# how long an example takes is the machine's matter
settings.register_profile("geppetto", deadline=None)
settings.load_profile("geppetto")

ROOT = Path(__file__).parents[1]
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n"
    "{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


class FakeModel:
    """Reads bytes as tokens; a token's probability depends on everything before it."""

    def __init__(
        self, name: str = "fake", context: int = 10_000, template: ChatTemplate | None = None
    ) -> None:
        self.identity = ModelIdentity(
            name=name,
            sha256="0",
            kind="chat" if template else "base",
            weights="none",
            kv_cache="none",
            flash_attention=False,
            gelu="none",
            engine="fake",
        )
        self.context = context
        self.template = template
        self.most_branches = 256
        self.decoded = 0

    def tokenize(self, text: str) -> Tokens:
        return tuple(text.encode())

    def tokenize_on(self, text: str) -> Tokens:
        return tuple(text.encode())

    def detokenize(self, tokens: Sequence[int]) -> bytes:
        return bytes(tokens)

    def has_control_tokens(self, text: str) -> bool:
        return "<|" in text

    def log_probs(self, tree: TokenTree, head: int = 0) -> NDArray[np.float64]:
        self.decoded += len(set(tree.parents.tolist()) - {-1}) - head
        scored = tree.scored()
        paths: list[bytes] = []
        for token, parent in zip(tree.tokens, tree.parents, strict=True):
            paths.append((paths[parent] if parent >= 0 else b"") + bytes([token]))
        return np.array(
            [self.log_prob(path) if s else np.nan for path, s in zip(paths, scored, strict=True)]
        )

    @staticmethod
    def log_prob(path: bytes) -> float:
        """Log-probability of the last byte of a path given the others."""
        return float(np.log(int.from_bytes(hashlib.sha256(path).digest()[:4]) / 2**33 + 0.001))


def tracked(workspace: Path, experiment: str) -> tuple[MlflowClient, Run, list[Run]]:
    """A client of a workspace's MLflow store, and an experiment's one parent and its children.

    The client is used instead of MLflow's global functions, which would leave the store's address
    in the environment of every later command.
    """
    client = MlflowClient(f"sqlite:///{workspace}/mlruns/mlflow.db")
    found = client.get_experiment_by_name(experiment)
    assert found is not None
    runs = client.search_runs([found.experiment_id])
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run is not parent]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    return client, parent, children


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


def with_store(workspace: Path, empty_store: Path) -> Path:
    """The workspace, which now has an MLflow store."""
    (workspace / "mlruns").mkdir()
    shutil.copy(empty_store, workspace / "mlruns" / "mlflow.db")
    return workspace


@pytest.fixture
def ready(workspace: Path, empty_store: Path) -> Path:
    """A workspace that has an MLflow store."""
    return with_store(workspace, empty_store)


@pytest.fixture(scope="session")
def postgres() -> Iterator[Path]:
    """The folder of the socket of a PostgreSQL server."""
    with postgres_server() as folder:
        yield folder


@pytest.fixture(params=["sqlite", "postgresql"])
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
