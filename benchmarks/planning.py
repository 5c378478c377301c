"""What a million planned answers take: to plan, to ask, and to find that nothing is to be asked.

8,000 invented people, 25 items, one strategy with three strangers: five conditions, of which every
persona is written of one person. A model that answers at once stands in for the real one, whose
tokens it has. Each part runs in a process of its own. Run: make bench
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geppetto.answers.local import answer, unanswered
from geppetto.answers.store import AnswerStore
from geppetto.answers.table import answers_table
from geppetto.experiment.prepare import prepare
from geppetto.models.local.llama_cpp import LlamaCppModel
from geppetto.models.token_tree import TokenTree
from geppetto.planning.config import Experiment
from geppetto.reports.planned import Work, overview

ITEMS, CONDITIONS = 25, 5
MODEL = "gemma-3-270m"
EXPERIMENT = f"""
question: How large may it be?
study: survey.yaml
models: [{MODEL}]
strategies: [interview]
arms: [none, {{shuffled: {{donors: 3}}}}, own]
"""
CODEBOOK = f"""
title: A large survey (invented)
source: {{origin: made up for this benchmark}}
instruction: How much do you agree?
data: survey.csv
participant_column: person
traits:
  - {{name: age, label: age, question: "How old are you?"}}
  - {{name: income, label: income, question: "What do you earn?"}}
  - {{name: sex, label: sex, question: "What is your sex?", values: {{1: Male, 2: Female}}}}
scales:
  agreement: {{options: {{1: Not at all, 2: A little, 3: Somewhat, 4: Mostly, 5: Completely}}}}
items: [{", ".join(f"{{name: q{n}, text: I like {n}., scale: agreement}}" for n in range(ITEMS))}]
"""


def workspace(folder: Path, people: int) -> None:
    """Write the survey and the experiment."""
    rng = np.random.default_rng(0)
    columns = {
        "person": [f"p{n:05}" for n in range(people)],
        "age": rng.integers(18, 90, people),
        "income": 10_000 + np.arange(people),
        "sex": rng.integers(1, 3, people),
    }
    columns |= {f"q{n}": rng.integers(1, 6, people) for n in range(ITEMS)}
    pd.DataFrame(columns).to_csv(folder / "survey.csv", index=False)
    (folder / "survey.yaml").write_text(CODEBOOK)
    (folder / "big.yaml").write_text(EXPERIMENT)


def instant(self: LlamaCppModel, trees: Sequence[TokenTree]) -> list[NDArray[np.float64]]:
    """The same for every token."""
    return [np.where(tree.scored(), -1.0, np.nan) for tree in trees]


def part(name: str, began: float) -> dict[str, float]:
    """What one part takes in this process, which began at that time."""
    imported = time.time()
    prepared = prepare(Experiment.from_file(Path("big.yaml")), Path())
    planned = time.time() - imported
    store = AnswerStore.of_workspace(Path())
    (work,) = unanswered(prepared, store).values()
    found = {"answers": len(prepared.plan.answers), "plan": planned}
    overview(prepared, {MODEL: Work(work, None)})
    found["start"] = time.time() - began
    if name == "ask":
        LlamaCppModel.score = instant  # type: ignore[method-assign]  # only here
        asked, units = time.perf_counter(), 0
        for _ in answer(prepared.scorers[0], work, store):
            units += 1
        found |= {"units": units, "ask": time.perf_counter() - asked}
    if name == "table":
        scores = store.get(prepared.plan.scored(MODEL))
        begun = time.perf_counter()
        found["rows"] = len(answers_table(prepared.plan, scores, prepared.study, "big"))
        found["table"] = time.perf_counter() - begun
    found["gigabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return found


def main() -> None:
    """Print what each part takes, and how it grows."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--people", type=int, default=8000)
    parser.add_argument("--part")
    parser.add_argument("--began", type=float)
    asked = parser.parse_args()
    if asked.part:
        print(json.dumps(part(asked.part, asked.began)))
        return
    memory = {}
    for people in (asked.people // 10, asked.people):
        with tempfile.TemporaryDirectory() as folder:
            workspace(Path(folder), people)
            for name in ("plan", "ask", "again", "table"):
                command = [sys.executable, str(Path(__file__).resolve()), "--part", name]
                command += ["--began", str(time.time())]
                done = subprocess.run(
                    command, cwd=folder, check=True, stdout=subprocess.PIPE, env=dict(os.environ)
                )
                found = json.loads(done.stdout)
                memory[name, people] = found["gigabytes"]
                told = ", ".join(
                    f"{key} {value:,.1f}{' GB' * (key == 'gigabytes')}"
                    for key, value in found.items()
                )
                print(f"{name:6} {told}", flush=True)
    for name in ("plan", "ask", "again", "table"):
        ratio = memory[name, asked.people] / memory[name, asked.people // 10]
        print(f"{name}: ten times as many answers take {ratio:.1f} times as much memory")


if __name__ == "__main__":
    main()
