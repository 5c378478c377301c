"""Every arm in one experiment with a real model, from its file to MLflow."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from command import geppetto
from workspaces import tracked


@pytest.mark.usefixtures("few_folds", "no_figures")
def test_the_whole_ladder_runs_and_is_logged(ready: Path) -> None:
    (ready / "personas" / "everything.py").write_text(
        "from geppetto.personas import PersonaStrategy\n\n\n"
        "class Everything(PersonaStrategy):\n"
        '    """Traits, and a few answers."""\n\n'
        "    reads_responses = True\n\n"
        "    def write(self, participant, study):\n"
        "        lines = [f'{t.name}: {text}' for t, text in study.known_traits(participant)]\n"
        "        for item, code in study.known_responses(participant)[:2]:\n"
        "            lines.append(f'{item.text} {code}')\n"
        "        return '\\n'.join(lines)\n"
    )
    (ready / "experiments" / "ladder.yaml").write_text(
        "question: Does the whole ladder run?\n"
        "study: bfi\n"
        "participants: {sample: 4, seed: 3, complete: true}\n"
        "items: [A2]\n"
        "models: [smollm2-135m-instruct]\nprecision: fast\n"
        "strategies: [everything]\n"
        "arms: [none, filler, human, average, shuffled, matched, own,\n"
        "       {knockout: {traits: [age]}}]\n"
    )
    done = geppetto("run", "experiments/ladder.yaml", "--full", cwd=ready)
    assert done.returncode == 0, done.stderr
    assert "each under 8 conditions" in done.stdout
    assert "  everything, matched: " in done.stdout
    assert "matched strangers of everything: " in done.stdout
    assert "everything · without age" in done.stdout
    client, parent, children = tracked(ready, "ladder")
    arms = {run.data.params["arm"] for run in children}
    assert arms >= {"human", "average", "matched", "without age"}
    logged = Path(client.download_artifacts(parent.info.run_id, "plan.json")).read_text()
    assert json.loads(logged)["matches"]["everything"].keys() == {
        *("participants", "matched", "same", "within", "differences", "donors", "outside")
    }
    answers = pd.read_parquet(client.download_artifacts(parent.info.run_id, "answers.parquet"))
    given_by = answers[answers["arm"] == "matched"]
    assert np.all(given_by["donor"] != given_by["participant"]) and all(given_by["donor"])
