"""A small experiment with a real model."""

from __future__ import annotations

from pathlib import Path

SMALL = """
question: Does it run?
study: bfi
participants: {sample: 6, seed: 3, complete: true}
items: [A2, C3, E4, N3]
models: [smollm2-135m-instruct]
strategies: [interview, {known_answers: {k: 4}}]
arms: [none, filler, {shuffled: {donors: 2}}, own]
"""


SMALLER = SMALL.replace("[interview, {known_answers: {k: 4}}]", "[interview]").replace(
    "[A2, C3, E4, N3]", "[A2, C3]"
)


def experiment(workspace: Path, text: str) -> str:
    (workspace / "experiments" / "small.yaml").write_text(text)
    return "experiments/small.yaml"
