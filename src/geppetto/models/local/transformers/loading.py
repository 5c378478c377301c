"""Reading a checkpoint's weights, where they are computed, and whether they fit there."""

from __future__ import annotations

from typing import Any

import psutil
import torch
from transformers import AutoModelForCausalLM
from transformers.utils import logging

from geppetto._util.errors import GeppettoError
from geppetto.models.local.transformers.checkpoint import Checkpoint

_SPARE = 1.1
"""What a model needs beside its weights at least, as a factor."""


def device() -> str:
    """Where models are computed: a graphics card if there is one, else the processor."""
    if torch.cuda.is_available():
        return "cuda"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def load(checkpoint: Checkpoint, name: str, exact: bool, on: str) -> Any:
    """transformers' model of a checkpoint, in float32 if `exact`, else in bfloat16.

    Raises
    ------
    GeppettoError
        If it does not fit into memory, is quantised and should be exact, or cannot be read.
    """
    dtype = torch.float32 if exact else torch.bfloat16
    _refuse_too_large(checkpoint, name, dtype, on)
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        network, told = AutoModelForCausalLM.from_pretrained(
            checkpoint.folder,
            dtype=dtype,
            device_map=on,
            local_files_only=True,
            trust_remote_code=False,
            output_loading_info=True,
        )
    except Exception as error:  # of many kinds, by what the files lack
        raise GeppettoError(
            f"{name}: transformers cannot read {checkpoint.folder}: "
            f"{' '.join(str(error).split())[:300]}"
        ) from error
    if lacking := sorted(told["missing_keys"]) + sorted(map(str, told["mismatched_keys"])):
        raise GeppettoError(
            f"{name}: {checkpoint.folder} lacks {len(lacking)} of the model's weights, "
            f"{lacking[0]} among them, which would be random; fetch it again"
        )
    if network.config._attn_implementation not in ("sdpa", "eager"):
        network.set_attn_implementation("eager")  # others read no masks
    return network.eval()


def _refuse_too_large(checkpoint: Checkpoint, name: str, dtype: torch.dtype, on: str) -> None:
    needed = _SPARE * checkpoint.parameters * dtype.itemsize
    free = _free(on)
    if checkpoint.quantisation or needed <= free:
        return
    smaller = "; precision: fast needs half of it" if dtype == torch.float32 else ""
    raise GeppettoError(
        f"{name} needs {needed / 2**30:.1f} GiB of memory on {on} for its weights as "
        f"{str(dtype).removeprefix('torch.')}, and {free / 2**30:.1f} GiB are free{smaller}"
    )


def _free(on: str) -> int:
    """Bytes that can be had."""
    if on == "cuda":
        return int(torch.cuda.mem_get_info()[0])
    if on == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    return int(psutil.virtual_memory().available)
