"""Data sets that the package `datasets` saved to disk, in the form of the one on the hub."""

from pathlib import Path
from typing import Any

import pytest

from geppetto._util.errors import GeppettoError
from geppetto.studies import load_study
from invented_sessions import bandit, sessions_file


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    """Two tasks with the fields that the authors add and the spaces that they put into marks."""
    datasets = pytest.importorskip("datasets", reason="the extra `hub` is not installed")
    rows: list[dict[str, Any]] = [
        row | {"participant": str(row["participant"]), "study": study, "IUS": "N/A"}
        for study in ("invented2026bandit", "other2026")
        for row in bandit(6)
    ]
    for row in rows:
        row["PHQ-9"] = str(row["PHQ-9"])
        row["text"] += "How many points? <<-3>>\n".replace("<<-", "<< -")
    whole = datasets.Dataset.from_list(rows)
    split = datasets.DatasetDict(
        {"train": whole.select(range(8)), "test": whole.select([8, 9, 10, 11])}
    )
    split.save_to_disk(tmp_path / "both")
    whole.select(range(6)).save_to_disk(tmp_path / "one")
    return tmp_path


def test_a_saved_data_set_is_read_like_a_file(saved: Path) -> None:
    one = load_study("one", saved)
    rows = [
        row | {"text": row["text"] + "How many points? <<-3>>\n", "PHQ-9": str(row["PHQ-9"])}
        for row in bandit(6)
    ]
    sessions_file(saved / "file.jsonl", rows)
    file = load_study("file.jsonl", saved)
    assert one.name == "invented2026bandit"
    assert one.people == file.people
    assert "6 texts as they were before spaces were put into their marks" in one.notes


def test_one_of_several_tasks_in_all_splits_is_named(saved: Path) -> None:
    with pytest.raises(GeppettoError, match="both has 2 tasks"):
        load_study("both", saved)
    assert len(load_study("both::other2026", saved).people) == 6


def test_data_sets_of_the_hub_are_asked_for_by_name(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("datasets.config.HF_DATASETS_CACHE", saved / "cache")
    folder = saved / "on_the_hub"
    sessions_file(folder / "train.jsonl", bandit(4))
    study = load_study(f"hub:{folder}", saved)
    assert len(study.people) == 4


def test_without_the_package_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "datasets", None)
    with pytest.raises(GeppettoError, match=r"pip install 'geppetto\[hub\]'"):
        load_study("hub:some/thing", tmp_path)
