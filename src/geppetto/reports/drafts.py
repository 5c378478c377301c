"""Drafts of codebooks, as a terminal shows them."""

from __future__ import annotations

import re
from pathlib import Path

from rich.console import Group, RenderableType
from rich.text import Text

from geppetto.studies.build import Checked
from geppetto.studies.drafting.guess import Guess
from geppetto.studies.drafting.text import questions
from geppetto.studies.problems import errors, grouped

_SAMPLE = 100
"""People of whom a first experiment takes no more."""


def drafted(guessed: Guess, text: str, file: Path, checked: Checked) -> RenderableType:
    """What was recognised and written, what is left to mend, and what to do next."""
    source = guessed.source
    tool = [f"an export of {guessed.tool}"] if guessed.tool else []
    size = f"{_many(source.rows, 'row')}, {_many(len(source.columns), 'column')}"
    lines = [
        Text(f"{source.name}: {', '.join([size, *tool, *source.said])}", "bold"),
        *map(Text, _found(guessed)),
        Text(),
        Text(
            f"{file} is written, with {_many(questions(text), 'question')} (lines with # ?)", "bold"
        ),
    ]
    wrong = grouped(errors(checked.problems))
    for problem in wrong:
        lines.append(Text(f"  to mend: {problem}", "red"))
    lines += [] if wrong else [Text("  its check finds no error")]
    return Group(*lines, Text(), *map(Text, _next(guessed, file, checked)))


def _found(guessed: Guess) -> list[str]:
    scales = ", ".join(f"{scale.name} ({len(scale.items)})" for scale in guessed.scales)
    items = sum(len(scale.items) for scale in guessed.scales)
    labels = ", ".join(str(entry.content["label"]) for entry in guessed.traits if not entry.off)
    unclear = sum(entry.off for entry in guessed.traits)
    more = f"; {unclear:,} more once you say what their codes mean" if unclear else ""
    lines = [
        f"  people: by {guessed.participant}"
        + (f", weighted by {guessed.weight}" if guessed.weight else ""),
        f"  {_many(items, 'item')} on {_many(len(guessed.scales), 'scale')}: {scales}",
        f"  {_many(len(guessed.traits) - unclear, 'trait')}: {labels or 'none found'}{more}",
    ]
    if reasons := dict.fromkeys(e.content["reason"] for e in guessed.exclusions if not e.off):
        lines.append(f"  not used: people {', '.join(map(str, reasons))}")
    if guessed.unused:
        lines.append(f"  {_many(len(guessed.unused), 'column')} not used; the file says why")
    return lines


def _next(guessed: Guess, file: Path, checked: Checked) -> list[str]:
    people = len(checked.study.people) if checked.study else 0
    sample = [f"participants: {{sample: {_SAMPLE}}}"] if people > _SAMPLE else []
    known = any(not entry.off for entry in guessed.traits)
    advised = [re.search(r"use `(layout: .*?)`", problem.message) for problem in checked.problems]
    layout = [*dict.fromkeys(found[1] for found in advised if found)][:1]
    return [
        "Next: read it, answer its questions, and check it again:",
        f"  geppetto studies check {file}",
        "Then ask a question of your own in another file, such as",
        "",
        "question: Does knowing who people are help to predict what they answer?",
        f"study: {file}",
        *sample,
        "models: [smollm2-135m-instruct]",
        f"strategies: [{'biography' if known else 'known_answers'}]",
        "arms: [none, shuffled, own]",
        *layout,
        "",
        "`geppetto plan FILE` says what that would ask, `geppetto run FILE` asks it.",
    ]


def _many(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"
