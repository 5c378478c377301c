"""Invented behavioural sessions, written as Psych-201 publishes them."""

from __future__ import annotations

import json
import random
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

INSTRUCTIONS = (
    "You are in a casino with two slot machines, {a} and {b}.\nWin as many points as you can.\n"
)
Row = dict[str, Any]


def bandit(
    people: int = 12, trials: int = 20, seed: int = 0, keys: tuple[str, str] | None = None
) -> list[Row]:
    """People who choose between two machines, one of which pays more.

    Those with a higher PHQ-9 follow wins less. Each has a pair of keys of their own, unless `keys`
    are given.
    """
    rng = random.Random(seed)
    rows = []
    for person in range(people):
        a, b = keys or sorted(rng.sample("ABCDEFGHJKLMNOPQRSTUVWXYZ", 2))
        phq = rng.randrange(28)
        text, better, choice = INSTRUCTIONS.format(a=a, b=b), rng.choice((a, b)), a
        for trial in range(trials):
            won = rng.random() < (0.8 if choice == better else 0.2)
            text += f"You press <<{choice}>> and get {int(won)} points.\n"
            stays = won if rng.random() > phq / 54 else rng.random() < 0.5
            # both machines are tried, so that nobody has pressed one key only
            choice = choice if stays and trial else (b if choice == a else a)
        rows.append(
            {
                "text": text,
                "experiment": "invented2026bandit/exp1.csv",
                "participant": person + 1,
                "age": str(18 + rng.randrange(50)),
                "gender": rng.choice(("Female", "male", "female", "Male")),
                "PHQ-9": phq,
            }
        )
    return rows


def sessions_file(path: Path, rows: Sequence[Row | str] | None = None) -> Path:
    """Write rows to a JSONL file, or to an archive if the path ends in .zip, and give the path.

    A row that is text is written as it is. Rows are those of `bandit()` unless given. An archive
    has the decoy that macOS puts into archives.
    """
    rows = bandit() if rows is None else rows
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    content = "".join(f"{line}\n" for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("__MACOSX/._prompts.jsonl", b"\x00\x05\x16\x07")
            archive.writestr("prompts.jsonl", content)
    else:
        path.write_text(content, "utf-8")
    return path
