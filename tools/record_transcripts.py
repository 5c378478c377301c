"""Record the log-probabilities that an independent float32 computation gives whole sessions.

Writes tests/fixtures/transcript_log_probs.npz, which
tests/integration/test_transcript_reference.py holds geppetto to: numbers only, no text. Needs
torch, transformers and gguf besides geppetto and its local models, and the experiments of
Psych-201 named below. Written from the definition and with nothing of geppetto but the float32
copy of a model's weights: transformers splits and reads each session, a response is found by its
marks, and its negative log-likelihood is the sum over its tokens of the log-softmax of the whole
vocabulary.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geppetto._util.files import sha256
from geppetto.models.local.gguf import PACKAGED, dequantised

FIXTURE = Path(__file__).parents[1] / "tests" / "fixtures" / "transcript_log_probs.npz"
SESSIONS = {
    "smollm2-135m-instruct": {
        "thoma2025riskychoice": None,
        "franke2024bayesian": None,
        "guenther2023grammaticality": None,
        "guenther2024substitutions": 10,
        "busch2024_stroop": 1,
    },
    "gemma-3-270m": {
        "thoma2025riskychoice": 5,
        "guenther2024substitutions": 3,
        "busch2024_stroop": 1,
    },
}
"""How many sessions of each experiment a model reads, drawn at random; None reads all."""


def texts(archive: Path) -> list[str]:
    """The sessions of an experiment."""
    with zipfile.ZipFile(archive) as file:
        lines = file.read("prompts.jsonl").decode().splitlines()
    return [json.loads(line)["text"] for line in lines if line.strip()]


def drawn(sessions: int, number: int | None) -> list[int]:
    """Which sessions are read, ascending."""
    everyone = range(sessions)
    return sorted(random.Random(0).sample(everyone, number)) if number else list(everyone)


class Reference:
    """Weights and tokenizer of a GGUF file as transformers reads them."""

    def __init__(self, weights: Path) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        folder, file = str(weights.parent), weights.name
        self.tokenizer = AutoTokenizer.from_pretrained(folder, gguf_file=file)
        self.model = AutoModelForCausalLM.from_pretrained(
            folder, gguf_file=file, dtype=torch.float32, attn_implementation="sdpa"
        ).eval()
        self.bos = bool(self.tokenizer("a").input_ids[0] == self.tokenizer.bos_token_id)

    def split(self, text: str) -> tuple[list[int], list[list[int]], list[list[int]]]:
        """Tokens of a session cut at its responses; and the positions of those that spell each
        response, and of those that spell the mark before it."""
        tokens = [self.tokenizer.bos_token_id] if self.bos else []
        responses, announcements = [], []
        begin = 0
        for match in re.finditer(r"<<(.*?)>>", text):
            mark = self._add(tokens, text[begin : match.start(1)])
            opening = match.start() - begin
            announcements.append([at for at, (_, end) in mark if end > opening])
            responses.append([at for at, _ in self._add(tokens, match.group(1))])
            begin = match.end(1)
        self._add(tokens, text[begin:])
        return tokens, responses, announcements

    def _add(self, tokens: list[int], text: str) -> list[tuple[int, tuple[int, int]]]:
        piece = self.tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        places = range(len(tokens), len(tokens) + len(piece.input_ids))
        tokens += piece.input_ids
        return list(zip(places, piece.offset_mapping, strict=True))

    def log_probs(self, tokens: list[int], positions: list[int]) -> NDArray[np.float64]:
        """Log-probability of the tokens at some positions, each given all before it."""
        import torch

        before = torch.tensor(positions) - 1
        with torch.inference_mode():
            logits = self.model(
                torch.tensor([tokens]), use_cache=False, logits_to_keep=before
            ).logits[0]
        rows = torch.log_softmax(logits.double(), dim=-1)
        found: NDArray[np.float64] = rows[range(len(positions)), torch.tensor(tokens)[positions]]
        return np.asarray(found)


def record(reference: Reference, text: str) -> dict[str, list[float]]:
    """Of each response of a session: its log-probability, that of its mark, tokens before it."""
    tokens, responses, announcements = reference.split(text)
    positions = sorted({at for part in responses + announcements for at in part})
    last = positions[-1] + 1
    found = dict(zip(positions, reference.log_probs(tokens[:last], positions), strict=True))
    return {
        "response": [float(sum(found[at] for at in part)) for part in responses],
        "announcing": [float(sum(found[at] for at in part)) for part in announcements],
        "before": [part[0] for part in responses],
    }


def columns(
    key: str, sessions: list[int], recorded: list[dict[str, list[float]]]
) -> dict[str, NDArray[Any]]:
    """What was recorded of some sessions of an experiment, one row a response."""
    arrays: dict[str, NDArray[Any]] = {
        f"{key}/sessions": np.array(sessions, np.int16),
        f"{key}/responses": np.array([len(one["response"]) for one in recorded], np.int16),
    }
    for what, kind in (("response", "f4"), ("announcing", "f4"), ("before", "i2")):
        values = [value for session in recorded for value in session[what]]
        arrays[f"{key}/{what}"] = np.array(values, kind)
    return arrays


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of the experiments")
    parser.add_argument("--output", type=Path, default=FIXTURE, help="default: the fixture itself")
    parser.add_argument("--model", action="append", help="all if not given")
    arguments = parser.parse_args()
    arrays: dict[str, NDArray[Any]] = {}
    for name in arguments.model or SESSIONS:
        path = PACKAGED[name]()
        reference = Reference(dequantised(path, sha256(path), "f32"))
        for experiment, number in SESSIONS[name].items():
            sessions = texts(arguments.data / f"{experiment}.zip")
            chosen = drawn(len(sessions), number)
            start = time.perf_counter()
            recorded = [record(reference, sessions[at]) for at in chosen]
            print(f"{name} {experiment}: {time.perf_counter() - start:.0f} s", flush=True)
            arrays |= columns(f"{name}/{experiment}", chosen, recorded)
            np.savez_compressed(arguments.output, **arrays)


if __name__ == "__main__":
    main()
