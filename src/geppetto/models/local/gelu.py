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

from geppetto._util.errors import GeppettoError

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
    """

    _prefix = b"ffn_geglu"

    def __init__(self) -> None:
        self.callback = llama_cpp.ggml_backend_sched_eval_callback(self._evaluate)
        self._tensors: dict[bytes, int] = {}
        self._inexact = ""
        self._counts = 0
        self._replaced = 0

    def check(self) -> None:
        """Make sure that every GELU since the last check was replaced.

        Raises
        ------
        GeppettoError
            If the model computes one in a form that is not known here.
        RuntimeError
            If a replacement failed: an exception cannot leave llama.cpp's callback.
        """
        inexact, wanted, replaced = self._inexact, self._counts, self._replaced
        self._inexact, self._counts, self._replaced = "", 0, 0
        if inexact:
            raise GeppettoError(
                f"llama.cpp computes this model's {inexact} in half precision, so its "
                "log-probabilities are not exact; ask for `precision: fast`"
            )
        if wanted != replaced:
            raise RuntimeError(f"only {replaced} of {wanted} GELUs could be made exact")

    def _evaluate(self, tensor: int, before: bool, user_data: Any) -> bool:
        name, operation = libggml.ggml_get_name(tensor), libggml.ggml_op_desc(tensor)
        if before:
            self._tensors[name] = tensor
            if operation in _TABULATED:
                self._inexact = operation.decode()
            self._counts += operation == b"GEGLU"
            return bool(operation == b"GEGLU")
        layer = name.removeprefix(self._prefix)
        gate, up = self._tensors.get(b"ffn_gate" + layer), self._tensors.get(b"ffn_up" + layer)
        tabulated = _values(tensor)
        if gate is None or up is None:
            self._inexact = "GEGLU"
        elif tabulated.size:
            exact = gelu(_values(gate)) * _values(up)
            if np.abs(exact - tabulated).max() > 0.01 * np.abs(exact).max():
                self._inexact = "GEGLU"
            tabulated[:] = exact
        self._replaced += 1
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
