"""A plan that is frozen before it is run: what it says, and what a run did otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from unittest.mock import Mock, patch

import pytest
import yaml

import geppetto
from fake_model import FakeModel
from geppetto._util.errors import GeppettoError
from geppetto.answers.looks import Look, LookStore
from geppetto.evaluation.followed import Followed
from geppetto.evaluation.results import Results
from geppetto.experiment.preregistration import frozen_file
from geppetto.planning.elicited import by_likelihood
from geppetto.studies import Study
from geppetto.tracking import conditions, files, mlflow_runs
from geppetto.tracking.mlflow_runs import FOLLOWED
from workspaces import tracked, with_store

FILE = """
question: Does it help?
study: bfi
participants: {sample: 8, seed: 1, complete: true}
items: [A1, C1]
models: [fake]
strategies: [interview]
arms: [none, {shuffled: {donors: 2}}, own]
analysis: {draws: 200}
"""


@pytest.fixture
def file(tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.setattr("geppetto.experiment.results.baseline_answers", lambda table, *_: table[:0])
    monkeypatch.setattr(
        "geppetto.experiment.prepare.open_elicited", lambda *_: [by_likelihood(FakeModel())]
    )
    monkeypatch.setattr(Results, "plot", Mock())
    monkeypatch.setattr(files, "figure", lambda *_: None)
    monkeypatch.setattr(conditions, "log", lambda *_: None)
    monkeypatch.setattr(mlflow_runs, "_tables", lambda _: {})
    monkeypatch.setattr(mlflow_runs, "_log_page", lambda *_: None)
    workspace = with_store(tmp_path, empty_store)
    path = workspace / "small.yaml"
    path.write_text(FILE)
    yield path


def ran(path: Path, frozen: Path | None = None) -> Followed:
    found = geppetto.run(path, path.parent, frozen=frozen).followed
    assert found is not None
    return found


def test_a_frozen_plan_can_be_posted(file: Path, bfi: Study) -> None:
    path = geppetto.freeze(file, file.parent)
    assert path == frozen_file(file) == file.parent / "small.frozen.yaml"
    text = path.read_text("utf-8")
    plan = yaml.safe_load(text)["studies"]["bfi"]
    assert plan["question"] == "Does it help?" and plan["people"]["number"] == 8
    assert plan["family"]["confirm"] == ["information", "benefit"] and "stopping" in plan
    assert plan["analysis"]["smallest_effect"] == 0.005
    assert plan["strategies"]["interview"]["strategy"] == "interview"
    assert plan["models"]["fake, likelihood"]["sha256"] == "0" and plan["versions"]["numpy"]
    assert plan["earlier looks"] == {"analyses": 0, "candidates": 0}
    assert not any(print_ in text for print_ in bfi.prints.values())
    assert not any(f"'{name}'" in text or f"- {name}\n" in text for name in bfi.people)
    with pytest.raises(GeppettoError, match=r"exists, and a frozen plan is not replaced"):
        geppetto.freeze(file, file.parent)


def test_a_run_says_that_it_followed_the_plan(file: Path) -> None:
    assert geppetto.run(file, file.parent).followed is None
    frozen = geppetto.freeze(file, file.parent)
    assert ran(file).sentence == (
        "The frozen plan was not followed in one respect. The same analysis was made before the "
        "plan was frozen."
    )
    frozen.unlink()
    (file.parent / "mlruns" / "answers.db").unlink()  # nobody has looked yet
    geppetto.freeze(file, file.parent)
    for _ in range(2):
        assert ran(file) == Followed(frozen.read_text("utf-8"), ())
    client, parent, _ = tracked(file.parent, "small")
    assert parent.data.tags[FOLLOWED] == "The frozen plan was followed."
    files = {each.path for each in client.list_artifacts(parent.info.run_id)}
    assert {"frozen.yaml", "departures.txt"} <= files


def test_everything_that_differs_is_said(file: Path) -> None:
    frozen = geppetto.freeze(file, file.parent)
    changes = {
        "seed: 1": "seed: 2",
        "[A1, C1]": "[A1, C2]",
        "draws: 200": "draws: 200, smallest_effect: 0.01",
        "{shuffled: {donors: 2}}": "human, {shuffled: {donors: 3}}",
        "Does it help?": "Did it?",
    }
    text = FILE
    for before, after in changes.items():
        text = text.replace(before, after)
    file.write_text(text)
    told = ran(file)
    assert told.departures == (
        "As many people take part as were frozen, 8, but they are others.",
        'question is "Did it?", and was frozen as "Does it help?".',
        'items is ["A1", "C2"], and was frozen as ["A1", "C1"].',
        "arms: shuffled: donors is 3, and was frozen as 2.",
        "arms: human was not frozen.",
        'family: explore is ["total", "human", "format"], and was frozen as ["total", "format"].',
        "analysis: smallest_effect is 0.01, and was frozen as 0.005.",
    )
    assert told.heading == "The frozen plan was not followed in 7 respects."
    file.write_text(FILE.replace("sample: 8", "sample: 9"))
    assert ran(file).departures[0] == "9 people take part, and 8 were frozen."
    file.write_text(FILE.replace("donors: 2", "donors: 2, seed: 5"))
    assert ran(file).departures[0] == "arms: shuffled: seed is 5, and was frozen as 0."
    other = frozen.with_name("posted.yaml")
    other.write_text(frozen.read_text("utf-8").replace("0.005", "0.004"), "utf-8")
    file.write_text(FILE)
    assert "The frozen file was changed after it was made." in ran(file, other).departures


def test_looks_and_versions_since_are_said(file: Path, bfi: Study) -> None:
    geppetto.freeze(file, file.parent)
    everybody = frozenset(bfi.prints.values())
    ledger = LookStore.of_workspace(file.parent)
    ledger.keep(Look("q", "chosen on", ("personas",), everybody, "search", 12))
    ledger.keep(Look("r", "run", ("personas",), everybody, "other"))
    newer = {"geppetto": "9", "numpy": "1"}
    with patch("geppetto.tracking.params.versions", lambda: newer):
        told = ran(file).departures
    assert any(line.startswith('versions: numpy is "1", and was frozen as ') for line in told)
    assert told[-2:] == (
        "Earlier analyses of some of these people: 1, and 0 when it was frozen.",
        "Candidates that were chosen among on some of them: 12, and 0 when it was frozen.",
    )


def test_what_is_no_frozen_plan_is_refused(file: Path) -> None:
    with pytest.raises(GeppettoError, match=r"frozen plan .*none\.yaml does not exist"):
        geppetto.run(file, file.parent, frozen=file.parent / "none.yaml")
    frozen_file(file).write_text("question: none\n")
    with pytest.raises(GeppettoError, match="unknown key 'question'"):
        geppetto.run(file, file.parent)
