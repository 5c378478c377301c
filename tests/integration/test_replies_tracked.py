"""What MLflow has of replies and elicitations."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import geppetto
from fake_model import invent_scores
from geppetto.answers.store import AnswerStore
from geppetto.evaluation.results import Results
from geppetto.experiment import run as running
from geppetto.experiment.results import evaluate
from geppetto.planning.prepared import Prepared
from invented_replies import replies_of, sharpened, unread
from workspaces import tracked, with_store

EXPERIMENT = """
question: Are replies tracked?
study: bfi
participants: {sample: 8, seed: 3, complete: true}
items: [A2, A3, C3]
models: [smollm2-135m-instruct]
strategies: [interview]
arms: [none, shuffled, own]
analysis: {draws: 200}
"""


@pytest.mark.usefixtures("few_folds", "no_figures")
def test_replies_and_elicitations_are_tracked(
    tmp_path: Path, empty_store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def both(prepared: Prepared, store: AnswerStore, *_: object) -> Results:
        found = evaluate(prepared, store)
        read = found.answers[found.answers["model"] != "baseline"]
        refused = (read["arm"] == "own") & (read["item"] == "A2")
        stated = unread(sharpened(read, 0.5), refused).assign(elicitation="stated")
        answers = pd.concat([found.answers, stated], ignore_index=True)
        said = replies_of(pd.concat([read, stated], ignore_index=True))
        return replace(found, answers=answers, completions=said.assign(text="4"))

    monkeypatch.setattr(running, "evaluate", both)
    invent_scores(monkeypatch)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    workspace = with_store(tmp_path, empty_store)
    (workspace / "small.yaml").write_text(EXPERIMENT)
    found = geppetto.run(workspace / "small.yaml", workspace)
    client, parent, children = tracked(workspace, "small")
    files = {item.path for item in client.list_artifacts(parent.info.run_id)}
    tables = {"compliance", "compliance_differences", "by_elicitation", "agreement"}
    tables.add("effects_by_elicitation")
    assert files >= {f"{name}.csv" for name in tables} | {"replies.parquet", "elicitations.png"}
    kept = pd.read_parquet(client.download_artifacts(parent.info.run_id, "replies.parquet"))
    assert len(kept) == len(found.completions) and "text" not in kept
    assert parent.data.metrics["replies/outcome/refusal"] == 8
    path = client.download_artifacts(parent.info.run_id, "effects_by_elicitation.csv")
    effects = pd.read_csv(path).set_index(["elicitation", "effect"])
    assert effects.loc[("likelihood", "total"), "survives_bounds"]
    assert effects.loc[("stated", "total"), "lowest"] == -np.inf
    (own,) = [run for run in children if run.data.params["arm"] == "own"]
    assert parent.data.metrics["replies/count"] == 3 * 2 * 8 * 3
    assert parent.data.metrics["replies/stated/count"] == 3 * 8 * 3
    assert parent.data.metrics["replies/stated/outcome/refusal"] == 8
    assert parent.data.metrics["replies/likelihood/outcome/refusal"] == 0
    assert own.data.params["elicitation"] == "likelihood", "the numbers beside are of the first"
    assert own.data.metrics["replies/count"] == 8 * 3
    assert own.data.metrics["replies/outcome/refusal"] == 0
