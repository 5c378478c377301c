"""An experiment in two wordings, from its file to MLflow."""

from __future__ import annotations

from pathlib import Path

import pytest

import geppetto
from fake_model import FakeModel
from workspaces import tracked


@pytest.mark.usefixtures("few_folds", "no_figures")
def test_an_experiment_in_two_wordings_is_run_and_logged(
    ready: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("geppetto.planning.elicited.open_model", lambda *_: FakeModel())
    (ready / "experiments" / "words.yaml").write_text(
        "question: Does the wording matter?\n"
        "study: bfi\n"
        "participants: {sample: 6, seed: 3, complete: true}\n"
        "items: [A2, C3]\n"
        "models: [fake]\n"
        "strategies: [interview]\n"
        "arms: [none, shuffled, own]\n"
        "paraphrases: 2\n"
    )
    found = geppetto.run("experiments/words.yaml")
    rows = found.answers[found.answers["model"] != "baseline"]
    counts = rows.groupby(["arm", "paraphrase"]).size().to_dict()
    assert counts == {("none", 0): 12} | {(a, n): 12 for a in ("own", "shuffled") for n in (0, 1)}
    assert set(found.answers[found.answers["model"] == "baseline"]["paraphrase"]) == {0}
    assert found.wordings()["wordings"].tolist() == [2, 2, 2, 2]
    _, parent, children = tracked(ready, "words")
    assert {run.data.params["paraphrases"] for run in children} == {"2"}
    assert "paraphrases" not in parent.data.params
