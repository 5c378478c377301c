"""Tokens a second of transcript likelihood, beside transformers with full logits.

The workload: invented sessions of a two-armed bandit, every response scored. The same tokens are
read by geppetto in exact and in fast mode and by transformers in float32 (which needs torch,
transformers and gguf; without them only geppetto is measured). All rates come from one run,
interleaved session by session, so that a machine whose speed drifts slows all of them; the ratios
of their sums are what to compare.

    python benchmarks/transcripts.py --model gemma-3-270m --sessions 10
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from geppetto._util.files import sha256
from geppetto.answers.local import score
from geppetto.elicitation.transcript_likelihood import Unit, request_ids, units
from geppetto.models.base import Scorer
from geppetto.models.local.gguf import PACKAGED, dequantised
from geppetto.models.spec import ModelSpec, open_scorer
from geppetto.prompts.transcript import Response, Transcript

Score = Callable[[Unit], object]


def session(number: int, trials: int) -> Transcript:
    """A participant who mostly takes the machine that won last."""
    draw = random.Random(number)
    text = "You choose between two slot machines, J and K, again and again.\n"
    responses: list[Response] = []
    key = draw.choice("JK")
    for trial in range(trials):
        key = key if draw.random() < 0.7 else draw.choice("JK")
        text += "You press <<"
        start = len(text)
        responses.append(Response(trial, start - 2, start, start + 1, ("J", "K")))
        text += f"{key}>> and win {draw.randrange(100)} points.\n"
    breaks = tuple(at for response in responses for at in (response.start, response.end))
    return Transcript(text, tuple(responses), breaks)


def units_of(sessions: int, trials: int, model: Scorer) -> list[Unit]:
    """One unit a session."""
    asked = {}
    for number in range(sessions):
        transcript = session(number, trials)
        for request, response in zip(
            request_ids(transcript, model.identity), transcript.responses, strict=True
        ):
            asked[request] = (transcript, response)
    return list(units(asked, model))


def transformers(weights: Path) -> Score:
    """Score with full float32 logits, log-softmax over the vocabulary at each position."""
    import torch
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(
        weights.parent, gguf_file=weights.name, dtype=torch.float32
    ).eval()

    def log_probs(unit: Unit) -> object:
        tokens = torch.tensor(unit.lines[0].tokens.astype(np.int64))[None]
        with torch.inference_mode():
            rows = torch.log_softmax(model(tokens, use_cache=False).logits[0, :-1], dim=-1)
            return rows.gather(1, tokens[0, 1:, None])

    return log_probs


def geppetto(name: str, fast: bool) -> Score:
    """Score as an experiment does."""
    model = open_scorer(ModelSpec(name=name, kind="base"), "fast" if fast else "exact")
    return lambda unit: score([unit], model)


def measure(name: str, sessions: int, trials: int) -> None:
    """Print the rates of one model, and their ratios."""
    path = PACKAGED[name]()
    scorers = {"exact": geppetto(name, fast=False), "fast": geppetto(name, fast=True)}
    if importlib.util.find_spec("torch") and importlib.util.find_spec("transformers"):
        scorers["transformers"] = transformers(dequantised(path, sha256(path), "f32"))
    work = units_of(sessions + 1, trials, open_scorer(ModelSpec(name=name, kind="base")))
    seconds = dict.fromkeys(scorers, 0.0)
    for number, unit in enumerate(work):
        for scorer, compute in scorers.items():
            start = time.perf_counter()
            compute(unit)
            seconds[scorer] += (time.perf_counter() - start) * (number > 0)
    tokens = sum(len(unit.lines[0].tokens) for unit in work[1:])
    print(f"{name}: {sessions} sessions, {tokens / sessions:,.0f} tokens, {trials} responses each")
    for scorer, spent in seconds.items():
        print(f"  {scorer:<12} {tokens / spent:8.0f} tokens/s")
    for scorer in ("exact", "fast"):
        if "transformers" in seconds:
            ratio = seconds["transformers"] / seconds[scorer]
            print(f"  {scorer} / transformers: {ratio:.2f}x")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"  memory of all of them together at most {peak:.1f} GiB")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", action="append", help="a model's name; both if not given")
    parser.add_argument("--sessions", type=int, default=10)
    parser.add_argument("--trials", type=int, default=60)
    arguments = parser.parse_args()
    for model_name in arguments.model or list(PACKAGED):
        measure(model_name, arguments.sessions, arguments.trials)
