"""A GGUF file with a flipped bit is loaded or refused; it never ends the process."""

from __future__ import annotations

import os
import random
import shutil
import struct
from pathlib import Path

import pytest

from geppetto._util.errors import GeppettoError
from geppetto.models.local.gguf import PACKAGED
from geppetto.models.local.llama_cpp import LlamaCppModel

INPUTS = int(os.environ.get("FUZZ", "200")) // 50
SEED = os.environ.get("FUZZ_SEED", "0")
HEADER = 2**20


@pytest.fixture
def copy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A model's file of this test's own, of which nothing is remembered."""
    monkeypatch.setenv("GEPPETTO_CACHE", str(tmp_path / "cache"))
    return Path(shutil.copy(PACKAGED["smollm2-135m-instruct"](), tmp_path / "own.gguf"))


def test_a_flipped_bit_never_ends_the_process(copy: Path) -> None:
    good = copy.read_bytes()[:HEADER]
    for number in range(INPUTS):
        rng = random.Random(f"{SEED} gguf {number}")
        at = rng.randrange(rng.choice((64, 4096, HEADER)))
        with copy.open("r+b") as file:
            file.write(good[:at] + bytes([good[at] ^ 1 << rng.randrange(8)]) + good[at + 1 :])
        try:
            LlamaCppModel("own", copy)
        except GeppettoError as error:
            assert str(copy) in str(error)


def test_a_file_that_ends_its_process_is_named(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("geppetto.models.local.verified._LOAD", "import os; os.abort()")
    with pytest.raises(GeppettoError, match=r"is damaged: it ends the process .*; fetch it again"):
        LlamaCppModel("own", copy)


def test_a_file_is_loaded_apart_only_once(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    LlamaCppModel("own", copy)
    monkeypatch.setattr("geppetto.models.local.verified._LOAD", "import os; os.abort()")
    assert LlamaCppModel("own", copy).context == 8192


def test_what_is_no_file_of_a_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.gguf").write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2**60, 2**60))
    for name in ("x.gguf", "gone.gguf"):
        with pytest.raises(GeppettoError, match=name):
            LlamaCppModel("x", tmp_path / name)
