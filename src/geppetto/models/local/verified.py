"""GGUF files that llama.cpp can load: it ends the whole process on some that are damaged.

So a file is first loaded in a process of its own, once; that it went well is remembered by its
hash.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from geppetto._util.errors import GeppettoError
from geppetto.models.local.gguf import cache_dir

_LONGEST = 600
"""Seconds that loading may take."""

_REFUSED = 3
_LOAD = f"""
import ctypes, sys
import llama_cpp as llama
silence = llama.llama_log_callback(lambda *_: None)
llama.llama_log_set(silence, ctypes.c_void_p(0))
for vocab_only in (True, False):
    params = llama.llama_model_default_params()
    params.vocab_only, params.n_gpu_layers = vocab_only, 0
    model = llama.llama_model_load_from_file(sys.argv[1].encode(), params)
    if not model:
        sys.exit({_REFUSED})
    llama.llama_model_free(model)
"""


def verify(path: Path, sha256: str, engine: str) -> None:
    """Refuse a file that llama.cpp cannot load.

    Parameters
    ----------
    path
        The GGUF file.
    sha256
        Hex digest of its content.
    engine
        The version of what loads it.

    Raises
    ------
    GeppettoError
        If it cannot.
    """
    seen = cache_dir() / "verified" / f"{sha256[:32]}-{engine}"
    if seen.exists():
        return
    try:
        child = subprocess.run(
            [sys.executable, "-I", "-c", _LOAD, str(path.resolve())],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_LONGEST,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise GeppettoError(
            f"{path} was not loaded within {_LONGEST / 60:.0f} minutes; it may be damaged: fetch "
            "it again"
        ) from error
    if child.returncode < 0:
        raise GeppettoError(
            f"{path} is damaged: it ends the process that loads it (signal {-child.returncode}); "
            "fetch it again"
        )
    if child.returncode:
        raise GeppettoError(f"{path} is not a GGUF model that llama.cpp {engine} reads")
    try:
        seen.parent.mkdir(parents=True, exist_ok=True)
        seen.touch()
    except OSError:
        return  # it is loaded in a process of its own again, next time
