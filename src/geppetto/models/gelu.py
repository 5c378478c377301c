"""GELU in float32 for llama.cpp, which looks it up in a half-precision table on CPUs.

The table moves log-probabilities of Gemma 3 by up to 0.01 nats: more than the persona effects that
have been published. llama.cpp shows each tensor before and after it is computed, and afterwards
its values may be replaced.
"""

from __future__ import annotations

import ctypes
from typing import Any

import llama_cpp
import numpy as np
from llama_cpp._ggml import libggml
from numpy.typing import NDArray

_TABULATED = (b"GELU", b"GELU_QUICK", b"GEGLU_QUICK")

for _function, _result in {
    "ggml_get_name": ctypes.c_char_p,
    "ggml_op_desc": ctypes.c_char_p,
    "ggml_get_data": ctypes.c_void_p,
    "ggml_nelements": ctypes.c_int64,
}.items():
    getattr(libggml, _function).argtypes = [ctypes.c_void_p]
    getattr(libggml, _function).restype = _result


class ExactGelu:
    """Replaces each gated GELU that llama.cpp computes by its float32 value.

    Attributes
    ----------
    callback
        What llama.cpp calls: its `cb_eval`.
    inexact
        The operation, if any, that used the table and could not be replaced.
    """

    _prefix = b"ffn_geglu"

    def __init__(self) -> None:
        self.inexact = ""
        self.callback = llama_cpp.ggml_backend_sched_eval_callback(self._evaluate)
        self._tensors: dict[bytes, int] = {}

    def _evaluate(self, tensor: int, before: bool, user_data: Any) -> bool:
        name, operation = libggml.ggml_get_name(tensor), libggml.ggml_op_desc(tensor)
        if before:
            self._tensors[name] = tensor
            if operation in _TABULATED:
                self.inexact = operation.decode()
            return bool(operation == b"GEGLU")
        layer = name.removeprefix(self._prefix)
        gate, up = self._tensors.get(b"ffn_gate" + layer), self._tensors.get(b"ffn_up" + layer)
        tabulated = _values(tensor)
        if gate is None or up is None:
            self.inexact = "GEGLU"
        elif tabulated.size:
            exact = gelu(_values(gate)) * _values(up)
            if np.abs(exact - tabulated).max() > 0.01 * np.abs(exact).max():
                self.inexact = "GEGLU"
            tabulated[:] = exact
        return True


def _values(tensor: int) -> NDArray[np.float32]:
    """A tensor's values, in place."""
    data = ctypes.cast(libggml.ggml_get_data(tensor), ctypes.POINTER(ctypes.c_float))
    return np.ctypeslib.as_array(data, (libggml.ggml_nelements(tensor),))


def gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    """The tanh form of the Gaussian error linear unit (Hendrycks & Gimpel 2016)."""
    slope, cubic = np.float32(np.sqrt(2 / np.pi)), np.float32(0.044715)
    activated: NDArray[np.float32] = x / 2 * (1 + np.tanh(slope * x * (1 + cubic * x * x)))
    return activated
