"""Whatever lies in a file, reading it ends in what it says or in one sentence, and soon.

200 inputs of each kind are drawn from a seed; FUZZ gives another number (`make fuzz`: 3,000), and
FUZZ_SEED another seed; what is also checked, which takes longer, is a quarter. A failure says which
input it was.
"""

from __future__ import annotations

import gzip
import importlib.util
import io
import json
import lzma
import os
import random
import signal
import zipfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from fake_model import CHATML
from geppetto._util.errors import GeppettoError
from geppetto.planning.config import Experiment
from geppetto.prompts.chat import ChatTemplate, Turn
from geppetto.reports import studies as reports
from geppetto.studies.drafting import codebook_text, guess, read_columns
from geppetto.studies.sessions.file import read_sessions
from geppetto.studies.survey_file import check_study
from geppetto.studies.table_file import read_table
from memory import Peak, memory
from mutation import mutated

INPUTS = int(os.environ.get("FUZZ", "200"))
SEED = os.environ.get("FUZZ_SEED", "0")
LONGEST = 20
"""Seconds that an input may take."""

MOST = 100
"""MiB that an input may add to the memory of this process, even for a moment."""

EXPERIMENT = b"""
question: Does it matter?
study: bfi
participants: {sample: 6, seed: 5, complete: true}
items: [A1, C1]
models: [smollm2-135m-instruct, {name: x, model: openai/x, api_base: "http://x/v1", timeout: 3}]
strategies: [interview, {known_answers: {k: 5}}]
arms: [none, {shuffled: {donors: 2}}, own]
elicitations: [likelihood, {samples: {k: 5}}]
budget: {dollars: 1, tokens: 1000}
layout: {answer: number, order: codebook}
session: {presentation: [text, turns], history: [1, all]}
analysis: {smallest_effect: 0.005, draws: 200}
search: {strategies: [biography], trials: 3, objective: nll, batch: 5}
"""
CODEBOOK = b"""
title: Sleep, invented
source: {origin: made up, licence: none}
instruction: How much do you agree?
data: own.csv
participant_column: person
weight_column: weight
waves: {retest: _2}
missing: [-9]
missing_in: {sex: [9]}
exclusions:
  - {column: age, below: 18, reason: under 18 years}
traits:
  - {name: age, label: age, question: "How old are you?", kind: age}
  - {name: sex, label: sex, question: "What is your sex?", values: {1: Male, 2: Female}}
  - {name: own, label: words, question: "What else?", kind: text}
scales:
  agreement: {options: {1: Not at all, 2: A little, 3: Much, 8: Don't know}, outside: [8]}
items:
  - {name: worry, text: I worry., scale: agreement, measures: insomnia}
  - {name: rested, text: I rest., scale: agreement, measures: insomnia, key: -1}
"""
SMALL = b"""
title: Sleep, invented
source: {origin: made up}
instruction: How much do you agree?
data: own.csv
participant_column: person
missing: [-9]
traits: [{name: age, label: age, question: "How old are you?"}]
scales: {agreement: {options: {1: Not at all, 2: A little, 3: Much, 8: Don't know}, outside: [8]}}
items: [{name: worry, text: I worry., scale: agreement}]
"""
TABLE = b"""person,age,sex,own,weight,worry,rested,worry_2
p01,34,1,I work nights,0.8,1,2,1
p02,52,2,,1.1,2,3,2
p03,19,9,"one, two",1.4,3,1,8
p04,16,1,x,1.0,1,-9,3
p05,41,2,y,0.9,8,1,
"""
SESSIONS = b"\n".join(
    json.dumps(
        {
            "text": "You see X.\nYou press <<N>>.\nYou press <<Z>>.\nYou press <<N>>.\n" * 3,
            "experiment": "c/e",
            "participant": number,
            "age": 20 + number,
            "gender": "male" if number % 2 else "female",
            "RTs": [100.5, 200],
        }
    ).encode()
    for number in range(6)
)


def parquet(table: bytes = TABLE) -> bytes:
    stream = io.BytesIO()
    pd.read_csv(io.BytesIO(table)).to_parquet(stream)
    return stream.getvalue()


def workbook() -> bytes:
    import openpyxl

    book, stream = openpyxl.Workbook(), io.BytesIO()
    for line in TABLE.decode().splitlines():
        book.active.append(line.split(","))
    book.save(stream)
    return stream.getvalue()


def zipped(method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        archive.writestr("a.jsonl", SESSIONS)
    return stream.getvalue()


Read = Callable[[Path, bytes], object]


def codebook(folder: Path, data: bytes) -> object:
    (folder / "own.yaml").write_bytes(data)
    (folder / "own.csv").write_bytes(TABLE)
    return checked(folder, "own.yaml")


def experiment(folder: Path, data: bytes) -> object:
    (folder / "e.yaml").write_bytes(data)
    return Experiment.from_file(folder / "e.yaml")


def table(folder: Path, data: bytes) -> object:
    (folder / "own.yaml").write_bytes(SMALL)
    (folder / "own.csv").write_bytes(data)
    return checked(folder, "own.yaml")


def drafted(folder: Path, data: bytes) -> object:
    """The draft of a codebook, which is one whatever the data are."""
    (folder / "own.csv").write_bytes(data)
    text = codebook_text(guess(read_columns(folder / "own.csv")), "own.csv")
    (folder / "own.yaml").write_text(text, "utf-8")
    try:
        return checked(folder, "own.yaml")
    except GeppettoError as error:
        raise AssertionError(f"{error}\n{text}") from error


def packed(name: str) -> Read:
    def read(folder: Path, data: bytes) -> object:
        (folder / name).write_bytes(data)
        return read_table(folder / name)

    return read


def sessions(name: str) -> Read:
    def read(folder: Path, data: bytes) -> object:
        (folder / name).write_bytes(data)
        return checked(folder, name)

    return read


def lines(folder: Path, data: bytes) -> object:
    (folder / "own.jsonl").write_bytes(data)
    return read_sessions("own.jsonl", folder)


def checked(folder: Path, name: str) -> object:
    """What a user is shown of a study, and its hash."""
    found = check_study(name, folder)
    reports.check(found)
    return found.study and found.study.sha256


def template(_: Path, data: bytes) -> object:
    turns = [Turn(role="system", content="Be brief."), Turn(role="user", content="How are you?")]
    return ChatTemplate(source=data.decode(errors="replace")).render(turns)


KINDS: dict[str, tuple[bytes, Read]] = {
    "experiment": (EXPERIMENT, experiment),
    "codebook": (CODEBOOK, codebook),
    "csv": (TABLE, packed("own.csv")),
    "csv, checked": (TABLE, table),
    "draft, checked": (TABLE + TABLE.split(b"\n", 1)[1].replace(b"p0", b"p1"), drafted),
    "csv.gz": (gzip.compress(TABLE, mtime=0), packed("own.csv.gz")),
    "csv.xz": (lzma.compress(TABLE), packed("own.csv.xz")),
    "parquet": (parquet(), packed("own.parquet")),
    "jsonl": (SESSIONS, lines),
    "jsonl, checked": (SESSIONS, sessions("own.jsonl")),
    "zip": (zipped(), sessions("own.zip")),
    "zip, stored": (zipped(zipfile.ZIP_STORED), sessions("own.zip")),
    "zip, lzma": (zipped(zipfile.ZIP_LZMA), sessions("own.zip")),
    "template": (CHATML.encode(), template),
}


if importlib.util.find_spec("openpyxl") is not None:
    KINDS["xlsx"] = (workbook(), packed("own.xlsx"))


class TooLongError(BaseException):
    """An input took longer than it may."""


def _too_long(*_: object) -> None:
    raise TooLongError


@pytest.mark.parametrize("kind", KINDS)
def test_whatever_lies_in_a_file(kind: str, tmp_path: Path) -> None:
    good, read = KINDS[kind]
    assert read(tmp_path, good)
    peak = Peak()
    previous = signal.signal(signal.SIGALRM, _too_long)
    try:
        for number in range(INPUTS // 4 if "checked" in kind else INPUTS):
            data = mutated(good, random.Random(f"{SEED} {kind} {number}"))
            signal.alarm(LONGEST)
            peak.forget()
            before = memory()
            try:
                read(tmp_path, data)
            except GeppettoError as error:
                assert str(error).strip()
                str(error).encode()
            except BaseException as error:
                (tmp_path / "failed").write_bytes(data)
                pytest.fail(f"{kind} {number}: {type(error).__name__}: {error}; {data[:2000]!r}")
            finally:
                signal.alarm(0)
            added = peak() - before
            assert added < MOST, f"{kind} {number}: {added:,.0f} MiB; {data[:2000]!r}"
    finally:
        signal.signal(signal.SIGALRM, previous)
